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
				if v, _ := Run(seed, false); v != nil {
					t.Logf("%s: found by seed %d: %v", mutant.Bugs[name], seed, v)
					return
				}
			}
			t.Errorf("planted %q (%s): no violation in %d seeds", name, mutant.Bugs[name], within)
		})
	}
}
