package company

// chains is a multimap from hashes to small numbers in three words a record: a Go map of
// slices would take several times as much.
type chains struct {
	heads []uint32 // by the hash's low bits: a record's index, from 1
	recs  []record
	free  uint32 // of the records given back the last, from 1
	live  int
	// packed is how many records lie in the order of their chains, which makes one look into
	// memory of many; those that came since stand behind them.
	packed int
	// most, if set, is how many values of one hash are worth looking at; crowds counts those
	// of the hashes that have more.
	most   int
	crowds map[uint32]int
}

type record struct {
	hash, value, next uint32
}

const firstHeads = 1 << 10

func (c *chains) add(hash, value uint32) {
	if c.live >= len(c.heads) {
		c.pack(max(2*len(c.heads), firstHeads))
	} else if len(c.recs) > c.packed+c.packed/8+firstHeads {
		c.pack(len(c.heads))
	}
	c.crowd(hash, 1)
	head := &c.heads[hash&uint32(len(c.heads)-1)] //nolint:gosec // at most 2^32
	r := record{hash, value, *head}
	if c.free != 0 {
		i := c.free
		c.free = c.recs[i-1].next
		c.recs[i-1] = r
		*head = i
	} else {
		c.recs = append(c.recs, r)
		*head = uint32(len(c.recs)) //nolint:gosec // at most 2^32
	}
	c.live++
}

// pack makes so many chains, and lays the records of each side by side.
func (c *chains) pack(chains int) {
	heads := make([]uint32, chains)
	mask := uint32(chains - 1) //nolint:gosec // at most 2^32
	for _, head := range c.heads {
		for head != 0 {
			r := &c.recs[head-1]
			next := r.next
			r.next, heads[r.hash&mask] = heads[r.hash&mask], head
			head = next
		}
	}
	recs := make([]record, 0, c.live+c.live/8+firstHeads+1)
	for i, head := range heads {
		if head == 0 {
			continue
		}
		heads[i] = uint32(len(recs) + 1) //nolint:gosec // at most 2^32
		for head != 0 {
			r := c.recs[head-1]
			head = r.next
			if r.next = uint32(len(recs) + 2); head == 0 { //nolint:gosec // at most 2^32
				r.next = 0
			}
			recs = append(recs, r)
		}
	}
	c.heads, c.recs, c.free, c.packed = heads, recs, 0, len(recs)
}

// remove takes one record out, if it is there.
func (c *chains) remove(hash, value uint32) {
	if len(c.heads) == 0 {
		return
	}
	at := &c.heads[hash&uint32(len(c.heads)-1)] //nolint:gosec // at most 2^32
	for *at != 0 {
		i := *at
		r := &c.recs[i-1]
		if r.hash == hash && r.value == value {
			*at = r.next
			*r = record{next: c.free}
			c.free = i
			c.live--
			c.crowd(hash, -1)
			return
		}
		at = &r.next
	}
}

// crowd counts one more (before it is added) or one less (after it was taken out).
func (c *chains) crowd(hash uint32, more int) {
	if c.most == 0 {
		return
	}
	if n, ok := c.crowds[hash]; ok {
		if n += more; n > c.most {
			c.crowds[hash] = n
		} else {
			delete(c.crowds, hash)
		}
		return
	}
	if more < 0 {
		return
	}
	n := 1
	c.each(hash, func(uint32) bool { n++; return true })
	if n > c.most {
		if c.crowds == nil {
			c.crowds = map[uint32]int{}
		}
		c.crowds[hash] = n
	}
}

// crowded tells of a hash that has so many values that they say nothing.
func (c *chains) crowded(hash uint32) bool { _, ok := c.crowds[hash]; return ok }

// each calls yield for the values of a hash until it returns false.
func (c *chains) each(hash uint32, yield func(value uint32) bool) {
	if len(c.heads) == 0 {
		return
	}
	for i := c.heads[hash&uint32(len(c.heads)-1)]; i != 0; { //nolint:gosec // at most 2^32
		r := &c.recs[i-1]
		if r.hash == hash && !yield(r.value) {
			return
		}
		i = r.next
	}
}
