package kafkajvm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a running Java that dies with us.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

// startProcess starts the broker with its output in LogFile, which begins anew.
func (b *Broker) startProcess() (*process, error) {
	log, err := os.Create(b.LogFile())
	if err != nil {
		return nil, err
	}
	defer log.Close()                                                           // the child has its own handle
	cmd := exec.Command(b.java, b.javaArgs("kafka.Kafka", b.serverConfig())...) //nolint:noctx // it outlives the start's context
	cmd.Dir = b.opts.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ties "the parent died" to the thread that forked, so that thread
		// must live until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			if p.err == nil {
				p.err = errors.New("exit status 0")
			}
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", b.java, err)
	}
	return p, nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.done
}

func (p *process) stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
	}
}

// portTaken says whether the broker's log blames its end on a port.
func portTaken(logFile string) bool {
	text, err := os.ReadFile(logFile)
	return err == nil && strings.Contains(string(text), "Address already in use")
}

// tail returns the last n lines of a file, or why it cannot be read.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
