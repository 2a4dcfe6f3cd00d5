package pools

import (
	"cmp"
	"hash/fnv"
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
// weighted by at most one unit of weight, whenever each clock first ticks. A rep who is
// passed over loses the tick. Whoever joins or leaves moves nobody else's clock.
// All clocks repeat themselves at every whole unit, so a turn is kept within one unit.
type Turn struct {
	Num int64           `json:"n,omitempty"` // virtual time Num/Den of the last turn, in (0, 1]
	Den int64           `json:"d,omitempty"`
	Rep leadroute.RepID `json:"r,omitempty"` // who had it
}

const (
	// weightUnit makes weights whole numbers of thousandths.
	weightUnit = 1000
	// phases is how many parts of a tick a clock may be ahead of another.
	phases = 1 << 10
)

// clock ticks w times per unit of virtual time, first at f/phases of 1/w.
type clock struct {
	w, f int64
	rep  leadroute.RepID
}

// inStep is a clock that ticks when all others of its weight do, so that equals have
// turns in the order of their ids.
func inStep(w int64, rep leadroute.RepID) clock { return clock{w, phases, rep} }

// apart is a clock that ticks at a time of its own, by the rep's id: else reps of one
// weight would all have turns together, and one of ten times the weight ten in a row between.
func apart(w int64, rep leadroute.RepID) clock {
	h := fnv.New32a()
	_, _ = h.Write([]byte(rep))
	return clock{w, int64(h.Sum32()%phases) + 1, rep}
}

// ticks is a weight as ticks per unit of virtual time: at least one, at most a million.
func ticks(weight float64) int64 {
	if weight == 0 || math.IsNaN(weight) {
		weight = 1
	}
	return int64(math.Round(min(max(weight*weightUnit, 1), 1e6)))
}

// until counts the clock's ticks up to turn t, from the beginning of its unit. The
// products are below 2^62: w is below 2^20, and so is a turn's Den but for the phases.
func (c clock) until(t Turn) int64 {
	if t.Den == 0 {
		return 0
	}
	v := t.Num * c.w * phases
	n, rest := v/t.Den-c.f, v%t.Den
	if n < 0 {
		return 0
	}
	if rest == 0 && n%phases == 0 && c.rep > t.Rep {
		return n / phases // ticks at the very turn, and comes later by id
	}
	return n/phases + 1
}

// next is the clock's first tick after turn t.
func (c clock) next(t Turn) Turn {
	n := c.until(t)
	if c.f == phases {
		return Turn{Num: n + 1, Den: c.w, Rep: c.rep}
	}
	return Turn{Num: n*phases + c.f, Den: c.w * phases, Rep: c.rep}
}

// compare orders turns by time, then by rep.
func (t Turn) compare(u Turn) int {
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
