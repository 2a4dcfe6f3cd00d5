package sim

import "slices"

// shrinkRuns bounds how often Shrink plays the seed.
const shrinkRuns = 200

// Shrink finds few steps of a failing seed that still break the same invariant, and returns
// those that may be left out. It leaves out ever smaller runs of steps, until no single one
// can go (delta debugging) or it has tried often enough.
func Shrink(seed uint64) []bool {
	v, _ := Run(seed, nil, false)
	if v == nil || v.Step > maxSteps { // a world that never ends is not the shorter for it
		return nil
	}
	skip := make([]bool, v.Step+1)
	for size, runs := max(v.Step/2, 1), 0; size > 0; size /= 2 {
		for from := v.Step; from > 0; from -= size { // what happened last matters most: the first goes last
			low := max(from-size+1, 1)
			if !slices.Contains(skip[low:from+1], false) {
				continue
			}
			if runs++; runs > shrinkRuns {
				return skip
			}
			less := slices.Clone(skip)
			for s := low; s <= from; s++ {
				less[s] = true
			}
			if again, _ := Run(seed, less, false); again != nil && again.Invariant == v.Invariant && again.Step <= v.Step {
				skip, v = less[:again.Step+1], again
			}
		}
	}
	return skip
}
