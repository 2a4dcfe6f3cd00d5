//go:build unix && !linux

package demo

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// ProcessUsage measures this process, without its children. Other processes cannot be
// measured on this system. Wall is left zero.
func ProcessUsage(pid int) (Usage, error) {
	if pid != os.Getpid() {
		return Usage{}, fmt.Errorf("measure process %d: only this process can be measured on %s", pid, runtime.GOOS)
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return Usage{}, fmt.Errorf("measure process %d: %w", pid, err)
	}
	u := Usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), RSS: int64(r.Maxrss)}
	if runtime.GOOS != "darwin" { // which counts bytes, the others kilobytes
		u.RSS <<= 10
	}
	return u, nil
}
