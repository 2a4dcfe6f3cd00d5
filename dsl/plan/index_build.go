package plan

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
)

// literal is an atom that has to be definitely true, or, negated, definitely false.
type literal struct {
	cond    *Cond
	negated bool
}

func (l literal) holds() func(*Record) bool {
	t, f := sides(*l.cond)
	if l.negated {
		return f
	}
	return t
}

// rows is a condition's disjunctive form: one of the conjunctions holds exactly when the
// condition (negated: its failing) does. A part that would make it too large stays whole.
func rows(c *Cond, negated bool) [][]literal {
	op := c.Op
	if negated && op == OpAnd {
		op = OpOr
	} else if negated && op == OpOr {
		op = OpAnd
	}
	whole := [][]literal{{{c, negated}}}
	switch op {
	case OpAlways:
		if c.True == nil && !negated {
			return [][]literal{nil}
		}
		return whole
	case OpNot:
		return rows(&c.Args[0], !negated)
	case OpOr:
		var out [][]literal
		for i := range c.Args {
			if out = append(out, rows(&c.Args[i], negated)...); len(out) > maxRows {
				return whole
			}
		}
		return out
	case OpAnd:
		out := [][]literal{nil}
		for i := range c.Args {
			arg := rows(&c.Args[i], negated)
			if len(out)*len(arg) > maxRows {
				arg = [][]literal{{{&c.Args[i], negated}}}
			}
			var product [][]literal
			for _, a := range out {
				for _, b := range arg {
					product = append(product, slices.Concat(a, b))
				}
			}
			out = product
		}
		return out
	default:
		return whole
	}
}

// builder puts an index together.
type builder struct {
	bounds
	of       []int32
	residual [][]func(*Record) bool // of each row
	columns  map[Slot]*building
	order    []*building
	x        *index
}

// building is a column before its bitmaps: the tests of each row that has any.
type building struct {
	slot  Slot
	rows  []int
	tests [][]literal
}

func (b *builder) add(i int, c *Cond, also func(*Record) bool) {
	for _, row := range rows(c, false) {
		n := len(b.of)
		b.of = append(b.of, int32(i))
		b.residual = append(b.residual, nil)
		if also != nil {
			b.ask(n, also)
		}
		for _, l := range row {
			if !l.indexable() {
				b.ask(n, l.holds())
				continue
			}
			slot := l.cond.Atom.reads
			col := b.columns[slot]
			if col == nil {
				col = &building{slot: slot}
				b.columns[slot] = col
				b.order = append(b.order, col)
			}
			if k := len(col.rows); k > 0 && col.rows[k-1] == n {
				col.tests[k-1] = append(col.tests[k-1], l)
				continue
			}
			col.rows, col.tests = append(col.rows, n), append(col.tests, []literal{l})
		}
	}
}

func (b *builder) ask(row int, f func(*Record) bool) { b.residual[row] = append(b.residual[row], f) }

// indexable reports whether the atom depends on one field's value alone, in a way that
// the columns know.
func (l literal) indexable() bool {
	a := l.cond.Atom
	if l.cond.Op != OpAtom || a.reads.Type == "" {
		return false
	}
	switch a.Test {
	case "has":
		return true
	case "==", "!=", "one_of", "<", "<=", ">", ">=", "between":
		switch a.reads.Type {
		case TypeBool:
			return true
		case TypeNumber:
			return len(a.Numbers) > 0 && !slices.ContainsFunc(a.Numbers, func(v float64) bool { return v-v != 0 }) // NaN and the infinities
		default:
			return len(a.Texts) > 0 && !slices.Contains(a.Texts, "")
		}
	case "contains":
		return a.reads.Type == TypeList && len(a.Texts) == 1 && a.Texts[0] != ""
	default:
		return false
	}
}

func (b *builder) build() *index {
	x := &index{words: (len(b.of) + 63) / 64, of: b.of}
	b.x = x
	all := b.bitmap(-1)
	for i := range b.of {
		b.set(all, i)
	}
	for _, c := range b.order {
		b.column(c)
	}
	x.residual = make([]func(*Record) bool, len(b.of))
	for i, fs := range b.residual {
		switch len(fs) {
		case 0:
		case 1:
			x.residual[i] = fs[0]
		default:
			x.residual[i] = every(fs)
		}
	}
	// The column that leaves the fewest rows to a value that nobody named goes first.
	selective := func(p, q column) int { return cmp.Compare(b.count(p.free), b.count(q.free)) }
	slices.SortStableFunc(x.columns, selective)
	slices.SortStableFunc(x.wide, selective)
	x.bits = slices.Clip(x.bits)
	return x
}

// bitmap makes a bitmap, a copy of another one unless that is -1.
func (b *builder) bitmap(of int32) int32 {
	at := len(b.x.bits)
	b.x.bits = slices.Grow(b.x.bits, b.x.words)[:at+b.x.words]
	if of < 0 {
		clear(b.x.bits[at:])
	} else {
		copy(b.x.bits[at:], b.x.bits[of:int(of)+b.x.words])
	}
	return int32(at)
}

func (b *builder) set(at int32, row int)   { b.x.bits[int(at)+row>>6] |= 1 << (row & 63) }
func (b *builder) unset(at int32, row int) { b.x.bits[int(at)+row>>6] &^= 1 << (row & 63) }

func (b *builder) count(at int32) int {
	n := 0
	for _, w := range b.x.bits[at : int(at)+b.x.words] {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b *builder) column(from *building) {
	c := column{slot: from.slot, words: int32(b.x.words)}
	c.free = b.bitmap(0)
	for _, row := range from.rows {
		b.unset(c.free, row)
	}
	c.missing, c.present = b.bitmap(c.free), b.bitmap(c.free)
	switch from.slot.Type {
	case TypeBool:
		b.bools(&c, from)
	case TypeNumber:
		b.numbers(&c, from)
	case TypeList:
		b.lists(&c, from)
		return
	default:
		if b.texts(&c, from) {
			b.x.wide = append(b.x.wide, c)
			return
		}
	}
	b.x.columns = append(b.x.columns, c)
}

func (b *builder) bools(c *column, from *building) {
	c.yes = b.bitmap(c.free)
	for i, row := range from.rows {
		can := [3]bool{true, true, true} // missing, false, true
		for _, l := range from.tests[i] {
			has := l.cond.Atom.Test == "has"
			can[0] = can[0] && has && l.negated
			can[triFalse] = can[triFalse] && has != l.negated
			can[triTrue] = can[triTrue] && !l.negated
		}
		for v, at := range [...]int32{c.missing, c.present, c.yes} {
			if can[v] {
				b.set(at, row)
			}
		}
	}
}

// accepted is what a row's tests of a text leave.
type accepted struct {
	missing, present bool
	only             []string // of the present ones; nil: all but those
	but              []string
}

func accept(tests []literal) accepted {
	a := accepted{missing: true, present: true}
	for _, l := range tests {
		at := l.cond.Atom
		if at.Test == "has" {
			a.missing, a.present = a.missing && l.negated, a.present && !l.negated
			continue
		}
		a.missing = false
		if (at.Test == "!=") != l.negated {
			a.but = append(a.but, at.Texts...)
			continue
		}
		if a.only == nil {
			a.only = slices.Clone(at.Texts)
			continue
		}
		a.only = slices.DeleteFunc(a.only, func(s string) bool { return !slices.Contains(at.Texts, s) })
	}
	if a.only != nil {
		a.only = slices.DeleteFunc(a.only, func(s string) bool { return slices.Contains(a.but, s) })
	}
	return a
}

// texts builds a text's column and reports whether it has so many values that it lists rows.
func (b *builder) texts(c *column, from *building) (wide bool) {
	accepts := make([]accepted, len(from.rows))
	names := map[string]struct{}{}
	for i := range from.rows {
		a := accept(from.tests[i])
		accepts[i] = a
		for _, s := range slices.Concat(a.only, a.but) {
			names[s] = struct{}{}
		}
		if a.missing {
			b.set(c.missing, from.rows[i])
		}
		if a.present && a.only == nil {
			b.set(c.present, from.rows[i])
		}
	}
	c.values = make(map[string]source, len(names))
	if len(names)*b.x.words > b.bounds.column {
		b.listRows(c, from, accepts)
		return true
	}
	for _, s := range slices.Sorted(maps.Keys(names)) {
		c.values[s] = source{at: b.bitmap(c.present)}
	}
	for i, row := range from.rows {
		a := &accepts[i]
		switch {
		case !a.present:
		case a.only != nil:
			for _, s := range a.only {
				b.set(c.values[s].at, row)
			}
		default:
			for _, s := range a.but {
				b.unset(c.values[s].at, row)
			}
		}
	}
	if len(names) <= 8 { // comparing is faster than hashing
		for s, from := range c.values {
			c.few, c.places = append(c.few, s), append(c.places, from.at)
		}
		c.values = nil
	}
	return false
}

func (b *builder) listRows(c *column, from *building, accepts []accepted) {
	n := 0
	for i, row := range from.rows {
		a := &accepts[i]
		switch {
		case !a.present:
		case a.only == nil:
			if len(a.but) > 0 {
				b.askAll(row, from.tests[i])
			}
		case n+len(a.only) > b.listed:
			b.askAll(row, from.tests[i])
			b.set(c.present, row)
		default:
			n += len(a.only)
			b.list(c, a.only, row)
		}
	}
}

// list notes the row under each of the values, once.
func (b *builder) list(c *column, values []string, row int) {
	for _, s := range values {
		ids := c.values[s].ids
		if k := len(ids); k == 0 || ids[k-1] != uint32(row) {
			c.values[s] = source{ids: append(ids, uint32(row))}
		}
	}
}

func (b *builder) askAll(row int, tests []literal) {
	for _, l := range tests {
		b.ask(row, l.holds())
	}
}

// lists builds a list's column: a row stands under one element that it needs.
func (b *builder) lists(c *column, from *building) {
	c.values = map[string]source{}
	for i, row := range from.rows {
		missing, present, key := true, true, ""
		for _, l := range from.tests[i] {
			switch has := l.cond.Atom.Test == "has"; {
			case has && l.negated:
				present = false
			case has:
				missing = false
			case !l.negated && key == "":
				missing, key = false, l.cond.Atom.Texts[0]
			default:
				missing = false
				b.ask(row, l.holds())
			}
		}
		if missing {
			b.set(c.missing, row)
		}
		switch {
		case !present:
		case key == "":
			b.set(c.present, row)
		default:
			b.list(c, []string{key}, row)
		}
	}
	if len(c.values)*b.x.words <= b.bounds.column {
		for _, s := range slices.Sorted(maps.Keys(c.values)) {
			at := b.bitmap(-1)
			for _, row := range c.values[s].ids {
				b.set(at, int(row))
			}
			c.values[s] = source{at: at}
		}
	}
	b.x.wide = append(b.x.wide, *c)
}

// numbers builds a number's column. Where there are too many thresholds only some are
// kept, and a row whose own are not all among them is asked by its closures as well.
func (b *builder) numbers(c *column, from *building) {
	var all []float64
	for _, tests := range from.tests {
		for _, l := range tests {
			all = append(all, l.cond.Atom.Numbers...)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	most := min(b.thresholds, max(2, b.bounds.column/2/b.x.words))
	kept := all
	if step := (len(all) + most - 1) / most; step > 1 {
		kept = nil
		for i := step / 2; i < len(all); i += step {
			kept = append(kept, all[i])
		}
	}
	c.thresholds = slices.Clone(kept)
	// present has been made: it is the place below the first threshold.
	for range 2 * len(kept) {
		b.bitmap(c.free)
	}
	for i, row := range from.rows {
		tests := from.tests[i]
		missing := true
		for _, l := range tests {
			missing = missing && l.cond.Atom.Test == "has" && l.negated
			for _, v := range l.cond.Atom.Numbers {
				if _, exact := slices.BinarySearch(kept, v); !exact {
					b.ask(row, l.holds())
					break
				}
			}
		}
		if missing {
			b.set(c.missing, row)
		}
		for p := range 2*len(kept) + 1 {
			lo, hi := math.Inf(-1), math.Inf(1)
			if p%2 == 1 {
				lo, hi = kept[p/2], kept[p/2]
			} else {
				if p > 0 {
					lo = kept[p/2-1]
				}
				if p/2 < len(kept) {
					hi = kept[p/2]
				}
			}
			if !slices.ContainsFunc(tests, func(l literal) bool { return !l.may(lo, hi) }) {
				b.set(c.present+int32(p)*c.words, row)
			}
		}
	}
}

// may reports whether the test can hold for a number between lo and hi, both exclusive,
// or for lo itself where they are the same.
func (l literal) may(lo, hi float64) bool {
	a := l.cond.Atom
	test := a.Test
	if l.negated {
		test = opposites[test]
	}
	point := lo == hi
	switch n := a.Numbers; test {
	case "has":
		return true
	case "<":
		return lo < n[0]
	case "<=":
		return lo < n[0] || point && lo == n[0]
	case ">":
		return hi > n[0]
	case ">=":
		return hi > n[0] || point && lo == n[0]
	case "between":
		if point {
			return n[0] <= lo && lo <= n[1]
		}
		return n[0] <= n[1] && n[0] < hi && n[1] > lo
	case "outside":
		return lo < n[0] || hi > n[1]
	case "==", "one_of":
		return slices.ContainsFunc(n, func(v float64) bool { return lo < v && v < hi || point && v == lo })
	case "!=":
		return !point || !slices.Contains(n, lo)
	default: // the opposite of has
		return false
	}
}

var opposites = map[string]string{
	"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==", "one_of": "!=", "between": "outside",
}
