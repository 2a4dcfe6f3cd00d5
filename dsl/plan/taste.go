package plan

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// PoolTaste is what a pool wants of a rep for a lead, beyond membership.
type PoolTaste struct {
	Require *PairCond // a rep for whom it does not hold is no candidate; nil: none
	Prefer  *PairCond // those for whom it holds go first; nil: none
	// CatchUp is how many turns a rep who comes back makes up for.
	CatchUp CatchUp
	Ramp    Ramp
	// MinPresent is how many members must be there, free or not, for the pool to give out a lead.
	MinPresent int
	Model      *Model  // of best_fit: ranks the reps; nil: prefer and what they hold do
	Explore    float64 // of best_fit: the share of leads that are given out evenly, to learn
	// Notify are the channels by which, of strategy claim, each rep is told that a lead is
	// open to claim, and that it is gone.
	Notify []string
	// Cost is how many of the places that Caps.Open gives a rep one lead of the class takes; nil: 1 each.
	Cost map[leadroute.Class]int
}

// CatchUp says what becomes of the turns that a rep missed while away: off shift, not
// available, or full. It is for strategies with turns.
type CatchUp string

// The ways of catching up; the zero value is CatchUpNone. With CatchUpAverage the rep comes
// back with the pool's average of the round under way: its turn is kept, if it has passed,
// and those of earlier rounds are lost. With CatchUpFull up to ten turns are made up for. A
// lead that makes up for one is never the second in a row to the rep, nor out of turn twice
// in a row.
const (
	CatchUpNone    CatchUp = "none"
	CatchUpAverage CatchUp = "average"
	CatchUpFull    CatchUp = "full"
)

// Ramp lets a new rep's share grow from From to all of it over Weeks; the zero value is none.
type Ramp struct {
	Weeks int
	From  float64
}

// Share is a rep's share of a full one at that time: it grows day by day (in UTC), evenly,
// from From to 1 over the weeks since the day on which the rep started, and is 1 where
// there is no ramp or nobody knows the day.
func (r Ramp) Share(startedOn string, at leadroute.Millis) float64 {
	if r.Weeks == 0 || startedOn == "" {
		return 1
	}
	started, err := time.Parse(time.DateOnly, startedOn)
	if err != nil {
		return 1 // imports refuse such a day
	}
	const day = 24 * time.Hour
	days := max(at.Time().Sub(started)/day, 0)
	done := min(float64(days)/float64(r.Weeks*7), 1)
	return max(r.From+(1-r.From)*done, 0.001)
}

// Explores tells whether the lead is one of those that the pool gives out evenly, whoever
// fits it best. It is decided by the lead's id, so that it is the same at every offer.
func (t *PoolTaste) Explores(lead leadroute.LeadID) bool {
	if t.Explore <= 0 {
		return false
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte("explore/" + lead))
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd // the last bytes have hardly moved the first bits
	x ^= x >> 33
	return float64(x>>11)/(1<<53) < t.Explore
}

// TextOfRep makes a function of a text over a layout of rep fields; missing is "".
func TextOfRep(l *Layout, t Text) func(*leadroute.Rep) string {
	return func(rep *leadroute.Rep) string {
		r := l.rep(rep)
		defer r.Free()
		return t.Of(r)
	}
}

// factMark begins the names of facts, which no field's name can begin with.
const factMark = "="

// Fact returns the place of a value that no sender can fill, such as rep.region or
// decision.rule.
func (l *Layout) Fact(name, typ string) Slot {
	if s, ok := l.slots[factMark+name]; ok {
		return s
	}
	return l.hidden(factMark+name, typ)
}

// facts lays out the facts by name.
func (r *Record) facts(of func(name string) any) {
	for slot, s := range r.layout.slots {
		if name, ok := strings.CutPrefix(slot, factMark); ok {
			r.set(s, of(name))
		}
	}
}

// Lead lays a lead out, as Plan.Record does, by this layout.
func (l *Layout) Lead(lead *leadroute.Lead, account *leadroute.Account) (*Record, error) {
	return (&Plan{Layout: l}).Record(lead, account)
}
