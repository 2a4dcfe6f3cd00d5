package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

var (
	errLocked = errors.New("another server works in the data folder")
	errTaken  = errors.New("the port is in use; choose another, or 0 for a free one")
)

// child is a running engine.
type child struct {
	cmd      *exec.Cmd
	done     chan struct{} // closed when the process is gone and its stderr is read
	err      error         // how it ended; read after done
	stopping atomic.Bool   // its end is wanted: what it says about it does not matter

	mu   sync.Mutex
	said []string // the last lines of its stderr
}

// startChild starts a program that ends when this process does: the kernel kills it
// (Linux), and the launcher also watches a pipe.
func startChild(argv []string, dir string, log *slog.Logger) (*child, error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})} //nolint:noctx // it outlives the context of its start
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), "LEADROUTE_PARENT_PIPE=3")
	c.cmd.ExtraFiles = []*os.File{ours}
	c.cmd.SysProcAttr = tied()
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	started := make(chan error)
	go func() {
		// The kernel's promise to kill the child is bound to the thread that forked it,
		// so this one stays with it to the end.
		runtime.LockOSThread()
		err := c.cmd.Start()
		started <- errors.Join(err, ours.Close())
		if err != nil {
			_ = theirs.Close()
			return
		}
		c.listen(stderr, log)
		c.err = c.cmd.Wait()
		_ = theirs.Close()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// listen reads the engine's stderr until it ends.
func (c *child) listen(stderr io.Reader, log *slog.Logger) {
	for in := bufio.NewScanner(stderr); in.Scan(); {
		c.mu.Lock()
		c.said = append(c.said, in.Text())
		if len(c.said) > 20 {
			c.said = c.said[1:]
		}
		c.mu.Unlock()
		if log != nil && !c.stopping.Load() && in.Text() != "" {
			log.LogAttrs(context.Background(), slog.LevelWarn, "embedded ClickHouse", slog.String("detail", in.Text()))
		}
	}
	_, _ = io.Copy(io.Discard, stderr) // a line too long for the scanner must not block the engine
}

// kill ends the process and returns when it is gone.
func (c *child) kill() {
	c.stopping.Store(true)
	_ = c.cmd.Process.Kill() // it may be gone already
	<-c.done
}

// failure says why the engine ended before it served; call it after done.
func (c *child) failure() error {
	c.mu.Lock()
	said := strings.Join(c.said, "\n")
	c.mu.Unlock()
	switch {
	case strings.Contains(said, "Another server instance in same directory"):
		return errLocked
	case strings.Contains(said, "Address already in use"):
		return errTaken
	case said != "":
		return fmt.Errorf("the engine ended: %s", firstLine(said))
	case c.err != nil:
		return fmt.Errorf("the engine ended: %w", c.err)
	}
	return errors.New("the engine ended without a word")
}
