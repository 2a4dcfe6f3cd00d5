package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// InUseError says that another process works in a data folder.
type InUseError struct {
	Dir string
	PID int // 0 if it is not known
}

func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = "process " + strconv.Itoa(e.PID)
	}
	return fmt.Sprintf("data folder %s is in use by %s; choose another with --data", e.Dir, who)
}

// Lock is a claim on a folder. The kernel drops it when the process ends, however it ends.
type Lock struct{ file *os.File }

// LockDir creates dir where needed and claims it for this process. Where another holds
// it, the error is an *InUseError.
func LockDir(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	l, err := tryLock(filepath.Join(dir, "lock"))
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, &InUseError{Dir: dir, PID: holder(filepath.Join(dir, "lock"))}
	}
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return l, nil
}

// Unlock gives the folder up. A nil lock is given up already.
func (l *Lock) Unlock() {
	if l != nil {
		_ = l.file.Close() // the claim goes with the descriptor
	}
}

// waitLock claims the file path, waiting for a process that holds it; waiting is called
// once if there is one.
func waitLock(ctx context.Context, path string, waiting func(pid int)) (*Lock, error) {
	for first := true; ; first = false {
		l, err := tryLock(path)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return l, err
		}
		if first {
			waiting(holder(path))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond): // flock has no wait that a context can end
		}
	}
}

// tryLock claims the file path and writes the process id into it; EWOULDBLOCK if another holds it.
func tryLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := f.WriteString(strconv.Itoa(os.Getpid())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Lock{file: f}, nil
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// holder reads the process id out of a lock file, 0 if there is none.
func holder(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}
