package sim

import (
	"flag"
	"hash/fnv"
	"strings"
	"testing"
)

var (
	seeds = flag.Int("seeds", 300, "how many seeds to run")
	first = flag.Uint64("first", 1, "the first seed")
	trace = flag.Bool("trace", false, "print every step that a failing seed needs to fail")
	whole = flag.Bool("whole", false, "print all steps of a failing seed, also those that it fails without")
)

func TestSeeds(t *testing.T) {
	seed, v := Find(*first, *seeds)
	if v == nil {
		return
	}
	var skip []bool
	if !*whole {
		skip = Shrink(seed)
	}
	v, steps := Run(seed, skip, true)
	if !*trace {
		steps = steps[max(0, len(steps)-60):]
	}
	t.Fatalf("Run(%d) = %v\nreplay: go test ./internal/sim -seeds 1 -first %d -trace\n%s", seed, v, seed, strings.Join(steps, "\n"))
}

// TestSameSeedSameRun: the same seed gives the same steps, byte for byte (invariant 5).
func TestSameSeedSameRun(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		a, b := digest(seed), digest(seed)
		if a != b {
			t.Fatalf("two runs of seed %d differ: %x, %x", seed, a, b)
		}
	}
}

func digest(seed uint64) uint64 {
	_, steps := Run(seed, nil, true)
	h := fnv.New64a()
	for _, s := range steps {
		_, _ = h.Write([]byte(s))
	}
	return h.Sum64()
}
