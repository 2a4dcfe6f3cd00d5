package sim

import (
	"flag"
	"hash/fnv"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 300, "how many seeds to run")
	first = flag.Uint64("first", 1, "the first seed")
	whole = flag.Bool("whole", false, "print all steps of a failing seed, also those that it fails without")
	limit = flag.Duration("shrink", time.Minute, "how long to look for a shorter way to fail")
)

// TestSeeds shows the last steps of a failing seed; with -v all that it needs to fail.
func TestSeeds(t *testing.T) {
	seed, v := Find(*first, *seeds)
	if v == nil {
		return
	}
	c, how := Case{Seed: seed}, "as it came"
	if !*whole {
		var minimal bool
		if c, _, minimal = Shrink(seed, *limit); minimal {
			how = "shrunk: it needs every one"
		} else {
			how = "shrunk for " + limit.String() + ": it may need fewer"
		}
	}
	v, lines := Run(c, true)
	if !testing.Verbose() {
		lines = lines[max(0, len(lines)-60):]
	}
	t.Fatalf("seed %d, %d steps, %s: %v\nreplay: go test ./internal/sim -v -seeds 1 -first %d\n%s", seed, c.Steps(v), how, v, seed, strings.Join(lines, "\n"))
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
	_, steps := Run(Case{Seed: seed}, true)
	h := fnv.New64a()
	for _, s := range steps {
		_, _ = h.Write([]byte(s))
	}
	return h.Sum64()
}
