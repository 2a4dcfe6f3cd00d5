package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is for what takes a second on an idle machine and long on a busy one.
const patience = 90 * time.Second

// process is one `leadroute run`, which may be ended and started again.
type process struct {
	t    *testing.T
	data string
	args []string
	env  []string

	cmd   *exec.Cmd
	ready chan struct{} // closed when it says that it routes
	done  chan struct{} // closed when it is gone and its stderr is read
	err   error         // how it ended; read after done

	mu   sync.Mutex
	said []string // on stderr, in all its lives
}

// where is the process's own account of where it is; see run.json.
type where struct {
	API        string   `json:"api"`
	Key        string   `json:"key"`
	ClickHouse string   `json:"clickhouse"`
	Brokers    []string `json:"brokers"`
	PID        int      `json:"pid"`
}

// launch starts the process and returns when it routes leads.
func (p *process) launch() {
	p.t.Helper()
	if !p.try() {
		p.t.Fatalf("the process ended before it was ready: %v\n%s", p.err, p.tail())
	}
}

// try starts the process and returns when it routes leads, or false when it has ended before.
func (p *process) try() bool {
	p.t.Helper()
	began := time.Now()
	p.start()
	select {
	case <-p.ready:
		p.t.Logf("%s routes after %v", filepath.Base(p.data), time.Since(began).Round(time.Millisecond))
		return true
	case <-p.done:
		return false
	case <-time.After(patience):
		p.t.Fatalf("the process was not ready within %v\n%s", patience, p.tail())
		return false
	}
}

// start starts the process and returns at once.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(filepath.Join(bin, "leadroute"), p.args...)
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.SysProcAttr = tied()
	p.ready, p.done = make(chan struct{}), make(chan struct{})
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	started := make(chan error)
	go func(cmd *exec.Cmd, ready, done chan struct{}) {
		// The kernel's promise to end the process with this one is bound to the thread that
		// forked it.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		once := sync.OnceFunc(func() { close(ready) })
		for in := bufio.NewScanner(stderr); in.Scan(); {
			p.mu.Lock()
			p.said = append(p.said, in.Text())
			p.mu.Unlock()
			if strings.HasPrefix(in.Text(), "leadroute routes by ") {
				once()
			}
		}
		p.err = cmd.Wait()
		close(done)
	}(p.cmd, p.ready, p.done)
	if err := <-started; err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.kill)
}

// kill ends the process at once and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.done
}

// terminate asks the process to end and returns how long that took.
func (p *process) terminate() time.Duration {
	p.t.Helper()
	began := time.Now()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("the process did not end within %v of SIGTERM\n%s", patience, p.tail())
	}
	return time.Since(began)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("%v: %v", s, err)
	}
}

func (p *process) where() where {
	p.t.Helper()
	var w where
	b, err := os.ReadFile(filepath.Join(p.data, "run.json"))
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		p.t.Fatalf("where the process runs: %v", err)
	}
	return w
}

// clickhouse is the process id of the embedded ClickHouse, 0 while there is none.
func (p *process) clickhouse() int {
	b, err := os.ReadFile(filepath.Join(p.data, "clickhouse", "data", "status"))
	if err != nil {
		return 0
	}
	var pid int
	_, _ = fmt.Sscanf(string(b), "PID: %d", &pid) // 0 while it is being written
	return pid
}

// tail is the last that the process said.
func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said[max(0, len(p.said)-40):], "\n")
}

// ports counts those that were looked at.
var ports atomic.Int64

// freePort is a port that the process may listen on again and again. It lies below those
// that the kernel gives to outgoing connections: a client that knocks while the process is
// away could be given the very port it knocks at, and keep it.
func freePort(t *testing.T) int {
	t.Helper()
	for range 2000 {
		port := 20000 + (os.Getpid()*131+int(ports.Add(1)))%10000
		if ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = ln.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 30000")
	return 0
}
