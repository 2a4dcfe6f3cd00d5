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
			for seed := uint64(1); seed <= within; seed++ {
				v, _ := Run(seed, nil, false)
				if v == nil {
					continue
				}
				skip := Shrink(seed)
				less, _ := Run(seed, skip, false)
				if less == nil || less.Invariant != v.Invariant {
					t.Errorf("seed %d breaks %q, and shrunk %v", seed, v.Invariant, less)
					return
				}
				left := less.Step
				for _, out := range skip {
					if out {
						left--
					}
				}
				t.Logf("%s: found by seed %d in %d steps, of which %d suffice: %v", mutant.Bugs[name], seed, v.Step, left, less)
				return
			}
			t.Errorf("planted %q (%s): no violation in %d seeds", name, mutant.Bugs[name], within)
		})
	}
}
