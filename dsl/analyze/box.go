package analyze

import (
	"cmp"
	"slices"

	"github.com/leadroute/leadroute/dsl/plan"
)

// box is a set of points: those whose cells lie in each side's set. Its sides are sorted
// by dimension; where it has none, any cell will do.
type box []side

type side struct {
	dim int
	in  cells
}

// and is what two boxes have in common; ok is false where that is nothing.
func (a box) and(b box) (both box, ok bool) {
	both = make(box, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i].dim < b[j].dim:
			both = append(both, a[i])
			i++
		case b[j].dim < a[i].dim:
			both = append(both, b[j])
			j++
		default:
			in := a[i].in.and(b[j].in)
			if len(in) == 0 {
				return nil, false
			}
			both = append(both, side{a[i].dim, in})
			i++
			j++
		}
	}
	return append(append(both, a[i:]...), b[j:]...), true
}

func (a box) overlaps(b box) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].dim < b[j].dim:
			i++
		case b[j].dim < a[i].dim:
			j++
		case !a[i].in.overlaps(b[j].in):
			return false
		default:
			i++
			j++
		}
	}
	return true
}

// within tells whether b has all of a.
func (a box) within(b box) bool {
	i := 0
	for _, s := range b {
		for i < len(a) && a[i].dim < s.dim {
			i++
		}
		if i == len(a) || a[i].dim != s.dim || !a[i].in.within(s.in) {
			return false
		}
	}
	return true
}

// maxBoxes bounds a condition's boxes. What has more is left out of the analysis.
const maxBoxes = 1024

// boxes is a union. ok is false when it is not known.
type boxes struct {
	list []box
	ok   bool
}

var (
	everything = boxes{[]box{{}}, true}
	nothing    = boxes{nil, true}
)

func union(a, b boxes) boxes {
	out := boxes{slices.Clone(a.list), a.ok && b.ok}
	for _, x := range b.list {
		out.add(x)
	}
	return out.bounded()
}

func product(a, b boxes) boxes {
	out := boxes{nil, a.ok && b.ok}
	if len(a.list)*len(b.list) > maxBoxes*maxBoxes {
		return boxes{}
	}
	for _, x := range a.list {
		for _, y := range b.list {
			if both, ok := x.and(y); ok {
				out.add(both)
			}
		}
		if len(out.list) > 4*maxBoxes {
			return boxes{}
		}
	}
	return out.bounded()
}

// add leaves out what is already in, and takes out what x has in it.
func (u *boxes) add(x box) {
	const few = 64 // with more, looking costs more than it saves
	if len(u.list) <= few {
		if slices.ContainsFunc(u.list, func(o box) bool { return x.within(o) }) {
			return
		}
		u.list = slices.DeleteFunc(u.list, func(o box) bool { return o.within(x) })
	}
	u.list = append(u.list, x)
}

func (u boxes) bounded() boxes {
	if !u.ok || len(u.list) > maxBoxes {
		return boxes{}
	}
	return u
}

// sense is a question about a condition. With a missing field a condition neither holds
// nor fails, so that there are four of them.
type sense uint8

const (
	holds sense = iota
	fails
	notHolds
	notFails
)

// swapped is the sense in which the condition below a ! is asked.
var swapped = [...]sense{holds: fails, fails: holds, notHolds: notFails, notFails: notHolds}

// of returns the points for which the condition is what the sense says.
func (s *space) of(c plan.Cond, is sense) boxes {
	all := is == holds || is == notFails // for && each part must be so; for || one of them
	switch c.Op {
	case plan.OpAlways, plan.OpNever:
		if (c.Op == plan.OpAlways) == all {
			return everything
		}
		return nothing
	case plan.OpNot:
		return s.of(c.Args[0], swapped[is])
	case plan.OpAnd, plan.OpOr:
		var out boxes
		for i, a := range c.Args {
			part := s.of(a, is)
			switch {
			case i == 0:
				out = part
			case (c.Op == plan.OpAnd) == all:
				out = product(out, part)
			default:
				out = union(out, part)
			}
		}
		return out
	case plan.OpAtom:
		t, f := s.atom(c.Atom)
		switch is {
		case holds:
			return t
		case fails:
			return f
		case notHolds:
			return s.complement(t)
		default:
			return s.complement(f)
		}
	default:
		return boxes{}
	}
}

// complement is all that a union leaves out.
func (s *space) complement(u boxes) boxes {
	out := boxes{everything.list, u.ok}
	for _, b := range u.list {
		escapes := boxes{nil, true}
		for _, sd := range b {
			if rest := s.dims[sd.dim].all.minus(sd.in); len(rest) > 0 {
				escapes.list = append(escapes.list, box{{sd.dim, rest}})
			}
		}
		out = product(out, escapes)
	}
	return out
}

// sides makes a box of sides in any order; nothing where a side is empty.
func sides(ss ...side) boxes {
	for _, s := range ss {
		if len(s.in) == 0 {
			return nothing
		}
	}
	slices.SortFunc(ss, func(a, b side) int { return cmp.Compare(a.dim, b.dim) })
	return boxes{[]box{ss}, true}
}
