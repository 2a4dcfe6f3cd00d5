package desk

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Returns is when a rep who is not there, or paused, will be: the time itself if that is now, 0
// if nobody can say.
func (s *State) Returns(p *plan.Plan, at leadroute.Millis) leadroute.Millis {
	if s.Gone || s.Leaving {
		return 0
	}
	if s.StatusNow(at) != leadroute.StatusAvailable {
		if s.StatusUntil == 0 {
			return 0
		}
		at = max(at, s.StatusUntil)
	}
	duty := s.Duty(p)
	return leadroute.At(duty.Next(max(at, s.Paused).Time(), true))
}

// Shift is until when a rep who is at work stays at work, and when the next time at work
// begins; zero where that never comes.
func (s *State) Shift(p *plan.Plan, at leadroute.Millis) (ends, next leadroute.Millis) {
	duty := s.Duty(p)
	from := at.Time()
	if duty.Off(from) == "" {
		end := duty.Next(from, false)
		if end.IsZero() {
			return 0, 0
		}
		ends, from = leadroute.At(end), end
	}
	return ends, leadroute.At(duty.Next(from, true))
}

// Count is how many claims count against the caps over time at that time.
func (s *State) Count(p *plan.Plan, at leadroute.Millis) (hour, day, week int) {
	w := windows(leadroute.Caps{}, p.RepZone(&s.Profile), at)
	n := [len(w)]int{}
	for i := range s.Taken {
		for j := range w {
			if s.Taken[i].At >= w[j].from {
				n[j]++
			}
		}
	}
	return n[0], n[1], n[2]
}

// AwayNow is the time out of the office that holds at that time and ends last, and when it
// does; nil if there is none, 0 if it has no end.
func (s *State) AwayNow(p *plan.Plan, at leadroute.Millis) (a *leadroute.Away, until leadroute.Millis) {
	duty := s.Duty(p)
	if a = duty.AwayAt(at.Time()); a != nil && a.Until != (leadroute.Moment{}) {
		until = leadroute.At(a.Until.End(p.RepZone(&s.Profile)))
	}
	return a, until
}
