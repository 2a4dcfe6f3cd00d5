package analyze

import "slices"

// search looks for a point that no cover has in it. It is the satisfiability search by
// propagation and branching, over cells in place of truth values: a cover is a clause
// that says "leave me on one of my sides".
type search struct {
	space *space
	dom   []cells // what is left of each dimension
	trail []undo
	steps int // left; the search gives up at 0
	// used are the covers that left a domain smaller or empty: a proof is made of these.
	used map[int]bool
}

type undo struct {
	dim int
	was cells
}

// cover is a box that takes its points, and whose it is.
type cover struct {
	box
	owner int
}

// answer is what a search came to.
type answer uint8

const (
	none    answer = iota // it is proved that there is no point
	found                 // every point of what is left of the domains will do
	unknown               // it gave up
)

// maxSteps bounds one search, in covers looked at: about a tenth of a second.
const maxSteps = 4 << 20

func (s *space) search() *search {
	q := &search{space: s, dom: make([]cells, len(s.dims)), used: map[int]bool{}}
	for i := range s.dims {
		q.dom[i] = s.dims[i].all
	}
	return q
}

// point looks inside a box, and leaves the domains as they are when it finds something.
func (q *search) point(in box, covers []cover) answer {
	q.reset()
	q.steps = maxSteps
	for _, s := range in {
		rest := q.dom[s.dim].and(s.in)
		if len(rest) == 0 {
			return none
		}
		q.set(s.dim, rest)
	}
	return q.solve(covers)
}

func (q *search) reset() {
	q.back(0)
	clear(q.used)
}

func (q *search) set(dim int, to cells) {
	q.trail = append(q.trail, undo{dim, q.dom[dim]})
	q.dom[dim] = to
}

func (q *search) back(mark int) {
	for i := len(q.trail) - 1; i >= mark; i-- {
		q.dom[q.trail[i].dim] = q.trail[i].was
	}
	q.trail = q.trail[:mark]
}

func (q *search) solve(covers []cover) answer {
	mark := len(q.trail)
	var best cover
	for again := true; again; {
		again = false
		bestOpen := 0
		left := make([]cover, 0, len(covers))
		if q.steps -= len(covers) + 1; q.steps < 0 {
			q.back(mark)
			return unknown
		}
		for _, c := range covers {
			open, way := q.ways(c.box)
			switch open {
			case -1:
			case 0:
				q.used[c.owner] = true
				q.back(mark)
				return none
			case 1:
				q.used[c.owner] = true
				q.set(way.dim, q.dom[way.dim].minus(way.in))
				again = true
			default:
				left = append(left, c)
				if bestOpen == 0 || open < bestOpen {
					best, bestOpen = c, open
				}
			}
		}
		covers = left
	}
	if len(covers) == 0 {
		return found
	}
	q.used[best.owner] = true
	for _, s := range q.order(best.box, covers) {
		dom := q.dom[s.dim]
		out := dom.minus(s.in)
		if len(out) == 0 {
			continue
		}
		inner := len(q.trail)
		q.set(s.dim, out)
		if got := q.solve(covers); got != none {
			if got == unknown {
				q.back(mark)
			}
			return got
		}
		q.back(inner)
		q.set(s.dim, dom.and(s.in))
	}
	q.back(mark)
	return none
}

// ways counts the sides on which the domains can leave the box, -1 when they have left
// it; way is one of them.
func (q *search) ways(b box) (open int, way side) {
	for _, s := range b {
		dom := q.dom[s.dim]
		if !dom.overlaps(s.in) {
			return -1, side{}
		}
		if !dom.within(s.in) {
			open++
			way = s
		}
	}
	return open, way
}

// order puts the side first that leaves the most covers at once.
func (q *search) order(b box, covers []cover) box {
	const sample = 256
	left := make([]int, len(b))
	q.steps -= len(b) * min(len(covers), sample)
	for _, c := range covers[:min(len(covers), sample)] {
		for _, s := range c.box {
			if i := slices.IndexFunc(b, func(o side) bool { return o.dim == s.dim }); i >= 0 {
				if !q.dom[s.dim].minus(b[i].in).overlaps(s.in) {
					left[i]++
				}
			}
		}
	}
	sorted := slices.Clone(b)
	rank := make(map[int]int, len(b))
	for i, s := range b {
		rank[s.dim] = left[i]
	}
	slices.SortStableFunc(sorted, func(x, y side) int { return rank[y.dim] - rank[x.dim] })
	return sorted
}
