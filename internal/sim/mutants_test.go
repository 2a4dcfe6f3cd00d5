//go:build mutants

package sim

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/internal/mutant"
)

// TestMutants: each bug that is planted in the real decisions is found within 2,000 seeds.
func TestMutants(t *testing.T) {
	const within = 2000
	for _, name := range slices.Sorted(maps.Keys(mutant.Bugs)) {
		t.Run(name, func(t *testing.T) {
			mutant.Planted = name
			defer func() { mutant.Planted = "" }()
			seed, v := Find(1, within)
			if v == nil {
				t.Fatalf("planted %q (%s): no violation in %d seeds", name, mutant.Bugs[name], within)
			}
			t.Logf("%s: found by seed %d: %v", mutant.Bugs[name], seed, v)
		})
	}
}

// TestShrink: what is left of a failing seed breaks the same invariant, and no step of it can
// be left out.
func TestShrink(t *testing.T) {
	mutant.Planted = "reps-accept-while-full"
	defer func() { mutant.Planted = "" }()
	seed, v := Find(1, 2000)
	if v == nil {
		t.Fatal("no violation to be shrunk")
	}
	c, less, minimal := Shrink(seed, time.Minute)
	if less == nil || less.Invariant != v.Invariant || !minimal {
		t.Fatalf("seed %d breaks %q, and shrunk %v (minimal: %t)", seed, v.Invariant, less, minimal)
	}
	for i, out := range c.Skip[:less.Step] {
		if i == 0 || out {
			continue
		}
		without := c
		without.Skip = slices.Clone(c.Skip)
		without.Skip[i] = true
		without.until = less.Step
		if again, _ := Run(without, false); again != nil && again.Invariant == v.Invariant {
			t.Errorf("without step %d it still fails: %v", i, again)
		}
	}
	_, lines := Run(c, true)
	t.Logf("seed %d fails after %d steps, of which %d suffice:\n%s", seed, v.Step, c.Steps(less), strings.Join(lines, "\n"))
}
