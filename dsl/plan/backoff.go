package plan

import (
	"hash/fnv"
	"math/bits"
	"strconv"
	"time"
)

// Backoff is how long to wait after attempt (from 1) has failed: exponential with full
// jitter, that is, spread evenly over [0, lower(ceiling, floor*2^(attempt-1))], so that
// deliveries that failed together do not come back together. It throws no dice: the
// same seed and attempt give the same wait, so a replayed decision sets the same
// timer; a seed names the thing that waits (delivery and destination). An attempt
// below 1 counts as 1; a floor or ceiling that is not positive gives 0.
func Backoff(floor, ceiling time.Duration, attempt int, seed string) time.Duration {
	bound := backoffBound(floor, ceiling, attempt)
	if bound <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendInt([]byte(seed+"#"), int64(attempt), 10)) // a hash never fails
	// The product's high word maps the hash evenly onto [0, bound].
	d, _ := bits.Mul64(mix(h.Sum64()), uint64(bound)+1)
	return time.Duration(d)
}

func backoffBound(floor, ceiling time.Duration, attempt int) time.Duration {
	if floor <= 0 || ceiling <= floor {
		return min(floor, ceiling)
	}
	bound := floor
	for n := 1; n < attempt; n++ {
		if bound > ceiling/2 {
			return ceiling
		}
		bound *= 2
	}
	return bound
}

// mix spreads FNV's weak high bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
