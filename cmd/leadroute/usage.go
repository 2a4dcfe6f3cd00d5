package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/leadroute/leadroute/internal/demo"
)

// usage measures what a run takes: this process (product, simulators and, where it is
// embedded, the broker) and the embedded ClickHouse.
type usage struct {
	began time.Time
	cpu0  time.Duration
	cpu   time.Duration
	wall  time.Duration
	peak  int64
	pids  []int
	quit  chan struct{}
	done  sync.WaitGroup
}

func (u *usage) start(s *server) {
	u.pids = []int{os.Getpid()}
	if s.engine != nil {
		u.pids = append(u.pids, s.engine.PID())
	}
	u.began, u.cpu0, u.quit = time.Now(), u.read(), make(chan struct{})
	u.done.Go(func() {
		t := time.NewTicker(500 * time.Millisecond)
		defer t.Stop()
		for {
			u.peak = max(u.peak, rss(os.Getpid()))
			select {
			case <-t.C:
			case <-u.quit:
				return
			}
		}
	})
}

func (u *usage) stop() {
	u.cpu, u.wall = u.read()-u.cpu0, time.Since(u.began)
	close(u.quit)
	u.done.Wait()
}

func (u *usage) sum() demo.Usage { return demo.Usage{CPU: u.cpu, RSS: u.peak, Wall: u.wall} }

// read sums user and system time.
func (u *usage) read() time.Duration {
	var sum time.Duration
	for _, pid := range u.pids {
		if pid == os.Getpid() {
			var r syscall.Rusage
			if syscall.Getrusage(syscall.RUSAGE_SELF, &r) == nil {
				sum += time.Duration(r.Utime.Nano() + r.Stime.Nano())
			}
			continue
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The fields after the name in parentheses; utime and stime are the 14th and 15th of all, in 1/100 s.
		f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		if len(f) > 12 {
			user, _ := strconv.Atoi(string(f[11]))
			system, _ := strconv.Atoi(string(f[12]))
			sum += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return sum
}

// rss is a process's resident memory in bytes, 0 where it cannot be read.
func rss(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(f[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}
