package pools

import (
	"cmp"
	"math"
	"math/bits"

	"github.com/leadroute/leadroute"
)

// Turn is a place in a pool's rotation: its whole memory, whatever the size of the pool.
//
// Think of each rep as a clock that ticks w times per unit of virtual time, evenly, w
// being the rep's weight. The rotation hands the lead to whoever ticks next after the
// last turn; ties go by rep id. In any window each rep's ticks differ from its share by
// less than one, so plain round robin (all weights alike) differs by at most one, and
// weighted by at most one unit of weight. A rep who is passed over loses the tick.
// All clocks tick together at every whole unit, so a turn is kept within one unit.
type Turn struct {
	Num int64           `json:"n,omitempty"` // virtual time Num/Den of the last turn, in (0, 1]
	Den int64           `json:"d,omitempty"`
	Rep leadroute.RepID `json:"r,omitempty"` // who had it
}

// weightUnit makes weights whole numbers of thousandths.
const weightUnit = 1000

// ticks is a weight as ticks per unit of virtual time: at least one, at most a million.
func ticks(weight float64) int64 {
	if weight == 0 || math.IsNaN(weight) {
		weight = 1
	}
	return int64(math.Round(min(max(weight*weightUnit, 1), 1e6)))
}

// next is the first tick of a clock of w ticks, belonging to rep, after turn t.
func (t Turn) next(w int64, rep leadroute.RepID) Turn {
	if t.Den == 0 {
		return Turn{Num: 1, Den: w, Rep: rep}
	}
	j := t.Num * w / t.Den // the last tick at or before the turn
	if j*t.Den == t.Num*w && rep > t.Rep && j > 0 {
		return Turn{Num: j, Den: w, Rep: rep} // ticks at the very turn, and comes later by id
	}
	return Turn{Num: j + 1, Den: w, Rep: rep}
}

// compare orders turns by time, then by rep.
func (t Turn) compare(u Turn) int {
	// t.Num/t.Den ? u.Num/u.Den without overflow: the factors are below 2^21, but let the code not depend on it.
	ah, al := bits.Mul64(uint64(t.Num), uint64(u.Den))
	bh, bl := bits.Mul64(uint64(u.Num), uint64(t.Den))
	if c := cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl)); c != 0 {
		return c
	}
	return cmp.Compare(t.Rep, u.Rep)
}

// wrap keeps the turn within one unit of virtual time.
func (t Turn) wrap() Turn {
	for t.Num > t.Den {
		t.Num -= t.Den
	}
	return t
}
