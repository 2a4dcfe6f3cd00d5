package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_PARENT"); dir != "" {
		parent(dir)
		return
	}
	os.Exit(m.Run())
}

// parent is the body of a process that starts a server and is then killed.
func parent(dir string) {
	ch, err := StartClickHouse(context.Background(), ClickHouseOptions{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(ch.PID())
	select {}
}

func start(t *testing.T, o ClickHouseOptions) *ClickHouse {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Progress = os.Stderr
	ch, err := StartClickHouse(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	return ch
}

func connect(t *testing.T, o *clickhouse.Options) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exec1(t *testing.T, conn driver.Conn, query string) {
	t.Helper()
	if err := conn.Exec(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t *testing.T, conn driver.Conn, query string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestClickHouseKeepsItsRows(t *testing.T) {
	ch := start(t, ClickHouseOptions{})
	addr := ch.Addr()
	conn := connect(t, ch.Options())
	exec1(t, conn, "CREATE DATABASE d")
	exec1(t, conn, "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert=1, fsync_part_directory=1")
	exec1(t, conn, "INSERT INTO d.t SELECT number FROM numbers(1000)")

	pid := ch.PID()
	ch.Kill()
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("server %d after Kill: %v, want it to be gone", pid, err)
	}
	if err := ch.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ch.Addr(); got != addr {
		t.Errorf("Addr after Restart = %s, want %s", got, addr)
	}
	if got := count(t, connect(t, ch.Options()), "SELECT count() FROM d.t"); got != 1000 {
		t.Errorf("rows after kill -9 = %d, want 1000", got)
	}

	if err := ch.Restart(t.Context()); err != nil { // from a running server: a clean stop
		t.Fatal(err)
	}
	if got := count(t, connect(t, ch.Options()), "SELECT count() FROM d.t"); got != 1000 {
		t.Errorf("rows after a clean restart = %d, want 1000", got)
	}
	began := time.Now()
	ch.Stop()
	if took := time.Since(began); took > 3*time.Second || ch.child.err != nil {
		t.Errorf("Stop took %v and ended in %v, want less than 3s and a clean end", took, ch.child.err)
	}
}

func TestClickHouseAsksForTheLogin(t *testing.T) {
	ch := start(t, ClickHouseOptions{})
	addr := ch.Addr()
	pid := ch.PID()
	wrong := ch.Options()
	wrong.Auth.Password = "guess"
	err := connect(t, wrong).Ping(t.Context())
	if ex, ok := errors.AsType[*clickhouse.Exception](err); !ok || ex.Code != 516 || strings.Contains(err.Error(), ch.password) {
		t.Errorf("ping with a wrong password = %v, want code 516 without the password", err)
	}
	// The engine does not survive this; it is there again, where it was.
	comesBack(t, ch, pid)
	if ch.Addr() != addr {
		t.Errorf("Addr after the restart = %s, want %s", ch.Addr(), addr)
	}
}

func TestClickHouseIsStartedAgain(t *testing.T) {
	ch := start(t, ClickHouseOptions{})
	pid := ch.PID()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	comesBack(t, ch, pid)
}

// comesBack waits until another process than pid answers.
func comesBack(t *testing.T, ch *ClickHouse, pid int) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	var err error
	for time.Now().Before(deadline) {
		if ch.PID() != pid {
			if err = connect(t, ch.Options()).Ping(t.Context()); err == nil {
				return
			}
		}
		runtime.Gosched()
	}
	t.Fatalf("no other server than process %d after 15 s: %v", pid, err)
}

// The engine's own user has no password: it may start the server and nothing else.
func TestClickHouseDefaultUserMayDoNothing(t *testing.T) {
	ch := start(t, ClickHouseOptions{})
	bare := ch.Options()
	bare.Auth = clickhouse.Auth{Username: "default"}
	conn := connect(t, bare)
	for _, q := range []string{"SELECT * FROM system.parts", "CREATE DATABASE x", "SELECT * FROM file('/etc/hostname', 'LineAsString')", "SYSTEM SHUTDOWN"} {
		err := conn.Exec(t.Context(), q)
		if ex, ok := errors.AsType[*clickhouse.Exception](err); !ok || ex.Code != 497 {
			t.Errorf("%s as default = %v, want code 497, access denied", q, err)
		}
	}
}

func TestClickHouseFolderInUse(t *testing.T) {
	ch := start(t, ClickHouseOptions{})
	_, err := StartClickHouse(t.Context(), ClickHouseOptions{Dir: ch.dir})
	if inUse, ok := errors.AsType[*InUseError](err); !ok || inUse.PID != os.Getpid() || !strings.Contains(err.Error(), "--data") {
		t.Errorf("second start on %s = %v, want an InUseError naming process %d", ch.dir, err, os.Getpid())
	}
}

func TestClickHousePortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = StartClickHouse(t.Context(), ClickHouseOptions{Dir: t.TempDir(), TCPPort: ln.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "port is in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("start on a taken port = %v, want one line that says so", err)
	}
}

func TestClickHouseEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_PARENT="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q, want the server's process id", line)
	}
	server, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(server)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(server), Events: unix.POLLIN}}, 10_000); n != 1 {
		t.Errorf("server %d runs 10 s after its parent was killed (%v)", pid, err)
	}
	start(t, ClickHouseOptions{Dir: dir}) // and its folder is free
}

// script writes an executable shell script into a new folder and returns the folder.
func script(t *testing.T, name, body string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestClickHouseFromABinaryOnPath(t *testing.T) {
	engine := start(t, ClickHouseOptions{}).engine // the engine library in a binary's clothes
	log := filepath.Join(t.TempDir(), "called")
	t.Setenv("PATH", script(t, "clickhouse", fmt.Sprintf("echo $1 > %s; shift; exec %s %s \"$@\"", log, engine[0], engine[1]))+":"+os.Getenv("PATH"))
	ch := start(t, ClickHouseOptions{})
	if got := count(t, connect(t, ch.Options()), "SELECT toUInt64(42)"); got != 42 {
		t.Errorf("answer = %d, want 42", got)
	}
	if b, err := os.ReadFile(log); err != nil || string(b) != "local\n" {
		t.Errorf("the binary on PATH was called with %q (%v), want local", b, err)
	}
}

func TestClickHousePassesOverABinaryThatCannotServe(t *testing.T) {
	t.Setenv("PATH", script(t, "clickhouse", "echo \"Code: 552. DB::Exception: Unrecognized option '--listen_host'\" >&2; exit 1")+":"+os.Getenv("PATH"))
	ch := start(t, ClickHouseOptions{})
	if got := count(t, connect(t, ch.Options()), "SELECT toUInt64(42)"); got != 42 {
		t.Errorf("answer = %d, want 42", got)
	}
}

func TestNoClickHouseNamesTheThreeWays(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := StartClickHouse(t.Context(), ClickHouseOptions{Dir: t.TempDir(), Cache: t.TempDir()})
	if _, ok := errors.AsType[*NoClickHouseError](err); !ok {
		t.Fatalf("start without any engine = %v, want a NoClickHouseError", err)
	}
	for _, way := range []string{"--clickhouse", "clickhouse binary", "npm"} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("error %q does not name %s", err, way)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}
