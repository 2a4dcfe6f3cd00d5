package analyze

// cells is a set of a dimension's cells: spans in ascending order that neither touch nor
// overlap. A set is never changed.
type cells []span

// span are the cells lo to hi, both included.
type span struct{ lo, hi int32 }

func one(c int32) cells          { return cells{{c, c}} }
func between(lo, hi int32) cells { return cells{{lo, hi}} }

// of returns the set of cells, which are ascending.
func of(sorted []int32) cells {
	var s cells
	for _, c := range sorted {
		if n := len(s); n > 0 && s[n-1].hi >= c-1 {
			s[n-1].hi = c
			continue
		}
		s = append(s, span{c, c})
	}
	return s
}

func (a cells) has(c int32) bool {
	for _, s := range a {
		if s.lo <= c && c <= s.hi {
			return true
		}
	}
	return false
}

func (a cells) overlaps(b cells) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].hi < b[j].lo:
			i++
		case b[j].hi < a[i].lo:
			j++
		default:
			return true
		}
	}
	return false
}

// within tells whether b has all of a.
func (a cells) within(b cells) bool {
	j := 0
	for _, s := range a {
		for j < len(b) && b[j].hi < s.lo {
			j++
		}
		if j == len(b) || s.lo < b[j].lo || b[j].hi < s.hi {
			return false
		}
	}
	return true
}

func (a cells) and(b cells) cells {
	var out cells
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if lo, hi := max(a[i].lo, b[j].lo), min(a[i].hi, b[j].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if a[i].hi < b[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (a cells) minus(b cells) cells {
	var out cells
	j := 0
	for _, s := range a {
		lo := s.lo
		for j < len(b) && b[j].hi < lo {
			j++
		}
		for k := j; k < len(b) && b[k].lo <= s.hi; k++ {
			if lo < b[k].lo {
				out = append(out, span{lo, b[k].lo - 1})
			}
			lo = max(lo, b[k].hi+1)
		}
		if lo <= s.hi {
			out = append(out, span{lo, s.hi})
		}
	}
	return out
}
