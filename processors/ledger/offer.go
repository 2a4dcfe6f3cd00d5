package ledger

import (
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// maxTries bounds the offers of one revision to one pool in a row, so that reps who
// decline what the view shows as free cannot keep a lead from its next target.
const maxTries = 8

// list is what the lead is offered to now: its rule's targets or, woken from a queue,
// what the queue drains to.
func (s *State) list(p *plan.Plan) []plan.Target {
	if s.Queue == "" {
		return s.Targets
	}
	q := p.Queues[s.Queue]
	if q == nil || len(q.DrainTo) == 0 {
		return s.open()
	}
	ts := make([]plan.Target, len(q.DrainTo))
	for i, name := range q.DrainTo {
		ts[i] = plan.Target{Pool: name}
	}
	return ts
}

// open are the lead's targets without the queue. A rep by name who did not respond comes
// behind the pools.
func (s *State) open() []plan.Target {
	var open, last []plan.Target
	for _, t := range s.Targets {
		switch {
		case t.Queue != "":
		case t.Rep != "" && s.Next:
			last = append(last, t)
		default:
			open = append(open, t)
		}
	}
	return append(open, last...)
}

// retarget has the lead offered to others than the plan decided.
func (s *State) retarget(to []plan.Target) {
	if s.Named == nil {
		s.Named = s.Targets
	}
	s.Targets = to
}

// offerFrom offers the lead to the first target from index i on, or lets it wait.
func (d *step) offerFrom(i int) {
	s := d.s
	ts := s.list(d.plan())
	d.unopen()
	s.Declined, s.Declines = nil, 0
	if s.Shared != nil {
		s.Shared.To = ""
	}
	d.touch()
	if s.Held != nil && !mutant.On("ledger-hold-offers") { // it goes on from there
		s.Phase, s.Target = Offering, i
		return
	}
	if i >= len(ts) {
		queue := s.Queue
		if queue == "" {
			queue = plan.UnassignedQueue
		}
		d.wait(queue)
		return
	}
	if q := ts[i].Queue; q != "" {
		d.wait(q)
		return
	}
	s.Phase, s.Target = Offering, i
	d.nextTry()
	d.sendOffer()
}

func (d *step) nextTry() {
	s := d.s
	if !mutant.On("ledger-wake-reuses-try") || s.Queue == "" {
		s.Try++
	}
	if s.Queue != "" {
		return // a woken lead's vain offers would flood its trail
	}
	if owner := s.outOfTurn(); owner != "" {
		d.record(TrailStep{Step: leadroute.StepOffered, N: uint64(s.Try), Rep: owner, Reason: d.whyOutOfTurn()})
		return
	}
	t := s.list(d.plan())[s.Target]
	d.record(TrailStep{Step: leadroute.StepOffered, N: uint64(s.Try), Pool: t.Pool, Rep: t.Rep})
}

// sendOffer sends the offer that the row says is out.
func (d *step) sendOffer() {
	s := d.s
	if owner := s.outOfTurn(); owner != "" {
		id := leadroute.ClaimID{Lead: d.id, Rev: s.Rev, Target: -1, Try: s.Try, Rep: owner}
		d.send(leadroute.TopicReps, string(owner), &leadroute.RepMessage{Claim: &leadroute.Claim{ID: id, Class: s.Class, Plan: s.Plan}})
		return
	}
	ts := s.list(d.plan())
	if t := ts[s.Target]; t.Rep != "" {
		id := leadroute.ClaimID{Lead: d.id, Rev: s.Rev, Target: s.Target, Try: s.Try, Rep: t.Rep}
		d.send(leadroute.TopicReps, string(t.Rep), &leadroute.RepMessage{Claim: &leadroute.Claim{
			ID: id, Class: s.Class, Plan: s.Plan, EvenIfFull: t.EvenIfFull,
		}})
		return
	}
	o := d.offer()
	d.send(leadroute.TopicPools, string(o.Pool), &leadroute.PoolMessage{Offer: o})
}

// offer is the offer to a pool that the row says is out, nil where there is no such target.
func (d *step) offer() *leadroute.Offer {
	s := d.s
	ts := s.list(d.plan())
	if s.Target >= len(ts) || ts[s.Target].Pool == "" {
		return nil
	}
	t := ts[s.Target]
	return &leadroute.Offer{
		Lead: d.id, Rev: s.Rev, Target: s.Target, Try: s.Try, Pool: t.Pool, Class: s.Class, Plan: s.Plan,
		Deadline: s.deadline(), Avoid: s.avoid(), Strict: s.Next && s.Queue == "", Declined: s.Declined,
		Strategy: string(t.Strategy), About: d.about(t.Pool), Place: d.place(s.queue()), Waits: s.Queue != "",
	}
}

// about is what the pool's conditions read of the lead.
func (d *step) about(name leadroute.PoolID) *leadroute.About {
	s, pool := d.s, d.plan().Pools[name]
	if pool == nil {
		return nil
	}
	var account *leadroute.Account
	if s.Seen != nil {
		account = s.Seen.Account
	}
	return pool.About(&leadroute.Lead{ID: d.id, Source: s.Source, EmittedAt: s.Emitted, ReceivedAt: s.Received, Fields: s.Fields}, account, s.Territory)
}

// answered judges a rep's answer. Every acceptance is either the committed claim, or
// becomes it, or is released.
func (d *step) answered(a *leadroute.Answer) {
	s := d.s
	if a.Bid != "" {
		defer func() {
			if d.s == nil || d.s.Pending == nil || d.s.Pending.Claim != a.Claim { // else it is answered when it is confirmed
				d.answerBid(a)
			}
		}()
	}
	switch {
	case !a.Accepted:
		if s != nil {
			d.declined(a)
		}
	case s != nil && s.Claim != nil && s.Claim.ID == a.Claim && s.Phase != Dead:
		if s.Phase == Closed { // a copy of the claim arrived after the lead was closed
			d.release(leadroute.Release{Claim: a.Claim, Counted: d.counted()})
		}
	case s != nil && s.Pending != nil && s.Pending.Claim == a.Claim: // a copy: it is judged when it is confirmed
	case s != nil && s.Phase == Offering && d.current(a.Claim):
		d.accepted(a)
	case s == nil || !s.Open() || s.Phase == Asking: // which has not decided anything that an event could tell
		if !mutant.On("ledger-finished-no-judge") {
			d.release(leadroute.Release{Claim: a.Claim})
		}
	default:
		d.letGo(a)
	}
}

// current tells whether the claim answers the offer that is out. A try is never used
// twice, so a claim that was judged once is never current again.
func (d *step) current(c leadroute.ClaimID) bool {
	return (c.Rev == d.s.Rev || mutant.On("ledger-forget-revision")) && (c.Try == d.s.Try || mutant.On("ledger-any-try"))
}

// letGo releases an acceptance that lost.
func (d *step) letGo(a *leadroute.Answer) {
	if mutant.On("ledger-keep-every-acceptance") {
		return
	}
	d.release(leadroute.Release{Claim: a.Claim})
	e := d.s.event(d.id, TrailStep{
		Step: leadroute.StepReleased, Rev: a.Claim.Rev, N: hash(a.Claim.String(), strconv.FormatInt(int64(a.At), 36)), At: a.At, Rep: a.Claim.Rep, Pool: a.Pool, Reason: "lost_race",
	})
	d.send(leadroute.TopicEvents, string(d.id), e)
}

// declined moves on: the next try, then the next target, at last the queue.
func (d *step) declined(a *leadroute.Answer) {
	s := d.s
	if s.Phase != Offering || a.Claim.Rev != s.Rev || a.Claim.Try != s.Try {
		return
	}
	if s.OpenUntil != 0 && !mutant.On("ledger-refused-bid-moves-on") { // it is open to the others
		return
	}
	if s.Queue == "" {
		d.record(TrailStep{Step: leadroute.StepDeclined, N: uint64(s.Try), At: a.At, Pool: a.Pool, Rep: a.Claim.Rep, Reason: a.Reason})
	}
	if s.outOfTurn() != "" {
		d.passed(a)
		d.offerFrom(s.Target)
		return
	}
	ts := s.list(d.plan())
	if s.Target < len(ts) && ts[s.Target].Rep != "" {
		d.passed(a)
	}
	if s.Target < len(ts) && ts[s.Target].Pool != "" && s.Declines < maxTries {
		s.Declines++
		d.touch()
		s.Declined = a
		d.nextTry()
		d.sendOffer()
		return
	}
	d.offerFrom(s.Target + 1)
}

// noCandidate moves to the next target.
func (d *step) noCandidate(m *leadroute.NoCandidate) {
	s := d.s
	if s == nil || s.Phase != Offering || s.OpenUntil != 0 || m.Rev != s.Rev || m.Try != s.Try {
		return
	}
	d.offerFrom(s.Target + 1)
}

// commit makes the claim's rep the lead's one owner of this revision.
func (d *step) commit(a *leadroute.Answer) {
	s := d.s
	d.unopen()
	s.Phase, s.OwnerCRM, s.Declined = Owned, a.CRMID, nil
	s.Claim = &leadroute.Claim{ID: a.Claim, Pool: a.Pool, Class: s.Class, Plan: s.Plan, EvenIfFull: a.EvenIfFull}
	if s.outOfTurn() != "" {
		s.Target, s.Shared.To = -1, ""
	} else if ts := s.list(d.plan()); s.Target < len(ts) {
		if by := ts[s.Target]; s.Queue != "" {
			s.Target = slices.IndexFunc(s.Targets, func(t plan.Target) bool { return t.Pool == by.Pool && t.Rep == by.Rep })
		}
	}
	d.touch()
	d.record(TrailStep{Step: leadroute.StepClaimed, N: uint64(s.Try), At: a.At, Pool: a.Pool, Rep: a.Claim.Rep})
	d.record(TrailStep{Step: leadroute.StepAssigned, N: uint64(s.Try), Pool: a.Pool, Rep: a.Claim.Rep, Queue: s.Queue})
	if s.Shared != nil && s.Shared.Made {
		d.record(TrailStep{Step: leadroute.StepClaimedAccount, N: uint64(s.Try), Rep: a.Claim.Rep})
	}
	d.stopWaiting()
	d.gone()
	d.leave()
	d.deliverAll()
}
