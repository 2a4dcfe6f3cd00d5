package analyze

import "math/bits"

// prefilter finds the covers that may overlap a box, without looking at each: of every
// dimension a bitmap of covers per cell. Sides that span many cells are left to the
// comparison itself.
type prefilter struct {
	n    int
	dims map[int]*dimBits
}

type dimBits struct {
	narrow bitmap // covers with a side here that spans few cells
	cells  map[int32]bitmap
}

type bitmap []uint64

func (b *bitmap) set(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func (b bitmap) word(i int) uint64 {
	if i < len(b) {
		return b[i]
	}
	return 0
}

// fewCells is how many cells a side may span to be worth its bits.
const fewCells = 64

func (a cells) count() int {
	n := 0
	for _, s := range a {
		n += int(s.hi-s.lo) + 1
	}
	return n
}

func (p *prefilter) add(b box) {
	if p.dims == nil {
		p.dims = map[int]*dimBits{}
	}
	for _, s := range b {
		if s.in.count() > fewCells {
			continue
		}
		d := p.dims[s.dim]
		if d == nil {
			d = &dimBits{cells: map[int32]bitmap{}}
			p.dims[s.dim] = d
		}
		d.narrow.set(p.n)
		for _, sp := range s.in {
			for c := sp.lo; c <= sp.hi; c++ {
				m := d.cells[c]
				m.set(p.n)
				d.cells[c] = m
			}
		}
	}
	p.n++
}

// overlapping returns the covers that have something of the box.
func (p *prefilter) overlapping(covers []cover, b box) []cover {
	type pick struct {
		d    *dimBits
		maps []bitmap
	}
	picks := make([]pick, 0, len(b))
	for _, s := range b {
		d := p.dims[s.dim]
		if d == nil || s.in.count() > fewCells {
			continue
		}
		k := pick{d: d}
		for _, sp := range s.in {
			for c := sp.lo; c <= sp.hi; c++ {
				if m := d.cells[c]; m != nil {
					k.maps = append(k.maps, m)
				}
			}
		}
		picks = append(picks, k)
	}
	var some []cover
	for w := 0; w*64 < len(covers); w++ {
		left := ^uint64(0)
		for _, k := range picks {
			ok := ^k.d.narrow.word(w)
			for _, m := range k.maps {
				ok |= m.word(w)
			}
			if left &= ok; left == 0 {
				break
			}
		}
		for ; left != 0; left &= left - 1 {
			i := w*64 + bits.TrailingZeros64(left)
			if i >= len(covers) {
				break
			}
			if covers[i].overlaps(b) {
				some = append(some, covers[i])
			}
		}
	}
	return some
}
