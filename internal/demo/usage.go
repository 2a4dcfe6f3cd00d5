package demo

import "time"

// Usage is what a run took of the machine.
type Usage struct {
	CPU  time.Duration // user and system
	RSS  int64         // bytes, the most at once
	Wall time.Duration
}

// Add sums two processes that ran side by side.
func (u Usage) Add(v Usage) Usage {
	return Usage{CPU: u.CPU + v.CPU, RSS: u.RSS + v.RSS, Wall: max(u.Wall, v.Wall)}
}

// Since is what came on top of an earlier measurement; RSS stays as it is.
func (u Usage) Since(before Usage) Usage {
	return Usage{CPU: u.CPU - before.CPU, RSS: u.RSS, Wall: u.Wall - before.Wall}
}
