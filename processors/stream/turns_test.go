package stream

import (
	"slices"
	"sync"
	"testing"
)

func TestTurnsAreTakenInOrder(t *testing.T) {
	var turns Turns[string]
	var mu sync.Mutex
	done := map[string][]int{}
	var all sync.WaitGroup
	for i := range 100 {
		key := []string{"a", "b", "c"}[i%3]
		wait, over := turns.Take(key)
		all.Go(func() {
			defer over()
			<-wait
			mu.Lock()
			defer mu.Unlock()
			done[key] = append(done[key], i)
		})
	}
	all.Wait()
	for key, order := range done {
		if !slices.IsSorted(order) {
			t.Errorf("%s went in the order %v", key, order)
		}
	}
	if len(turns.last) != 0 {
		t.Errorf("%d keys are remembered after all is over", len(turns.last))
	}
	// One key's turn holds up no other's.
	_, overA := turns.Take("a")
	waitB, overB := turns.Take("b")
	<-waitB
	overB()
	overA()
}
