// Package desk is a rep's desk: the row of the rep-availability table, and the one rule
// that says whether the rep can take a lead. The stage reps owns the rows and decides by
// the rule; the stage pools reads a view of them and guesses by the same rule.
package desk

import (
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// State is a rep's row.
type State struct {
	Profile leadroute.Rep       `json:"profile"`
	Status  leadroute.RepStatus `json:"status"`
	// StatusAt is since when the rep has the status, as far as anybody said.
	StatusAt leadroute.Millis `json:"sa,omitempty"`
	// StatusUntil ends the status: from then on the rep is available. 0: it has no end.
	StatusUntil leadroute.Millis `json:"su,omitempty"`
	// Version rises with every change of the row, so that a view can tell which of two it has.
	Version int64 `json:"v"`
	Held    Held  `json:"held,omitempty"`
	// Gone: the rep was removed. The row stays, and takes no lead, until the last held
	// claim has moved on and no cap over time counts one, so that a rep who comes back still
	// counts what was taken.
	Gone bool `json:"gone,omitempty"`
	// Leaving: the rep takes no lead any more, and is gone when the desk is empty.
	Leaving bool `json:"lv,omitempty"`
	// Last is when the rep took the last lead.
	Last leadroute.Millis `json:"la,omitempty"`
	// Taken logs the claims that caps over time count; it is pruned to what they still need.
	Taken Taken `json:"taken,omitempty"`
	// Paused is until when the rep gets no lead, because one was taken away.
	Paused leadroute.Millis `json:"pa,omitempty"`
	// Away are the times out of the office that events said, beside those of the profile. At most
	// leadroute.MaxAway.
	Away []leadroute.Away `json:"aw,omitempty"`
	// Back is when the rep came back: what the profile said to have begun by then holds no more.
	Back leadroute.Millis `json:"bk,omitempty"`
	// Asserted is when the held claims were last asserted to their leads.
	Asserted leadroute.Millis `json:"as,omitempty"`
	// Heard is the inbox offset behind the last message that changed the row.
	Heard int64 `json:"he,omitempty"`
}

// Claim is a held claim: the slot that it occupies.
type Claim struct {
	Lead   leadroute.LeadID
	Rev    int
	Target int
	Try    int
	Pool   leadroute.PoolID
	At     leadroute.Millis
	Exempt bool // accepted even_if_full: occupies no place
	// Own and Cost are how many places it occupies, of the rep's own and of the pool's; 0 is 1.
	Own, Cost int
}

// places is what the claim takes of places that it costs so many of.
func (c *Claim) places(cost int) int {
	if c.Exempt {
		return 0
	}
	return max(cost, 1)
}

// Is tells whether this is the claim of that id.
func (c Claim) Is(id leadroute.ClaimID) bool {
	return c.Lead == id.Lead && c.Rev == id.Rev && c.Try == id.Try && c.Target == id.Target
}

// Open counts the rep's own places in use, at the rep's prices.
func (s *State) Open() int {
	n := 0
	for i := range s.Held {
		n += s.Held[i].places(s.Held[i].Own)
	}
	return n
}

// OpenIn counts the places in use that one pool gives the rep, at the pool's prices.
func (s *State) OpenIn(pool leadroute.PoolID) int {
	n := 0
	for i := range s.Held {
		if s.Held[i].Pool == pool {
			n += s.Held[i].places(s.Held[i].Cost)
		}
	}
	return n
}

// OpenCap is the rep's own cap on held claims: DefaultOpenCap where the profile sets none.
func OpenCap(r *leadroute.Rep) int {
	if r.Caps.Open > 0 {
		return r.Caps.Open
	}
	return leadroute.DefaultOpenCap
}

// StatusNow is the status at that time: one that has an end ends by itself.
func (s *State) StatusNow(at leadroute.Millis) leadroute.RepStatus {
	if s.StatusUntil > 0 && at >= s.StatusUntil && !mutant.On("reps-status-never-ends") {
		return leadroute.StatusAvailable
	}
	return s.Status
}

// Left tells that the rep has left for good: nothing on the row counts for anybody who looks
// at it, but for the rep's own caps over time, should the rep come back.
func (s *State) Left() bool { return s.Gone && len(s.Held) == 0 }

// Absent says why the rep is not there, however much room there is, or "".
func Absent(s *State, p *plan.Plan, pool *plan.Pool, at leadroute.Millis) string {
	switch {
	case s == nil, s.Gone:
		return "unknown_rep"
	case s.Leaving && !mutant.On("reps-leaving-ignored"):
		return "leaving"
	}
	if status := s.StatusNow(at); status != leadroute.StatusAvailable {
		return string(status)
	}
	now, duty := at.Time(), s.Duty(p)
	if off := duty.Off(now); off != "" {
		return off
	}
	if pool != nil && !pool.Hours.Open(now) {
		return plan.OffHours
	}
	return ""
}

// Duty is when the rep is at work, by profile and events.
func (s *State) Duty(p *plan.Plan) plan.Duty {
	d := p.Duty(&s.Profile)
	d.Away, d.Back = s.Away, s.Back
	return d
}

// Refuse says why the rep cannot take a lead now, by the row, or "" if the rep can. pool
// is nil for a direct target; the class says how many places the lead takes. An exempt claim
// is refused for status, pause and hours only.
func Refuse(s *State, p *plan.Plan, pool *plan.Pool, class leadroute.Class, at leadroute.Millis, exempt bool) string {
	switch reason := Absent(s, p, pool, at); {
	case reason != "":
		return reason
	case at < s.Paused:
		return "paused"
	case exempt:
		return ""
	}
	if s.Open()+s.Profile.CostOf(class) > OpenCap(&s.Profile) {
		return "full"
	}
	zone := p.RepZone(&s.Profile)
	if r := s.Taken.over(s.Profile.Caps, nil, zone, at); r != "" {
		return r
	}
	if pool == nil {
		return ""
	}
	if pool.Caps.Open > 0 && s.OpenIn(pool.Name)+pool.CostOf(class) > pool.Caps.Open {
		return "pool_full"
	}
	if r := s.Taken.over(pool.Caps, &pool.Name, zone, at); r != "" {
		return "pool_" + r
	}
	return ""
}

// Took is one claim in the log of the caps over time.
type Took struct {
	Key  uint64           `json:"k"` // hash of the claim id
	Pool leadroute.PoolID `json:"p,omitempty"`
	At   leadroute.Millis `json:"a"`
	// Counted: the claim was released after the CRM had acknowledged it. It counts for good,
	// even if a late copy of the claim is taken and released once more.
	Counted bool `json:"c,omitempty"`
}

// Taken is the log of the caps over time.
type Taken []Took

// longest is longer than any span that a cap over time counts, in any zone.
const longest = 8 * 24 * time.Hour

// Counts tells whether some cap over time may still count a claim.
func (t Taken) Counts(at leadroute.Millis) bool {
	return slices.ContainsFunc(t, func(k Took) bool { return at < k.At.Add(longest) })
}

// over names the cap over time that one more claim at time at would exceed, or "".
func (t Taken) over(c leadroute.Caps, pool *leadroute.PoolID, zone *time.Location, at leadroute.Millis) string {
	if len(t) == 0 { // nothing counts, or nothing has come
		return ""
	}
	for _, w := range windows(c, zone, at) {
		if w.max <= 0 {
			continue
		}
		n := 0
		for i := range t {
			if t[i].At >= w.from && (pool == nil || t[i].Pool == *pool) {
				n++
			}
		}
		if n >= w.max {
			return w.name
		}
	}
	return ""
}

type window struct {
	name string
	max  int
	from leadroute.Millis
}

// windows are the spans that the caps over time count at time at: a rolling hour, and the
// calendar day and ISO week in the rep's zone.
func windows(c leadroute.Caps, zone *time.Location, at leadroute.Millis) [3]window {
	local := at.Time().In(zone)
	y, m, d := local.Date()
	monday := d - (int(local.Weekday())+6)%7
	return [3]window{
		{"per_hour", c.PerHour, at.Add(-time.Hour) + 1},
		{"per_day", c.PerDay, leadroute.At(leadroute.DayStart(y, m, d, zone))},
		{"per_week", c.PerWeek, leadroute.At(leadroute.DayStart(y, m, monday, zone))},
	}
}

// Log adds a claim and drops what no cap counts any more. own are the rep's caps, of
// those of a pool: a claim that came through one pool must not drop what another one counts.
// A claim that nothing counts is not logged.
func (t Taken) Log(k Took, own leadroute.Caps, of func(leadroute.PoolID) leadroute.Caps, zone *time.Location) Taken {
	w := windows(leadroute.Caps{}, zone, k.At)
	counts := func(k Took) bool {
		c := of(k.Pool)
		return (own.PerHour > 0 || c.PerHour > 0) && k.At >= w[0].from ||
			(own.PerDay > 0 || c.PerDay > 0) && k.At >= w[1].from ||
			(own.PerWeek > 0 || c.PerWeek > 0) && k.At >= w[2].from
	}
	kept := t[:0]
	for _, have := range t {
		switch {
		case !counts(have), have.Key == k.Key && !have.Counted:
		default:
			kept = append(kept, have)
		}
	}
	if counts(k) && !slices.ContainsFunc(kept, func(have Took) bool { return have.Key == k.Key }) {
		kept = append(kept, k)
	}
	return kept
}

// Release books that a claim was given back: one that the CRM had acknowledged counts for
// good, another one no more.
func (t Taken) Release(key uint64, counted bool) Taken {
	for i := range t {
		switch {
		case t[i].Key != key:
		case counted:
			t[i].Counted = true
			return t
		case !t[i].Counted:
			return append(t[:i], t[i+1:]...)
		}
	}
	return t
}
