package plan

import (
	"math/bits"
	"slices"
)

// index finds the first of a list of conditions that holds without asking each. Every
// condition is one or more rows, each a conjunction of tests, in the author's order. Per
// field that is tested there is a column: for each value that the tests tell apart, a
// bitmap of the rows that the value does not exclude. A lookup ANDs, word by word, one
// bitmap of each column, and stops at the first row left whose residual holds: the tests
// that are no function of one field alone.
//
// The closures stay the reference: FuzzIndex holds the two against each other.
type index struct {
	words    int                  // of one bitmap
	bits     []uint64             // all bitmaps, one behind the other
	of       []int32              // the condition that a row belongs to
	residual []func(*Record) bool // nil: nothing is left to ask
	columns  []column             // the most selective first
	wide     []column             // whose bitmap is put together from several
}

// bounds keep an index small. What does not fit is asked of the closures.
type bounds struct {
	column     int // words of a column's bitmaps; above it, lists of rows
	listed     int // rows in a column's lists
	thresholds int // of a number column; between them the closures decide
}

// usual are the bounds of every plan but the tests'; a column may take 1 MB.
var usual = bounds{column: 1 << 17, listed: 1 << 20, thresholds: 255}

const (
	maxRows = 64 // of one condition
	linear  = 4  // conditions up to which asking each is faster
)

// newIndex indexes the conditions, nil for one that never holds; asked, where not nil, is
// what else has to hold. It is nil where an index would not help.
func newIndex(conds []*Cond, most bounds, asked func(i int) func(*Record) bool) *index {
	if len(conds) <= linear {
		return nil
	}
	b := builder{bounds: most, columns: map[Slot]*building{}}
	for i, c := range conds {
		if c != nil {
			b.add(i, c, asked(i))
		}
	}
	return b.build()
}

// Seal makes Decide fast: it indexes the territories and the rules as they are now. Whoever
// builds the plan calls it last; a plan that was not sealed decides the same, one condition
// after the other.
func (p *Plan) Seal() { p.seal(usual) }

func (p *Plan) seal(most bounds) {
	territories := make([]*Cond, len(p.Territories))
	for i := range p.Territories {
		territories[i] = &p.Territories[i].When
	}
	p.territories = newIndex(territories, most, func(int) func(*Record) bool { return nil })
	rules := make([]*Cond, len(p.Rules))
	for i := range p.Rules {
		if rule := &p.Rules[i]; !rule.Disabled {
			rules[i] = &rule.When
		}
	}
	for i := range p.Rules {
		p.Rules[i].fix()
	}
	p.rules = newIndex(rules, most, func(i int) func(*Record) bool {
		rule := &p.Rules[i]
		if !rule.Dated() {
			return nil
		}
		return func(r *Record) bool { return rule.InForce(r.at) }
	})
}

// scratch is what a lookup remembers, kept in the record.
type scratch struct {
	at      []int32 // of each column the bitmap that the lead's value chose; -1: not asked for yet
	wide    []span
	sources []source
}

// span is the sources of a wide column; end 0: not asked for yet.
type span struct{ base, start, end int32 }

// source is one part of a wide column's bitmap: a bitmap, or the rows themselves.
type source struct {
	at  int32
	ids []uint32
}

// first returns the first condition that holds, or -1.
func (x *index) first(r *Record) int {
	s := &r.scratch
	if cap(s.at) < len(x.columns) {
		s.at = make([]int32, len(x.columns))
	}
	at := s.at[:len(x.columns)]
	for i := range at {
		at[i] = -1
	}
	if cap(s.wide) < len(x.wide) {
		s.wide = make([]span, len(x.wide))
	}
	wide := s.wide[:len(x.wide)]
	clear(wide)
	s.sources = s.sources[:0]

	all := x.bits
	for w := range x.words {
		left := all[w] // the first bitmap is of all rows
		for i, off := range at {
			if off < 0 {
				c := &x.columns[i]
				if left&^all[int(c.free)+w] == 0 {
					continue // no row that is left tests this field
				}
				off = c.choose(r)
				at[i] = off
			}
			if left &= all[int(off)+w]; left == 0 {
				break
			}
		}
		for i := range wide {
			if left == 0 {
				break
			}
			left &= x.wideWord(r, s, i, w, left)
		}
		for ; left != 0; left &= left - 1 {
			row := w<<6 | bits.TrailingZeros64(left)
			if f := x.residual[row]; f == nil || f(r) {
				return int(x.of[row])
			}
		}
	}
	return -1
}

// wideWord is a word of wide column i.
func (x *index) wideWord(r *Record, s *scratch, i, w int, left uint64) uint64 {
	c, sp := &x.wide[i], &s.wide[i]
	if sp.end == 0 {
		if left&^x.bits[int(c.free)+w] == 0 {
			return left
		}
		sp.base, sp.start = c.gather(r, s)
		sp.end = int32(len(s.sources)) + 1
	}
	word := x.bits[int(sp.base)+w]
	for k := sp.start; k < sp.end-1; k++ {
		from := &s.sources[k]
		if from.ids == nil {
			word |= x.bits[int(from.at)+w]
			continue
		}
		for len(from.ids) > 0 && int(from.ids[0]>>6) <= w {
			if int(from.ids[0]>>6) == w {
				word |= 1 << (from.ids[0] & 63)
			}
			from.ids = from.ids[1:]
		}
	}
	return word
}

// column is what one field's values exclude. The numbers are places of bitmaps.
type column struct {
	slot    Slot
	free    int32 // rows that do not test the field
	missing int32
	present int32 // any value that no test names; of a bool: false
	yes     int32 // of a bool: true
	words   int32

	few        []string // the values of a text, where they are few
	values     map[string]source
	places     []int32   // of few
	thresholds []float64 // of a number: below, at and above each stand bitmaps from present on
}

// choose returns the bitmap of the lead's value.
func (c *column) choose(r *Record) int32 {
	switch c.slot.Type {
	case TypeNumber:
		v := r.nums[c.slot.index]
		if missingNumber(v) {
			return c.missing
		}
		lo, hi := 0, len(c.thresholds)
		for lo < hi {
			if m := int(uint(lo+hi) >> 1); c.thresholds[m] < v {
				lo = m + 1
			} else {
				hi = m
			}
		}
		p := int32(2 * lo)
		if lo < len(c.thresholds) && c.thresholds[lo] == v {
			p++
		}
		return c.present + p*c.words
	case TypeBool:
		switch r.bools[c.slot.index] {
		case triTrue:
			return c.yes
		case triFalse:
			return c.present
		default:
			return c.missing
		}
	default:
		v := r.strs[c.slot.index]
		if v == "" {
			return c.missing
		}
		if c.values != nil {
			if s, ok := c.values[v]; ok {
				return s.at
			}
			return c.present
		}
		for i, k := range c.few {
			if k == v {
				return c.places[i]
			}
		}
		return c.present
	}
}

// gather notes what a wide column's bitmap is put together from.
func (c *column) gather(r *Record, s *scratch) (base, start int32) {
	start = int32(len(s.sources))
	if c.slot.Type != TypeList {
		v := r.strs[c.slot.index]
		if v == "" {
			return c.missing, start
		}
		if from, ok := c.values[v]; ok {
			s.sources = append(s.sources, from)
		}
		return c.present, start
	}
	list := r.lists[c.slot.index]
	if list == nil {
		return c.missing, start
	}
	for i, v := range list {
		if i < 64 && slices.Contains(list[:i], v) {
			continue
		}
		if from, ok := c.values[v]; ok {
			s.sources = append(s.sources, from)
		}
	}
	return c.present, start
}
