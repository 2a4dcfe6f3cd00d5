package stream_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// childBroker makes this test binary run the tally stage on that broker instead of tests.
const childBroker = "STREAM_TEST_BROKER"

func TestMain(m *testing.M) {
	addr := os.Getenv(childBroker)
	if addr == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p, err := stream.New(stream.Config{
		Brokers: []string{addr}, Namespace: ns, Partitions: 4, SessionTimeout: 3 * time.Second,
		Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	}, tallyStage())
	if err == nil {
		err = p.Run(ctx)
	}
	if err != nil {
		slog.Error("child stage failed", "error", err)
		os.Exit(1)
	}
}

// An owner stopped by SIGSTOP beyond its session and continued: what it missed is done by
// its successor, and what it still wants to write changes nothing for good.
func TestStalledProcessLeavesNoDivergence(t *testing.T) {
	r := newRig(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childBroker+"="+r.cfg.Brokers[0])
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	leave := sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		leave()
		if err := cmd.Wait(); err != nil {
			t.Errorf("child ended with %v, want a clean stop", err)
		}
	})
	said := func(what string) {
		t.Helper()
		for line := await(t, what, lines); !strings.Contains(line, what); line = await(t, what, lines) {
			if line == "" {
				t.Fatalf("child ended before it said %q", what)
			}
		}
	}
	said("stage is ready")
	p, stop := r.start(tallyStage())
	eventually(t, "two members", func() bool {
		g := r.b.cluster.GroupInfo(ns.Group(string(tallies)))
		return g.State == "Stable" && len(g.Members) == 2 && p.Recovered()
	})

	const keys = 40
	sent := 0
	round := func() {
		t.Helper()
		rs := make([]*kgo.Record, 0, 5*keys)
		for i := range cap(rs) {
			rs = append(rs, record(tallies, name("k%d", i%keys), `{}`))
		}
		send(t, r.cl, rs...)
		sent += 5
	}
	counted := func() {
		t.Helper()
		done := map[string]bool{}
		for len(done) < keys {
			rec := r.next()
			if v, err := leadroute.Decode[told](rec.Value); err == nil && v.N >= sent {
				done[string(rec.Key)] = true
			}
		}
	}
	round()
	counted()
	round() // the child has some of it in hand when it is stopped
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// The kernel stops the threads one by one, on a busy machine not at once.
	eventually(t, "every thread of the child stopped", func() bool { return stopped(t, cmd.Process.Pid) })
	round()
	counted() // by the survivor, all of it
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	said("stage stopped, will restart")
	said("stage is ready")
	round()
	counted()
	stop()
	counts := func(what string, rows func(func(string, *tally) bool)) map[string]int {
		t.Helper()
		out := map[string]int{}
		rows(func(key string, s *tally) bool {
			if out[key] = s.N; s.N < sent {
				t.Errorf("%s: %s counts %d of %d: messages were lost", what, key, s.N, sent)
			}
			return true
		})
		if len(out) != keys {
			t.Errorf("%s has %d rows, want %d", what, len(out), keys)
		}
		return out
	}
	leave()
	eventually(t, "the child leaving", func() bool {
		return len(r.b.cluster.GroupInfo(ns.Group(string(tallies))).Members) == 0
	})
	v, err := stream.NewView[tally](r.cfg, tallies, nil)
	if err != nil {
		t.Fatal(err)
	}
	running(t, v.Run)
	await(t, "recovery of the view", v.Recovered())
	p, _ = r.start(tallyStage())
	inView, inTable := counts("view", v.Rows), counts("table", p.Rows)
	for k, n := range inTable {
		if inView[k] != n {
			t.Errorf("%s is %d in the view and %d for its owner", k, inView[k], n)
		}
	}
}

// stopped reports whether every thread of the process is stopped (Linux).
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Skip("needs /proc to see that a process is stopped")
	}
	for _, f := range threads {
		b, err := os.ReadFile(f) //nolint:gosec // of a child of ours
		if err != nil {
			continue // it ended meanwhile
		}
		_, state, _ := strings.Cut(string(b), ") ")
		if !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}
