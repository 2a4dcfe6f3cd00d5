package plan_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute/dsl/plan"
)

// bound is the law as written, in numbers that cannot overflow.
func bound(floor, ceiling time.Duration, attempt int) time.Duration {
	n := new(big.Int).Lsh(big.NewInt(int64(floor)), uint(max(attempt, 1)-1))
	if n.Cmp(big.NewInt(int64(ceiling))) > 0 {
		return ceiling
	}
	return time.Duration(n.Int64())
}

func TestBackoffStaysWithinItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := time.Duration(rapid.Int64Range(0, int64(1<<62)).Draw(t, "floor"))
		ceiling := time.Duration(rapid.Int64Range(0, int64(1<<62)).Draw(t, "ceiling"))
		attempt := rapid.IntRange(-1, 200).Draw(t, "attempt")
		seed := rapid.String().Draw(t, "seed")

		got := plan.Backoff(floor, ceiling, attempt, seed)
		if most := bound(floor, ceiling, attempt); got < 0 || got > most {
			t.Fatalf("Backoff(%v, %v, %v, %q) = %v, want within [0, %v]", floor, ceiling, attempt, seed, got, most)
		}
		if again := plan.Backoff(floor, ceiling, attempt, seed); again != got {
			t.Fatalf("Backoff(%v, %v, %v, %q) = %v, then %v, want the same", floor, ceiling, attempt, seed, got, again)
		}
	})
}

func TestBackoffSpreadsSeedsEvenly(t *testing.T) {
	const seeds, tenths = 20000, 10
	for attempt := 1; attempt <= 12; attempt++ {
		most := bound(500*time.Millisecond, time.Minute, attempt)
		var counts [tenths]int
		for i := range seeds {
			d := plan.Backoff(500*time.Millisecond, time.Minute, attempt, fmt.Sprintf("lead-%d/1/crm", i))
			counts[min(tenths-1, int(d*tenths/most))]++
		}
		for tenth, n := range counts {
			if n < seeds/tenths*85/100 || n > seeds/tenths*115/100 {
				t.Errorf("attempt %v: %v of %v waits in tenth %v of [0, %v], want %v ± 15 %%", attempt, n, seeds, tenth, most, seeds/tenths)
			}
		}
	}
}

func TestBackoffWithoutRoomIsZero(t *testing.T) {
	for _, c := range []struct{ floor, ceiling time.Duration }{{0, time.Minute}, {time.Second, 0}, {-1, time.Minute}, {time.Second, -1}} {
		if got := plan.Backoff(c.floor, c.ceiling, 3, "l1/1/crm"); got != 0 {
			t.Errorf("Backoff(%v, %v, 3, l1/1/crm) = %v, want 0", c.floor, c.ceiling, got)
		}
	}
}
