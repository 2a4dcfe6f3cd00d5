package ledger

import (
	"hash/fnv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// step is one decision being made: the row, the time, and what is to be sent.
type step struct {
	env Env
	id  leadroute.LeadID
	s   *State
	at  leadroute.Millis
	// replay: the message may have been handled before, by an owner that crashed before
	// all it sent had arrived.
	replay  bool
	touched bool // the message changed the row
	told    int  // steps that the message added to the trail
	out     []leadroute.Effect
}

// Apply decides what message m does to lead id at time at. It owns s and may change it
// in place; the row it returns replaces s, nil deletes it. The same arguments give the
// same answer.
//
// A message that was applied before changes nothing. If it may be a replay (it was in the
// inbox when this owner took the partition over), what it caused and what the row says is
// outstanding is sent again. Other copies are absorbed: their first one's effects are on
// their way, and answering copies with copies would keep them alive for as long as a lead waits.
func Apply(env Env, id leadroute.LeadID, s *State, m *leadroute.LedgerMessage, at leadroute.Millis, replay bool) (*State, []leadroute.Effect) {
	d := newStep(env, id, s, at, replay)
	d.apply(m)
	return d.s, d.out
}

func newStep(env Env, id leadroute.LeadID, s *State, at leadroute.Millis, replay bool) *step {
	d := &step{env: env, id: id, s: s, at: at, replay: replay && !mutant.On("ledger-replay-silent")}
	if s != nil && at < s.Last {
		d.at = s.Last
	}
	if s != nil {
		s.dropCalls(d.at)
	}
	return d
}

func (d *step) apply(m *leadroute.LedgerMessage) {
	switch {
	case m.Admitted != nil:
		d.admitted(m.Admitted)
	case m.Answer != nil:
		d.answered(m.Answer)
	case m.NoCandidate != nil:
		d.noCandidate(m.NoCandidate)
	case m.Outcome != nil:
		d.outcome(m.Outcome)
	case m.Due != nil:
		d.due(m.Due)
	case m.Action != nil:
		d.action(m.Action)
	case m.Revise != nil:
		d.revise(m.Revise)
	case m.Redeliver != nil:
		d.redeliver(m.Redeliver)
	case m.Hold != nil:
		d.askedToHold(m.Hold)
	case m.Check != nil:
		d.check()
	case m.Met != nil:
		d.met(m.Met)
	case m.Opened != nil:
		d.opened(m.Opened)
	case m.Bid != nil:
		d.bid(m.Bid)
	case m.Owned != nil:
		d.owned(m.Owned)
	case m.Join != nil:
		d.takeIn(m.Join)
	case m.Joined != nil:
		d.joined(m.Joined)
	}
	if !d.touched && d.s != nil && (d.replay || mutant.On("ledger-copies-answer-copies")) {
		d.again()
	}
}

func (d *step) send(t leadroute.Topic, key string, v any) {
	d.out = append(d.out, leadroute.Effect{Topic: t, Key: key, Value: v})
}

// touch notes that the message changed the row.
func (d *step) touch() { d.s.Last, d.touched = d.at, true }

func (d *step) plan() *plan.Plan {
	if mutant.On("ledger-forgets-plan") {
		return d.env.Plan("")
	}
	return d.env.Plan(d.s.Plan)
}

func (d *step) admitted(m *leadroute.Admission) {
	receipt := hash(m.Lead.Receipt)
	if d.s != nil {
		if d.s.Receipt == receipt {
			return
		}
		e := leadroute.LatencyEvent{
			Lead: d.id, Step: leadroute.StepDuplicate, N: receipt, Class: m.Class, Source: m.Lead.Source, Plan: m.Plan,
			EmittedAt: m.Lead.EmittedAt, ReceivedAt: m.Lead.ReceivedAt, At: m.Lead.ReceivedAt,
			SinceEmit: leadroute.Elapsed(m.Lead.Since(), m.Lead.ReceivedAt),
		}
		d.send(leadroute.TopicEvents, string(d.id), &e)
		d.send(leadroute.TopicDepartures, string(d.id), &leadroute.Departure{Lead: d.id})
		return
	}
	d.s = &State{
		Receipt: receipt, Rev: 1, Class: m.Class, Plan: m.Plan, Source: m.Lead.Source,
		Emitted: m.Lead.EmittedAt, Received: m.Lead.ReceivedAt, Fields: m.Lead.Fields,
	}
	d.touch()
	d.meet(m.Lead.Identities)
}

// decide runs the plan and offers the lead to the first target.
func (d *step) decide() {
	s := d.s
	dec, err := d.env.Decide(d.plan(), d.lead(), d.at)
	if err == nil {
		d.decided(&dec)
	}
	// Recorded only now, because an event's class must never change once it is told.
	d.record(TrailStep{Step: leadroute.StepReceived, At: s.Received})
	if s.Phase == Asking {
		d.tellAllMerged()
	}
	if err != nil {
		d.dead("undecidable")
		return
	}
	d.record(TrailStep{Step: leadroute.StepDecided, Outcome: dec.Compared})
	if dec.Rule == "" {
		d.dead("no_rule")
		return
	}
	d.share(&dec)
	d.offerAnew(0)
}

// again answers a replay of a message that was applied before: it sends again the steps
// that the row remembers, what was given back or up, and what is outstanding.
func (d *step) again() {
	s := d.s
	d.retell()
	d.recall()
	d.sendLeft()
	if s.Person != nil && s.Phase != Asking {
		d.sendSettle()
	}
	if s.Prev != nil {
		d.release(*s.Prev)
		d.sendPause()
	}
	if s.Phase == Closed && s.Claim != nil {
		d.release(leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()})
	}
	if s.Phase == Dead {
		d.sendDeadLead()
	}
	for i := range s.Dests {
		if s.Dests[i].Dead {
			d.sendDeadDelivery(&s.Dests[i])
		}
	}
	d.outstanding()
}

// outstanding sends again what the row waits for.
func (d *step) outstanding() {
	s := d.s
	if s.Held != nil {
		d.sendHold()
	}
	switch s.Phase {
	case Asking:
		if s.Person.Join != "" {
			d.sendJoin()
		} else {
			d.sendAsk()
		}
	case Offering:
		switch {
		case s.Held != nil:
		case s.OpenUntil != 0:
			d.sendClaimTimer()
		case s.Target >= len(s.list(d.plan())): // the list changed with the plan
			d.offerFrom(0)
		default:
			d.sendOffer()
		}
	case Waiting:
		d.sendWaitTimers()
	case Confirming:
		if s.Queue != "" {
			d.sendWaitTimers()
		}
		if !mutant.On("ledger-asks-owners-once") {
			d.sendOwn()
		}
	case Owned, Closed, Dead, Duplicate:
	}
	d.sendClocks()
	for i := range s.Dests {
		d.resend(&s.Dests[i])
	}
}

// leave tells admit, once, that the lead left the middle.
func (d *step) leave() {
	if d.s.Left {
		return
	}
	d.s.Left = true
	d.sendLeft()
}

func (d *step) sendLeft() {
	if d.s.Left {
		d.send(leadroute.TopicDepartures, string(d.id), &leadroute.Departure{Lead: d.id})
	}
}

// dead gives the lead itself up.
func (d *step) dead(reason string) {
	s := d.s
	s.Phase, s.Done = Dead, d.at
	d.touch()
	d.unopen()
	d.gone()
	d.record(TrailStep{Step: leadroute.StepDeadLettered, Reason: reason})
	d.sendDeadLead()
	d.leave()
}

func (d *step) sendDeadLead() {
	s := d.s
	d.send(leadroute.TopicDeadLetters, string(d.id), &leadroute.DeadLetter{
		ID: string(d.id), Kind: leadroute.DeadLead, Stage: "ledger", Lead: d.id, Rev: s.Rev, Class: s.Class,
		Reason: s.gaveUp(""), At: s.Done, Payload: s.Fields,
	})
}

// gaveUp is why the lead ("" for dest) or its delivery to dest was given up.
func (s *State) gaveUp(dest leadroute.DestinationID) string {
	for i := len(s.Trail) - 1; i >= 0; i-- {
		if t := &s.Trail[i]; t.Step == leadroute.StepDeadLettered && t.Dest == dest {
			return t.Reason
		}
	}
	return ""
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
