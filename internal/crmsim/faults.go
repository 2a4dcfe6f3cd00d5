package crmsim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Faults are the shares, from 0 to 1 and at most 1 together, of signed requests that
// meet trouble, and how slow the others are. The zero value is a CRM in perfect health.
type Faults struct {
	Throttle float64 `json:"throttle"` // answer 429, nothing is committed
	Fail     float64 `json:"fail"`     // answer 500, nothing is committed
	Hang     float64 `json:"hang"`     // commit, then leave the sender waiting
	Drop     float64 `json:"drop"`     // commit, then drop the connection

	// RetryAfter is what a 429 asks for, in seconds; 0: it does not say.
	RetryAfter int `json:"retry_after_s"`
	// HangMS is how long a hanging request is held unless its sender leaves before, 30 s
	// if zero; then the connection is dropped.
	HangMS int `json:"hang_ms"`
	// LatencyMS and LatencyMaxMS are the least and the most time that an answer takes,
	// evenly spread.
	LatencyMS    float64 `json:"latency_ms"`
	LatencyMaxMS float64 `json:"latency_max_ms"`
}

func (f Faults) check() error {
	sum := 0.0
	for _, r := range []float64{f.Throttle, f.Fail, f.Hang, f.Drop} {
		if !(r >= 0) {
			return fmt.Errorf("a fault rate is %v, want 0 to 1", r)
		}
		sum += r
	}
	if sum > 1 {
		return fmt.Errorf("the fault rates add up to %v, want at most 1", sum)
	}
	if f.RetryAfter < 0 || f.HangMS < 0 || f.LatencyMS < 0 || f.LatencyMaxMS < 0 {
		return fmt.Errorf("a time of the faults is negative: %+v", f)
	}
	return nil
}

// fate is what happens to one request.
type fate int

const (
	fateServe fate = iota
	fateThrottle
	fateFail
	fateHang
	fateDrop
)

// fate draws for the nth request (from 1) with this webhook id.
func (f Faults) fate(seed uint64, id string, nth uint32) (fate, time.Duration) {
	d := rand.New(rand.NewPCG(seed+uint64(nth), xxhash.Sum64String(id)))
	x := d.Float64()
	latency := f.LatencyMS + d.Float64()*max(f.LatencyMaxMS-f.LatencyMS, 0)
	wait := time.Duration(latency * float64(time.Millisecond))
	for _, c := range []struct {
		rate float64
		fate fate
	}{{f.Throttle, fateThrottle}, {f.Fail, fateFail}, {f.Hang, fateHang}, {f.Drop, fateDrop}} {
		if x < c.rate {
			return c.fate, wait
		}
		x -= c.rate
	}
	return fateServe, wait
}

func (f Faults) hang() time.Duration {
	if f.HangMS == 0 {
		return 30 * time.Second
	}
	return time.Duration(f.HangMS) * time.Millisecond
}
