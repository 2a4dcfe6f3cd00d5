package stream

import "sync"

// Turns let what is about the same key go one after the other, in the order in which it
// took its turn, while all else goes side by side. The zero Turns is ready.
type Turns[K comparable] struct {
	mu   sync.Mutex
	last map[K]chan struct{} // closed when the last one that took a turn is over
}

// Take takes a turn: what takes it goes on when wait is closed, and calls over, once, when
// the next one may.
func (t *Turns[K]) Take(key K) (wait <-chan struct{}, over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[K]chan struct{}{}
	}
	before, mine := t.last[key], make(chan struct{})
	t.last[key] = mine
	if before == nil {
		before = make(chan struct{})
		close(before)
	}
	return before, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		close(mine)
		if t.last[key] == mine {
			delete(t.last, key)
		}
	}
}
