package stream

import (
	"sort"
	"sync"
)

// Partition names one partition of one topic, by its name on the broker.
type Partition struct {
	Topic     string
	Partition int32
}

// Offsets tells up to where the records of each partition may be committed when they
// finish in any order: an offset is covered only when every record handed out before it
// is done. The zero value is ready; all methods may be called concurrently.
type Offsets struct {
	mu    sync.Mutex
	parts map[Partition]*window
}

// Add notes that the record at offset was handed out. Offsets of a partition are added in
// ascending order; one that is not above the last takes the partition back to it (the
// consumer was rewound) and forgets what was handed out from there on.
func (o *Offsets) Add(p Partition, offset int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.parts[p]
	if w == nil {
		if o.parts == nil {
			o.parts = map[Partition]*window{}
		}
		w = &window{}
		o.parts[p] = w
	}
	w.add(offset)
}

// Done notes that the record at offset is finished. When that moves the partition's
// committable offset, it returns the new one, which is the offset of the next record to
// be read, and true. A second Done, or one for a record that was not handed out (or whose
// partition was forgotten since), changes nothing.
func (o *Offsets) Done(p Partition, offset int64) (next int64, moved bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.parts[p]
	if w == nil {
		return 0, false
	}
	return w.done(offset)
}

// Pending is the number of records handed out and not yet covered.
func (o *Offsets) Pending(p Partition) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.parts[p]; w != nil {
		return len(w.offsets) - w.head
	}
	return 0
}

// Forget drops a partition that is no longer ours.
func (o *Offsets) Forget(p Partition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.parts, p)
}

// window is one partition's records from the oldest unfinished one on.
type window struct {
	offsets []int64 // ascending; those before head are covered
	ready   []bool  // by index of offsets
	head    int
}

func (w *window) add(offset int64) {
	if i := w.find(offset); i < len(w.offsets) {
		w.offsets, w.ready = w.offsets[:i], w.ready[:i]
	}
	if w.head > 64 && w.head > len(w.offsets)/2 { // amortised: each entry moves at most once
		n := copy(w.offsets, w.offsets[w.head:])
		copy(w.ready, w.ready[w.head:])
		w.offsets, w.ready, w.head = w.offsets[:n], w.ready[:n], 0
	}
	w.offsets = append(w.offsets, offset)
	w.ready = append(w.ready, false)
}

func (w *window) done(offset int64) (next int64, moved bool) {
	i := w.find(offset)
	if i == len(w.offsets) || w.offsets[i] != offset || w.ready[i] {
		return 0, false
	}
	w.ready[i] = true
	for w.head < len(w.offsets) && w.ready[w.head] {
		next, moved = w.offsets[w.head]+1, true
		w.head++
	}
	return next, moved
}

// find returns the index of the first uncovered entry not below offset.
func (w *window) find(offset int64) int {
	n := len(w.offsets) - w.head
	if n == 0 {
		return len(w.offsets)
	}
	// Offsets without gaps, the usual case, need no search.
	if d := offset - w.offsets[w.head]; d >= 0 && d < int64(n) && w.offsets[w.head+int(d)] == offset {
		return w.head + int(d)
	}
	return w.head + sort.Search(n, func(i int) bool { return w.offsets[w.head+i] >= offset })
}
