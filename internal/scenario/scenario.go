// Package scenario plays a policy's scenario blocks on a virtual clock, through the
// decisions that run, too: the ledger's, the pools' and the reps', on the simulator's log
// and without its misfortunes. Reading them is dsl's business, and printing the results the
// commands'.
package scenario

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/policytest"
	"github.com/leadroute/leadroute/internal/sim"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Run plays each scenario whose name the pattern matches (nil: all), and compares. The
// policy must have a plan. The watch, where there is one, sees every decision.
func Run(p *dsl.Policy, pattern *regexp.Regexp, watch policytest.Watch, invariants *policytest.Invariants) ([]policytest.Result, error) {
	var results []policytest.Result
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		if pattern != nil && !pattern.MatchString(s.Name) {
			continue
		}
		r, err := play(p.Plan, s, watch, invariants)
		if err != nil {
			return nil, fmt.Errorf("scenario %q: %w", s.Name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// scene is one scenario being played.
type scene struct {
	*sim.Play
	s      *dsl.Scenario
	start  leadroute.Millis
	ids    map[string]leadroute.LeadID // of the arrivals, by name
	result policytest.Result
	claims []claimed
}

// claimed is what became of a claim.
type claimed struct {
	at   leadroute.Millis
	lead leadroute.LeadID
	said string
}

// cue is something that happens at a time.
type cue struct {
	at time.Duration
	do func() error
}

func play(p *plan.Plan, s *dsl.Scenario, watch policytest.Watch, invariants *policytest.Invariants) (policytest.Result, error) {
	c := &scene{
		s: s, start: leadroute.At(s.Start), ids: map[string]leadroute.LeadID{},
		result: policytest.Result{Kind: policytest.KindScenario, Name: s.Name, File: s.File, Line: s.Line},
	}
	c.Play = sim.NewPlay(p, c.start, func(p *plan.Plan, l *leadroute.Lead, account *leadroute.Account, live plan.Live, at leadroute.Millis) (plan.Decision, error) {
		r, err := p.Record(l, account)
		if err != nil {
			return plan.Decision{}, err
		}
		defer r.Free()
		return watch.Decide(p, r, live, at.Time()), nil
	})
	for _, r := range p.Reps {
		c.Hire(r, leadroute.StatusAvailable)
	}
	for _, a := range s.Reps {
		c.Hire(a.Rep, a.Status)
	}
	for _, q := range c.cues(p) {
		if err := c.RunUntil(c.start.Add(q.at)); err != nil {
			return policytest.Result{}, err
		}
		if err := q.do(); err != nil {
			return policytest.Result{}, err
		}
	}
	if err := c.checkInvariants(p, invariants); err != nil {
		return policytest.Result{}, err
	}
	if len(c.result.Wrong) > 0 {
		c.result.Timeline = c.timeline()
	}
	return c.result, c.Err()
}

// cues are what happens, in order; at one time leads arrive first, and what must hold is
// looked at last.
func (c *scene) cues(p *plan.Plan) []cue {
	var all []cue
	for i := range c.s.Arrivals {
		a := &c.s.Arrivals[i]
		id := leadroute.LeadID(fmt.Sprint("lead-", i+1))
		c.ids[a.Name] = id
		all = append(all, cue{a.At, func() error {
			c.Post(leadroute.Lead{ID: id, Source: "scenario", ReceivedAt: c.Now(), Fields: a.Lead}, p.Classes[len(p.Classes)-1].Name)
			return nil
		}})
	}
	for _, r := range c.s.Responds {
		all = append(all, cue{r.At, func() error {
			if !c.Respond(c.ids[r.Lead]) {
				c.wrong("respond at "+span(r.At), "nobody owns the lead", "an owner who responds")
			}
			return nil
		}})
	}
	for _, b := range c.s.Claims {
		all = append(all, cue{b.At, func() error { c.claim(b); return nil }})
	}
	for _, h := range c.s.Holds {
		all = append(all, cue{h.At, func() error { c.hold(h); return nil }})
	}
	for i := range c.s.Moments {
		m := &c.s.Moments[i]
		all = append(all, cue{m.At, func() error { c.check(m); return nil }})
	}
	slices.SortStableFunc(all, func(a, b cue) int { return cmp.Compare(a.at, b.at) })
	return all
}

// hold has an operator hold a lead, or let it go on.
func (c *scene) hold(h dsl.Hold) {
	until := leadroute.Millis(0)
	if h.Until > 0 {
		until = c.start.Add(h.Until)
	}
	if !c.Hold(c.ids[h.Lead], until, h.Over) {
		what := "hold"
		if h.Over {
			what = "release"
		}
		c.wrong(what+" at "+span(h.At), "the ledger does not agree", "an open lead, held once")
	}
}

// claim has a rep claim a lead. Who comes too late, or may not, has tried.
func (c *scene) claim(b dsl.Claim) {
	r := c.Claim(c.ids[b.Lead], b.Rep)
	said := "has it"
	switch {
	case r == nil || !r.Known:
		said = "there is no such lead yet"
	case r.Agreed:
	case r.Owner != "":
		said = string(r.Owner) + " has it"
	default:
		said = "refused, " + r.Refused
	}
	c.claims = append(c.claims, claimed{c.Now(), c.ids[b.Lead], string(b.Rep) + " claims it: " + said})
}

// checkInvariants holds the invariants against every place where a lead came to be.
func (c *scene) checkInvariants(p *plan.Plan, invariants *policytest.Invariants) error {
	if invariants == nil || len(p.Invariants) == 0 {
		return nil
	}
	for _, e := range c.Events() {
		to := plan.Target{Pool: e.Pool, Queue: e.Queue}
		if e.Pool == "" {
			to.Rep = e.Rep
		}
		if e.Step == leadroute.StepAssigned {
			to.Queue = "" // it has left it
		} else if e.Step != leadroute.StepQueued {
			continue
		}
		l := leadroute.Lead{ID: e.Lead, Source: "scenario", ReceivedAt: e.ReceivedAt, Fields: c.fields(e.Lead)}
		r, err := p.Record(&l, nil)
		if err != nil {
			return err
		}
		p.Decide(r, floor{p, c, e.At.Time()}, e.ReceivedAt.Time())
		invariants.Check(fmt.Sprintf("%q at %s", c.s.Name, span(e.At.Sub(c.start))), r, to, dsl.TargetName(to))
		r.Free()
	}
	return nil
}

func (c *scene) fields(id leadroute.LeadID) []byte {
	for i := range c.s.Arrivals {
		if a := &c.s.Arrivals[i]; c.ids[a.Name] == id {
			return a.Lead
		}
	}
	return nil
}

// floor answers for the reps of a scenario whom an invariant asks about.
type floor struct {
	plan *plan.Plan
	c    *scene
	at   time.Time
}

// Available counts the members who are there and within their hours.
func (f floor) Available(name leadroute.PoolID) int { return f.count(name, 0) }

// StaffedWithin tells whether somebody at the target is there in time.
func (f floor) StaffedWithin(t plan.Target, within time.Duration) (staffed, known bool) {
	switch {
	case t.Rep != "":
		return true, true // who has the lead is there
	case t.Pool != "":
		return f.count(t.Pool, within) > 0, true
	case t.Queue != "" && f.plan.Queues[t.Queue] != nil:
		for _, pool := range f.plan.Queues[t.Queue].DrainTo {
			if f.count(pool, within) > 0 {
				return true, true
			}
		}
	}
	return false, true
}

func (f floor) count(name leadroute.PoolID, within time.Duration) int {
	pool := f.plan.Pools[name]
	if pool == nil || !policytest.OpenWithin(pool.Hours, f.at, within) {
		return 0
	}
	actors := slices.Clone(f.c.s.Reps)
	for _, r := range f.plan.Reps {
		if !slices.ContainsFunc(actors, func(a dsl.Actor) bool { return a.Rep.ID == r.ID }) {
			actors = append(actors, dsl.Actor{Rep: r, Status: leadroute.StatusAvailable})
		}
	}
	n := 0
	for i := range actors {
		r := &actors[i].Rep
		duty := f.plan.Duty(r)
		member := pool.Where != nil && pool.Where(r) || pool.Where == nil && slices.Contains(pool.Members, r.ID)
		if member && actors[i].Status == leadroute.StatusAvailable && policytest.OpenWithin(&duty, f.at, within) {
			n++
		}
	}
	return n
}

func (c *scene) wrong(what, got, want string) {
	c.result.Wrong = append(c.result.Wrong, policytest.Difference{What: what, Got: got, Want: want})
}

// check compares what holds now with what must.
func (c *scene) check(m *dsl.Moment) {
	id := c.ids[m.Lead]
	at := " at " + span(m.At)
	if m.Owner != nil {
		got := ""
		if s := c.Lead(id); s != nil && (s.Phase == ledger.Owned || s.Phase == ledger.Closed) {
			got = string(s.Owner())
		}
		if got != *m.Owner {
			c.wrong("owner"+at, got, *m.Owner)
		}
	}
	if m.Queue != nil {
		got := ""
		if s := c.Lead(id); s != nil {
			got = string(s.Queue)
		}
		if got != *m.Queue {
			c.wrong("queue"+at, got, *m.Queue)
		}
	}
	if m.CRM != nil && c.CRM(id) != *m.CRM {
		c.wrong("crm"+at, c.CRM(id), *m.CRM)
	}
	if m.DuplicateOf != nil {
		got := ""
		if s := c.Lead(id); s != nil && s.Phase == ledger.Duplicate {
			got = c.name(s.Person.Root)
		}
		if got != *m.DuplicateOf {
			c.wrong("duplicate_of"+at, got, *m.DuplicateOf)
		}
	}
	if m.Notified != nil {
		c.checkNotified(id, m, at)
	}
	if m.Reason != nil && (m.Notified == nil || len(*m.Notified) == 0) {
		got := ""
		for _, e := range c.Events() {
			if e.Lead == id && e.Step == leadroute.StepReassigned {
				got = e.Reason
			}
		}
		if got != *m.Reason {
			c.wrong("reason"+at, got, *m.Reason)
		}
	}
}

// checkNotified wants each of the channels to have been told, for the reason if one is given.
func (c *scene) checkNotified(id leadroute.LeadID, m *dsl.Moment, at string) {
	var told []string
	reasons := map[string][]string{}
	for _, e := range c.Events() {
		if e.Lead != id || e.Step != leadroute.StepNotified || e.Reason == leadroute.ReasonResolved {
			continue
		}
		if !slices.Contains(told, e.Outcome) {
			told = append(told, e.Outcome)
		}
		reasons[e.Outcome] = append(reasons[e.Outcome], e.Reason)
	}
	missing := slices.ContainsFunc(*m.Notified, func(name string) bool { return !slices.Contains(told, name) })
	if missing || len(*m.Notified) == 0 && len(told) > 0 {
		c.wrong("notified"+at, strings.Join(told, ", "), strings.Join(*m.Notified, ", "))
		return
	}
	for _, name := range *m.Notified {
		if m.Reason != nil && !slices.Contains(reasons[name], *m.Reason) {
			c.wrong("reason"+at+" for channel."+name, strings.Join(reasons[name], ", "), *m.Reason)
		}
	}
}

// name is what the scenario calls a lead.
func (c *scene) name(id leadroute.LeadID) string {
	for name, have := range c.ids {
		if have == id {
			return name
		}
	}
	return ""
}

// timeline says what happened, a line each.
func (c *scene) timeline() []string {
	names := map[leadroute.LeadID]string{}
	for name, id := range c.ids {
		names[id] = name
	}
	var lines []string
	add := func(at leadroute.Millis, lead leadroute.LeadID, said string) {
		if said == "" {
			return
		}
		line := fmt.Sprintf("%8s  ", span(at.Sub(c.start)))
		if len(c.ids) > 1 {
			line += names[lead] + ": "
		}
		lines = append(lines, line+said)
	}
	claims := c.claims
	for _, e := range c.Events() {
		for len(claims) > 0 && claims[0].at < e.At {
			add(claims[0].at, claims[0].lead, claims[0].said)
			claims = claims[1:]
		}
		add(e.At, e.Lead, c.sentence(&e))
	}
	for _, b := range claims {
		add(b.at, b.lead, b.said)
	}
	return lines
}

// sentence is a step in words, "" for one that nobody asks for.
func (c *scene) sentence(e *leadroute.LatencyEvent) string {
	switch e.Step {
	case leadroute.StepDuplicate:
		return fmt.Sprintf("%s: the person came before with %s", e.Outcome, c.name(leadroute.LeadID(e.Reason)))
	case leadroute.StepDecided:
		if e.Rule == "" {
			return fmt.Sprintf("decided: %s, no rule takes it", e.Class)
		}
		return fmt.Sprintf("decided: %s by rule %s", e.Class, e.Rule)
	case leadroute.StepMerged:
		return c.name(leadroute.LeadID(e.Outcome)) + " is merged into it"
	case leadroute.StepOffered:
		if e.Rep != "" {
			if e.Reason != "" {
				return fmt.Sprintf("offered to rep %s: %s", e.Rep, e.Reason)
			}
			return "offered to rep " + string(e.Rep)
		}
		return "offered to pool " + string(e.Pool)
	case leadroute.StepDeclined:
		if e.Rep == "" {
			return "nobody of pool " + string(e.Pool) + " claimed it"
		}
		return fmt.Sprintf("%s cannot take it: %s", e.Rep, e.Reason)
	case leadroute.StepAssigned:
		return string(e.Rep) + " owns it"
	case leadroute.StepReleased:
		return fmt.Sprintf("%s does not get it: %s", e.Rep, e.Reason)
	case leadroute.StepClaimedAccount:
		return string(e.Rep) + " owns its company"
	case leadroute.StepQueued:
		return "waits in queue " + string(e.Queue)
	case leadroute.StepResponded:
		return string(e.Rep) + " responded"
	case leadroute.StepRefused:
		return fmt.Sprintf("%s %s, which does not stand: %s", e.Rep, e.Outcome, e.Reason)
	case leadroute.StepReassigned:
		if e.Rep == "" {
			return "moves on: " + e.Reason
		}
		return fmt.Sprintf("taken from %s: %s", e.Rep, e.Reason)
	case leadroute.StepNotified:
		if e.Reason == leadroute.ReasonResolved {
			return fmt.Sprintf("channel %s is told that it is over", e.Outcome)
		}
		return fmt.Sprintf("channel %s is told: %s", e.Outcome, e.Reason)
	case leadroute.StepParked:
		return fmt.Sprintf("%s holds it for queue %s", e.Destination, e.Queue)
	case leadroute.StepHeld:
		return "is held"
	case leadroute.StepUnheld:
		return "goes on"
	case leadroute.StepBreached:
		return "late: " + cmp.Or(e.Reason, "deliver_within")
	case leadroute.StepDeadLettered:
		return "given up: " + e.Reason
	default:
		return ""
	}
}

// span is a time since the start as an author writes it: "3m1s".
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
