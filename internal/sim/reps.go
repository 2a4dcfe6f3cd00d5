package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// abroad is a zone with a fixed offset from UTC, so that the checks need no table of zones.
const (
	abroad       = "Asia/Kathmandu"
	abroadOffset = 5*time.Hour + 45*time.Minute
)

// hire sets rep i's profile. While the world drains every rep works around the clock: else
// leads could wait for longer than anybody looks.
func (w *World) hire(i int) {
	if w.absent[i] {
		return
	}
	r := leadroute.Rep{ID: leadroute.RepID(repName(i)), Caps: leadroute.Caps{Open: 1 + i%3}, CRMID: "u" + strconv.Itoa(i)}
	if i%2 == 1 {
		r.Timezone = abroad
	}
	if !w.draining && w.chance(3) {
		local := w.now.Time().Add(offset(&r))
		minute := local.Hour()*60 + local.Minute() + w.rng.IntN(2)
		if s := (leadroute.Span{From: 0, Until: minute}); w.chance(2) && minute > 0 {
			r.Shifts.Add(local.Weekday(), s)
		} else {
			r.Shifts.Add(local.Weekday(), leadroute.Span{From: minute, Until: 24 * 60})
		}
	}
	if !w.draining && r.Caps.Open > 1 && w.chance(3) {
		r.Cost = map[leadroute.Class]int{"P0": 2}
	}
	if !w.draining && w.chance(8) {
		r.Away = []leadroute.Away{w.drawAway()}
	}
	w.send(senderOps, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Profile: &r})
}

func offset(r *leadroute.Rep) time.Duration {
	if r.Timezone == abroad {
		return abroadOffset
	}
	return 0
}

// drawAway draws a time out of the office that has begun or begins soon.
func (w *World) drawAway() leadroute.Away {
	from := w.now + leadroute.Millis(w.rng.IntN(20_000)-10_000)
	a := leadroute.Away{From: leadroute.Moment{At: from}, Until: leadroute.Moment{At: from + leadroute.Millis(1+w.rng.IntN(60_000))}, Reason: "vacation"}
	if w.chance(4) {
		a.Until = leadroute.Moment{}
	}
	return a
}

// changeRep changes a rep's status, or takes the rep away and hires again, at once or later.
func (w *World) changeRep() {
	i := w.rng.IntN(w.opt.Reps)
	if w.chance(6) {
		w.importAccount()
		return
	}
	if w.chance(6) {
		m := &leadroute.RepRemoval{Reason: "operator", Keep: w.chance(2), At: w.now}
		w.removed = append(w.removed, removal{repName(i), m.At})
		w.send(senderOps, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Remove: m})
		if w.chance(2) {
			w.hire(i)
		}
		return
	}
	if w.chance(6) {
		w.hire(i)
		return
	}
	if w.chance(3) {
		m := &leadroute.RepAway{Add: []leadroute.Away{w.drawAway()}}
		if w.chance(3) {
			m = &leadroute.RepAway{Back: w.now, All: w.chance(3)}
		} else if w.chance(2) {
			w.send(senderOps, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Away: &leadroute.RepAway{Add: []leadroute.Away{w.drawAway()}}})
		}
		w.send(senderOps, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Away: m})
		return
	}
	status := []leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusAvailable, leadroute.StatusAway}[w.rng.IntN(3)]
	m := &leadroute.RepMessage{Status: &status}
	if w.chance(2) {
		m.Until = w.now + leadroute.Millis(w.rng.IntN(30_000))
	}
	sender := senderOps
	if k := w.rng.IntN(3); k > 0 { // one of two systems, the one late, the other with a clock that is ahead
		sender = senderFeed - k
		m.SaidAt = w.now + []leadroute.Millis{-30_000, 60_000}[k-1] - leadroute.Millis(w.rng.IntN(60_000))
	}
	w.send(sender, leadroute.TopicReps, repName(i), m)
}

// away is a time out of the office that stands in a rep's inbox.
type away struct {
	pos         int
	from, until leadroute.Millis // until 0: until further notice
}

// removal is one that was sent.
type removal struct {
	rep string
	at  leadroute.Millis
}

// checkThere checks that nobody takes a lead who is not there, and that nobody is refused one
// for that who is: by the row, with a clock of its own, and by the log, as checkPause does.
func (w *World) checkThere(own *owner, rep string, held int, s *desk.State, m *leadroute.RepMessage, out []leadroute.Effect, at leadroute.Millis) {
	pos := own.pos - 1
	if m.Away != nil && s != nil && !s.Gone {
		w.hearAway(rep, pos, m.Away, at)
	}
	if m.Remove != nil || s == nil { // a row that is gone remembers nothing
		w.out[rep] = slices.DeleteFunc(w.out[rep], func(a away) bool { return a.pos < pos })
	}
	if m.Claim == nil || s == nil || own.part.owner != own || w.opt.Reps == 0 { // a Play's reps live anywhere
		return
	}
	at = max(at, s.Last)
	why := offByClock(s, at)
	if len(s.Held) <= held {
		for _, e := range out {
			if l, ok := e.Value.(*leadroute.LedgerMessage); ok && l.Answer != nil && !l.Answer.Accepted && slices.Contains(notThere, l.Answer.Reason) && why == "" {
				w.violate("8 there", "%s was refused %s at %d as %s: %+v", rep, m.Claim.ID, at, l.Answer.Reason, *s)
			}
		}
		return
	}
	if why != "" {
		w.violate("8 there", "%s took %s at %d and is %s: %+v", rep, m.Claim.ID, at, why, *s)
	}
	for _, a := range w.out[rep] {
		if !w.opt.Stalls && a.pos < pos && a.from <= at && (a.until == 0 || at < a.until) {
			w.violate("8 there", "%s took %s at %d while out of the office from %d until %d", rep, m.Claim.ID, at, a.from, a.until)
		}
	}
	c := s.Held[len(s.Held)-1]
	if pool := w.planOf(m.Claim.Plan).Pools[c.Pool]; max(c.Own, 1) != max(s.Profile.Cost[m.Claim.Class], 1) || pool != nil && max(c.Cost, 1) != max(pool.Cost[m.Claim.Class], 1) {
		w.violate("3 caps", "%s holds %s of %s at the wrong price: %+v", rep, m.Claim.ID, m.Claim.Class, c)
	}
}

// notThere are the reasons with which a rep who is not there refuses a lead.
var notThere = []string{"busy", "away", "off", "leaving", "unknown_rep", plan.OutOfOffice, plan.OnHoliday, plan.OffHours, plan.OffShift}

// checkRemoved checks that every removal is an event.
func (w *World) checkRemoved() {
	told := map[removal]bool{}
	for _, e := range w.events {
		if e.Step == leadroute.StepRepRemoved {
			told[removal{string(e.Rep), e.At}] = true
		}
	}
	for _, r := range w.removed {
		if !told[r] {
			w.violate("6 events", "nobody was told that %s was removed at %d", r.rep, r.at)
		}
	}
}

func (w *World) hearAway(rep string, pos int, m *leadroute.RepAway, at leadroute.Millis) {
	w.out[rep] = slices.DeleteFunc(w.out[rep], func(a away) bool {
		again := slices.ContainsFunc(m.Add, func(n leadroute.Away) bool { return n.From.At == a.from })
		return a.pos < pos && (again || m.Back > 0 && (m.All || a.from <= m.Back))
	})
	for _, a := range m.Add {
		if a.Until.At == 0 || a.Until.At > at { // else it was over when it came
			w.out[rep] = append(w.out[rep], away{pos, a.From.At, a.Until.At})
		}
	}
}

// offByClock says why the row's rep is not there, "" if so.
func offByClock(s *desk.State, at leadroute.Millis) string {
	if s.Gone || s.Leaving {
		return "leaving"
	}
	if s.Status != leadroute.StatusAvailable && (s.StatusUntil == 0 || at < s.StatusUntil) {
		return "not available"
	}
	for i, list := range [][]leadroute.Away{s.Profile.Away, s.Away} {
		for _, a := range list {
			if a.From.At <= at && (a.Until.At == 0 || at < a.Until.At) && (i == 1 || a.From.At > s.Back) {
				return "out of the office"
			}
		}
	}
	const day = 24 * 60
	minute := int(at/60_000) + int(offset(&s.Profile)/time.Minute)
	any := false
	for weekday, spans := range s.Profile.Shifts {
		for _, sp := range spans {
			any = true
			if (minute/day+4)%7 == weekday && sp.From <= minute%day && minute%day < sp.Until { // 1 January 1970 was a Thursday
				return ""
			}
		}
	}
	if any {
		return "off shift"
	}
	return ""
}
