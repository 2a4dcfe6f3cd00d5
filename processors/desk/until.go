package desk

import (
	"math"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Forever is the last instant.
const Forever = leadroute.Millis(math.MaxInt64)

// RefusedUntil is the first instant at which Refuse may answer otherwise than with a refusal
// for that reason, given at time at, unless the row changes before. It may be early, never late.
func RefusedUntil(s *State, p *plan.Plan, pool *plan.Pool, reason string, at leadroute.Millis) leadroute.Millis {
	switch reason {
	case plan.OffHours, plan.OffShift, plan.OnHoliday, plan.OutOfOffice:
		return dutyChange(s, p, pool, at)
	case string(s.Status):
		if s.StatusUntil > at {
			return s.StatusUntil
		}
		return Forever
	case "paused":
		return min(s.Paused, dutyChange(s, p, pool, at))
	case "per_hour", "pool_per_hour":
		until := Forever
		for i := range s.Taken {
			if gone := s.Taken[i].At.Add(time.Hour); gone > at {
				until = min(until, gone)
			}
		}
		return until
	case "per_day", "pool_per_day", "per_week", "pool_per_week":
		zone := p.RepZone(&s.Profile)
		y, m, d := at.Time().In(zone).Date()
		return max(leadroute.At(leadroute.DayStart(y, m, d+1, zone)), at+1)
	}
	return Forever // it is of the row's making
}

// dutyChange is the first instant after at at which the rep's hours or the pool's may open or close.
func dutyChange(s *State, p *plan.Plan, pool *plan.Pool, at leadroute.Millis) leadroute.Millis {
	duty, now := s.Duty(p), at.Time()
	next := leadroute.At(duty.Change(now))
	if pool != nil && pool.Hours != nil {
		next = min(next, leadroute.At(pool.Hours.Change(now)))
	}
	return max(next, at+1)
}
