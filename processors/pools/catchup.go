package pools

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Missed are the turns of a rotation that came while the rep was away: off shift, not
// available, or full. The lead went to the next one, and the rep makes up for it after
// coming back, in leads that are taken out of turn: the rotation stands still meanwhile.
type Missed struct {
	Rep leadroute.RepID `json:"r"`
	N   int             `json:"n"`
}

const (
	// missedMax is of how many reps a pool remembers missed turns. Where more are away, it is
	// not one rep who was away but a shift that had not begun: those beyond lose their turns.
	missedMax = 32
	// fullMax is how many turns catch_up = "full" makes up for. A rep has some twenty leads a
	// day; ten more, each second one at the oftenest, fill the first day after a holiday
	// and no second one.
	fullMax = 10
)

// missable is how many missed turns of a rep the pool makes up for.
func missable(c plan.CatchUp) int {
	switch c {
	case plan.CatchUpAverage:
		return 1 // of the round under way: so the rep has had as many in it as everybody
	case plan.CatchUpFull:
		return fullMax
	case plan.CatchUpNone:
	}
	return 0
}

// makesUp tells whether a turn that passes while a rep is refused for that reason is one
// to make up for. A rep from whom a lead was taken does not make up for the pause.
func makesUp(refused string) bool { return refused != "unknown_rep" && refused != "paused" }

// trim forgets turns that the policy does not make up for: the one before may have.
func (s *State) trim(most int) {
	if mutant.On("pools-catch-up-unbounded") {
		return
	}
	for i := range s.Missed {
		s.Missed[i].N = min(s.Missed[i].N, most)
	}
	s.Missed = slices.DeleteFunc(s.Missed, func(m Missed) bool { return m.N == 0 })
}

// makeUp picks who takes a lead out of turn, whoever missed the most, or nobody: never
// one who had the lead before or has the next by turn, so that no two in a row go to one
// rep for it, and never twice without a lead in turn between.
func (s *State) makeUp(next leadroute.RepID, in func(leadroute.RepID) bool) (leadroute.RepID, bool) {
	if s.Made && !mutant.On("pools-catch-up-floods") {
		return "", false
	}
	best := -1
	for i, m := range s.Missed {
		switch {
		case best >= 0 && m.N <= s.Missed[best].N:
		case m.Rep == next || len(s.Recent) > 0 && m.Rep == s.Recent[len(s.Recent)-1].Rep:
		case !in(m.Rep):
		default:
			best = i
		}
	}
	if best < 0 {
		return "", false
	}
	rep := s.Missed[best].Rep
	if s.Missed[best].N--; s.Missed[best].N == 0 {
		s.Missed = slices.Delete(s.Missed, best, best+1)
	}
	s.Made = true
	return rep, true
}

// passed notes the turns of those away that lie between two turns of the rotation.
func (s *State) passed(most int, from, to Turn, by rotation, away []Candidate, member func(leadroute.RepID) bool) {
	for i := range away {
		c := by.clock(&away[i])
		n := int(min(c.until(to)-c.until(from), int64(most)))
		if n <= 0 {
			continue
		}
		j := slices.IndexFunc(s.Missed, func(m Missed) bool { return m.Rep == c.rep })
		if j < 0 {
			if len(s.Missed) >= missedMax {
				s.Missed = slices.DeleteFunc(s.Missed, func(m Missed) bool { return !member(m.Rep) })
			}
			if len(s.Missed) >= missedMax {
				continue
			}
			s.Missed = append(s.Missed, Missed{Rep: c.rep})
			j = len(s.Missed) - 1
		}
		if s.Missed[j].N += n; !mutant.On("pools-catch-up-unbounded") {
			s.Missed[j].N = min(s.Missed[j].N, most)
		}
	}
}
