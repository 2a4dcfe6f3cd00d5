package ledger

import (
	"fmt"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// A lead that is open to claim stays Offering under one try: State.OpenUntil is the mark. Any
// number of bids go by the pool, which says who may, to the reps, whose rows say who can; the
// first acceptance commits, as everywhere, and the others are released and told who has the
// lead. A bid changes nothing here, so that a copy of one does no harm. Who was told of the
// offer is kept until the lead is gone and they have been told that, too.

// Call is who was told, in one revision, that the lead is open to claim.
type Call struct {
	Rev  int               `json:"r"`
	Pool leadroute.PoolID  `json:"p"`
	Told []leadroute.RepID `json:"t"`
	At   leadroute.Millis  `json:"a"`
	// Gone is when they were told that somebody has it, or nobody may any more; 0: not yet.
	Gone leadroute.Millis `json:"g,omitempty"`
	By   leadroute.RepID  `json:"b,omitempty"` // who has it; empty: nobody
}

// toldMax bounds the ids of those who were told and wait to hear that the lead is gone, in
// bytes: some 400 reps. The others may claim without having been told. callsMax bounds how
// many times a row remembers, which only a lead that goes from hand to hand within a minute reaches.
const (
	toldMax  = 4 << 10
	callsMax = 4
)

// The reasons of what is told around a claim begin with claimReason, and the pool's name.
const (
	claimReason = "claim:"
	goneReason  = "/gone"
)

// opened is the pool's word that some of its reps could take the lead: from now on, and
// for as long as the target says, it is theirs to claim.
func (d *step) opened(m *leadroute.Opened) {
	s := d.s
	if s == nil || s.Phase != Offering || s.OpenUntil != 0 || m.Rev != s.Rev || m.Try != s.Try {
		return
	}
	open := plan.DefaultClaimOpen
	if ts := s.list(d.plan()); s.Target < len(ts) && ts[s.Target].Accept > 0 {
		open = ts[s.Target].Accept
	}
	s.OpenUntil, s.OpenIn = d.at.Add(open), m.Pool
	d.touch()
	if s.Queue != "" { // it does not stand in the way of those behind it
		d.cancel(d.wakeTimer())
	}
	if !mutant.On("ledger-open-for-ever") {
		d.sendClaimTimer()
	}
	d.call(m)
	d.leave() // it may be open for long
}

// claimTimer ends the time in which the lead is open.
func (d *step) claimTimer() *leadroute.Timer {
	s := d.s
	return &leadroute.Timer{Lead: d.id, Kind: leadroute.TimerClaim, Name: string(s.OpenIn), Rev: s.Rev, N: s.Try, Due: s.OpenUntil, Deadline: s.deadline()}
}

func (d *step) sendClaimTimer() {
	t := d.claimTimer()
	d.send(leadroute.TopicTimers, t.Key(), t)
}

// unopen ends the lead's being open to claim. In a queue it waits again, until it does not.
func (d *step) unopen() {
	s := d.s
	if s.OpenUntil == 0 {
		return
	}
	d.cancel(d.claimTimer())
	s.OpenUntil, s.OpenIn = 0, ""
	if s.Queue != "" {
		w := d.wakeTimer()
		d.send(leadroute.TopicTimers, w.Key(), w)
	}
}

// claimDue is the time being over, if the row agrees: nobody has claimed the lead.
func (d *step) claimDue(t *leadroute.Timer) {
	s := d.s
	switch stands := d.claimTimer(); {
	case s.OpenUntil == 0 || stands.Key() != t.Key():
		d.cancel(t)
	case t.Rev != s.Rev || t.N != s.Try || d.at < s.OpenUntil:
		d.sendClaimTimer() // an earlier one's late firing
	default:
		if s.Queue == "" {
			d.record(TrailStep{Step: leadroute.StepDeclined, N: uint64(s.Try), Pool: leadroute.PoolID(t.Name), Reason: "nobody_claimed"})
		}
		d.offerFrom(s.Target + 1)
	}
}

// bid passes on a rep's wish to have the lead, or says at once why it cannot be.
func (d *step) bid(b *leadroute.Bid) {
	s := d.s
	if s != nil && s.Phase == Offering && s.OpenUntil != 0 {
		if o := d.offer(); o != nil {
			d.send(leadroute.TopicPools, string(o.Pool), &leadroute.PoolMessage{Bid: &leadroute.PoolBid{Offer: *o, Bid: *b}})
			return
		}
	}
	d.reply(b.Reply, b.Rep, "not_open")
}

// answerBid tells the rep who bid what became of it.
func (d *step) answerBid(a *leadroute.Answer) {
	why := "not_open"
	if !a.Accepted {
		why = a.Reason
	}
	d.reply(a.Bid, a.Claim.Rep, why)
}

// reply tells a rep that the lead is theirs, or who has it, or why it cannot be theirs.
func (d *step) reply(key string, rep leadroute.RepID, why string) {
	if key == "" {
		return
	}
	r := &leadroute.Reply{Lead: d.id, Known: d.s != nil}
	if s := d.s; s != nil && s.Claim != nil && (s.Phase == Owned || s.Phase == Closed) {
		r.Owner = s.Owner()
		r.Agreed = r.Owner == rep && s.Phase == Owned
		r.Rev = s.Rev
	}
	if mutant.On("ledger-loser-agreed") && r.Owner != "" {
		r.Agreed = true
	}
	if !r.Agreed && r.Owner == "" && r.Known {
		r.Refused = why
	}
	d.send(leadroute.TopicReplies, key, r)
}

// byClaim tells whether the lead is offered to whoever claims it first.
func byClaim(p *plan.Plan, t *plan.Target) bool {
	if t.Pool == "" {
		return false
	}
	if t.Strategy != "" {
		return t.Strategy == plan.Claim
	}
	pool := p.Pools[t.Pool]
	return pool != nil && pool.Strategy == plan.Claim
}

// call tells the reps who were not told yet that the lead is open.
func (d *step) call(m *leadroute.Opened) {
	s := d.s
	size := 0
	told := map[leadroute.RepID]bool{}
	for i := range s.Calls {
		if c := &s.Calls[i]; c.Gone == 0 {
			for _, r := range c.Told {
				told[r] = true
				size += len(r)
			}
		}
	}
	c := Call{Rev: s.Rev, Pool: m.Pool, At: d.at}
	for _, r := range m.Reps {
		if size += len(r); size > toldMax {
			break
		}
		if !told[r] {
			c.Told = append(c.Told, r)
		}
	}
	if len(c.Told) == 0 {
		return
	}
	if len(s.Calls) >= callsMax {
		s.Calls = slices.Delete(s.Calls, 0, 1)
	}
	s.Calls = append(s.Calls, c)
	d.recordCall(&c, claimReason+string(c.Pool), "")
	d.sendCall(&c)
}

// recordCall notes that the pool's channels are told. Who is told by them the Call knows.
func (d *step) recordCall(c *Call, reason string, rep leadroute.RepID) {
	for _, channel := range d.channelsOf(c) {
		d.record(TrailStep{Step: leadroute.StepNotified, N: hash(reason, channel)<<16 | uint64(d.s.Try&0xffff), Pool: c.Pool, Rep: rep, Outcome: channel, Reason: reason})
	}
}

// channelsOf are the channels by which a call was told, by the plan of then.
func (d *step) channelsOf(c *Call) []string {
	if pool := d.planAt(c.Rev).Pools[c.Pool]; pool != nil {
		return pool.Notify
	}
	return nil
}

// gone tells those who were told of the lead that it is no longer theirs to claim.
func (d *step) gone() {
	s := d.s
	var pools []leadroute.PoolID
	for i := range s.Calls {
		c := &s.Calls[i]
		if c.Gone != 0 || mutant.On("ledger-gone-untold") {
			continue
		}
		c.Gone, c.By = d.at, s.Owner()
		if !slices.Contains(pools, c.Pool) {
			pools = append(pools, c.Pool)
			d.recordCall(c, claimReason+string(c.Pool)+goneReason, c.By)
		}
		d.sendGone(c)
	}
}

// dropCalls forgets those who were told all that there is to tell, once no crash can have
// lost it any more.
func (s *State) dropCalls(at leadroute.Millis) {
	s.Calls = slices.DeleteFunc(s.Calls, func(c Call) bool { return c.Gone != 0 && at >= c.Gone.Add(trailKept) })
	if len(s.Calls) == 0 {
		s.Calls = nil
	}
}

// recall tells again what was told, under the same ids.
func (d *step) recall() {
	for i := range d.s.Calls {
		c := &d.s.Calls[i]
		d.sendCall(c)
		if c.Gone != 0 {
			d.sendGone(c)
		}
	}
}

func (d *step) sendCall(c *Call) {
	for _, r := range c.Told {
		d.tellRep(c, r, claimReason+string(c.Pool), c.At, "")
	}
}

func (d *step) sendGone(c *Call) {
	for _, r := range c.Told {
		if r != c.By {
			d.tellRep(c, r, claimReason+string(c.Pool)+goneReason, c.Gone, c.By)
		}
	}
}

func (d *step) tellRep(c *Call, rep leadroute.RepID, reason string, at leadroute.Millis, by leadroute.RepID) {
	for _, channel := range d.channelsOf(c) {
		n := d.notification(TrailStep{Rev: c.Rev, Pool: c.Pool, Rep: rep, Outcome: channel, Reason: reason, At: at}, fmt.Sprintf("%s/%d/%s/%s/%s", d.id, c.Rev, reason, rep, channel))
		n.By = by
		d.send(leadroute.TopicNotifications, string(d.id), n)
	}
}
