package reps

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
	"github.com/leadroute/leadroute/processors/desk"
)

// status sets the status, unless the rep had it before the one that the row has. Nobody can
// have had one after it came here: the clock of who says so is ahead, and would silence
// everybody else for as long.
func status(s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) *desk.State {
	to, until, said := *m.Status, m.Until, m.SaidAt
	if to == leadroute.StatusAvailable {
		until = 0
	}
	if said == 0 || said > at && !mutant.On("reps-future-status-stays") {
		said = at
	}
	if s == nil || said < s.StatusAt && !mutant.On("reps-older-status-wins") {
		return s
	}
	s.StatusAt = said
	if s.Status != to || s.StatusUntil != until {
		s.Status, s.StatusUntil = to, until
		s.Version++
	}
	return s
}

func profile(id leadroute.RepID, s *desk.State, r leadroute.Rep, at leadroute.Millis) *desk.State {
	if s == nil {
		s = &desk.State{Status: leadroute.StatusAvailable}
	}
	if s.Gone {
		s.Gone, s.Status, s.StatusAt, s.StatusUntil = false, leadroute.StatusAvailable, at, 0
	}
	s.Leaving = false
	r.ID = id
	if !slices.Equal(r.Away, s.Profile.Away) {
		s.Back = 0 // it says something new
	}
	s.Profile = r
	s.Version++
	return s
}

// away changes the times out of the office, and forgets those that are over. One that begins
// when another one does takes its place; of too many, those that begin last are not taken.
func away(env Env, s *desk.State, m *leadroute.RepAway, at leadroute.Millis) *desk.State {
	if s == nil || s.Gone {
		return s
	}
	if len(m.Add) > 0 && mutant.On("reps-away-forgotten") {
		s.Away = nil
	}
	zone := env.Plan("").RepZone(&s.Profile)
	before, back := slices.Clone(s.Away), s.Back
	s.Away = slices.DeleteFunc(s.Away, func(a leadroute.Away) bool {
		return a.Over(at) || m.Back > 0 && (m.All || leadroute.At(a.From.Start(zone)) <= m.Back)
	})
	if m.Back > 0 && len(s.Profile.Away) > 0 {
		s.Back = max(s.Back, m.Back)
	}
	for _, a := range m.Add {
		if !a.Over(at) && !a.Never() {
			s.Away = append(slices.DeleteFunc(s.Away, func(o leadroute.Away) bool { return o.From == a.From }), a)
		}
	}
	slices.SortFunc(s.Away, func(a, b leadroute.Away) int { return a.From.Start(zone).Compare(b.From.Start(zone)) })
	s.Away = s.Away[:min(len(s.Away), leadroute.MaxAway)]
	if !slices.Equal(before, s.Away) || back != s.Back {
		s.Version++
	}
	return s
}
