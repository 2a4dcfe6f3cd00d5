package demo

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// ticks is USER_HZ, which is 100 on every Linux there is.
const ticks = 100

// ProcessUsage measures a process of this machine, all its threads, without its
// children. Wall is left zero.
func ProcessUsage(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("measure process %d: %w", pid, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("measure process %d: %w", pid, err)
	}
	// The second field is the name in parentheses and may hold blanks; utime and stime are
	// the 14th and 15th.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return Usage{}, fmt.Errorf("measure process %d: its stat file has %d fields", pid, len(f))
	}
	var u Usage
	for _, b := range f[11:13] {
		n, err := strconv.ParseInt(string(b), 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("measure process %d: %w", pid, err)
		}
		u.CPU += time.Duration(n) * time.Second / ticks
	}
	_, line, found := bytes.Cut(status, []byte("VmHWM:"))
	if w := bytes.Fields(line); found && len(w) > 0 {
		kb, err := strconv.ParseInt(string(w[0]), 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("measure process %d: %w", pid, err)
		}
		u.RSS = kb << 10
	}
	return u, nil
}
