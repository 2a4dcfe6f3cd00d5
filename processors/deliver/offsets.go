package deliver

// offsets keeps, for one partition, which records have been answered, and yields how
// far the partition may be committed: only past records whose predecessors are all
// answered, in whatever order the answers come.
type offsets struct {
	open   []int64 // read and not yet passed, in order
	done   map[int64]struct{}
	commit int64 // next offset to consume; -1: nothing answered yet
	dirty  bool  // commit has moved since it was last taken
}

func newOffsets() *offsets { return &offsets{done: map[int64]struct{}{}, commit: -1} }

// add notes a record that was read; offsets grow.
func (o *offsets) add(offset int64) { o.open = append(o.open, offset) }

// answer notes that a record is answered.
func (o *offsets) answer(offset int64) {
	if len(o.open) == 0 || offset < o.open[0] {
		return
	}
	o.done[offset] = struct{}{}
	n := 0
	for n < len(o.open) {
		if _, ok := o.done[o.open[n]]; !ok {
			break
		}
		delete(o.done, o.open[n])
		o.commit, o.dirty = o.open[n]+1, true
		n++
	}
	o.open = o.open[n:]
}

// take returns the offset to commit if it has moved since the last take.
func (o *offsets) take() (int64, bool) {
	moved := o.dirty
	o.dirty = false
	return o.commit, moved
}
