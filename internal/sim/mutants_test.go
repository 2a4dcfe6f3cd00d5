//go:build mutants

package sim

import (
	"maps"
	"slices"
	"testing"

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

// TestShrink: the steps that are left are fewer, and break the same invariant.
func TestShrink(t *testing.T) {
	mutant.Planted = "reps-accept-while-full"
	defer func() { mutant.Planted = "" }()
	seed, v := Find(1, 2000)
	if v == nil {
		t.Fatal("no violation to be shrunk")
	}
	skip := Shrink(seed)
	less, _ := Run(seed, skip, false)
	if less == nil || less.Invariant != v.Invariant {
		t.Fatalf("seed %d breaks %q, and shrunk %v", seed, v.Invariant, less)
	}
	left := less.Step
	for _, out := range skip {
		if out {
			left--
		}
	}
	if left > v.Step/2 {
		t.Errorf("of %d steps %d are left", v.Step, left)
	}
}
