package dsl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads Go's durations, and d (24 hours) and w (7 days) besides.
func ParseDuration(s string) (time.Duration, error) {
	var total time.Duration
	rest := s
	for {
		i := strings.IndexAny(rest, "dw")
		if i < 0 {
			break
		}
		// The number in front of the unit, behind what Go's units say before it.
		from := strings.LastIndexFunc(rest[:i], func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) + 1
		n, err := strconv.ParseFloat(rest[from:i], 64)
		if err != nil {
			return 0, fmt.Errorf("read the duration %q: %w", s, err)
		}
		unit := 24 * time.Hour
		if rest[i] == 'w' {
			unit *= 7
		}
		if total += time.Duration(n * float64(unit)); total < 0 || n*float64(unit) > math.MaxInt64/2 {
			return 0, fmt.Errorf("read the duration %q: it is too long", s)
		}
		rest = rest[:from] + rest[i+1:]
	}
	if rest == "" && total > 0 {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fmt.Errorf("read the duration %q: %w", s, err)
	}
	return total + d, nil
}

// ParseRate reads "50/s", "600/m" or "1000/h" as a number per second.
func ParseRate(s string) (float64, error) {
	n, unit, ok := strings.Cut(s, "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
	if !ok || per == 0 || err != nil || !(f > 0) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("read the rate %q: want a number above zero, a slash and s, m or h", s)
	}
	return f / per, nil
}
