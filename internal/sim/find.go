package sim

import (
	"runtime"
	"sync"
)

// Find runs n seeds from first on, on all cores, and returns the first of them that fails,
// with what it violates; nil if none does.
func Find(first uint64, n int) (uint64, *Violation) {
	var mu sync.Mutex
	var bad *Violation
	next, failed := first, first
	take := func() (seed uint64, more bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == first+uint64(n) || bad != nil { //nolint:gosec // a count
			return 0, false
		}
		next++
		return next - 1, true
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed, more := take(); more; seed, more = take() {
				v, _ := Run(Case{Seed: seed}, false)
				mu.Lock()
				if v != nil && (bad == nil || seed < failed) { // those before it are being run still
					bad, failed = v, seed
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed, bad
}
