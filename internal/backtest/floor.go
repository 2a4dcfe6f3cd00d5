package backtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/accounts"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/identities"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/pools"
	"github.com/leadroute/leadroute/processors/reps"
)

// floor is the middle of the router and its reps on a virtual clock: one owner of each
// stage, every message arrives at once and in order, the CRM acknowledges at once. Unlike
// the simulator's world it has no log, so that a lead costs microseconds.
type floor struct {
	o     *Options
	heard func(n int, e *leadroute.LatencyEvent)

	now     leadroute.Millis
	agenda  agenda
	todo    []leadroute.Effect
	freed   []leadroute.RepID // who may take a lead again since the waiting were last offered
	fresh   []*group          // groups that came up and were not offered yet: a queue may drain to others than the rule names
	decided plan.Decision     // of the lead that is being let in

	ledgerEnv ledger.Env
	poolsEnv  pools.Env
	repsEnv   reps.Env
	roster    *pools.Roster
	pools     map[leadroute.PoolID]*pools.State
	reps      map[leadroute.RepID]*desk.State
	people    map[string]*identities.State
	accounts  map[string]*leadroute.Account // that leads claimed, by key
	ids       []leadroute.RepID             // of the reps, in order
	poolsOf   map[leadroute.RepID][]*plan.Pool
	leads     map[leadroute.LeadID]*row
	timers    map[string]*leadroute.Timer
	waiting   waiting

	claim   time.Duration // until somebody claims a lead, on average
	every   time.Duration // between samples
	samples []Sample
	duty    map[leadroute.RepID]*duty
}

// row is an open lead.
type row struct {
	state *ledger.State
	n     int // its place among the leads
	// was has it on record, since assignedAt where that is known.
	was        leadroute.RepID
	assignedAt leadroute.Millis
	claimers   []leadroute.RepID // who may still try to claim it
}

// duty is how a rep's time went, in samples.
type duty struct{ onShift, busy, open, peak int }

// cue is something that happens at a time.
type cue struct {
	kind  cueKind
	lead  leadroute.LeadID
	rev   int
	key   string
	timer *leadroute.Timer
	rep   leadroute.RepID
	opens opens
	zone  *time.Location
}

type cueKind uint8

const (
	cueTimer   cueKind = iota // a timer of the ledger is due
	cueClaim                  // somebody claims a lead that is open
	cueRespond                // the owner responds
	cueClose                  // the owner closes the lead
	cueTooOld                 // the lead may have waited for too long
	cueRep                    // a rep's pause, or hour, is over
	cueOpening                // some hours open
	cueDay                    // a day begins: caps per day and week count afresh
	cueForget                 // people whose time is over
	cueSample
)

func newFloor(o *Options, heard func(int, *leadroute.LatencyEvent)) *floor {
	f := &floor{
		o: o, heard: heard, roster: pools.NewRoster(),
		pools: map[leadroute.PoolID]*pools.State{}, reps: map[leadroute.RepID]*desk.State{}, people: map[string]*identities.State{}, accounts: map[string]*leadroute.Account{}, poolsOf: map[leadroute.RepID][]*plan.Pool{},
		leads: map[leadroute.LeadID]*row{}, timers: map[string]*leadroute.Timer{}, waiting: newWaiting(), duty: map[leadroute.RepID]*duty{},
	}
	if f.claim = o.Claim; f.claim <= 0 {
		f.claim = defaultClaim
	}
	one := func(leadroute.PlanID) *plan.Plan { return o.Plan }
	f.ledgerEnv = ledger.Env{Plan: one, Decide: func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error) {
		return f.decided, nil
	}}
	f.poolsEnv, f.repsEnv = pools.Env{Plan: one, Roster: f.roster}, reps.Env{Plan: one}
	for _, r := range o.Reps {
		s, _ := reps.Apply(f.repsEnv, r.ID, f.reps[r.ID], &leadroute.RepMessage{Profile: &r}, 0)
		f.reps[r.ID] = s
		f.roster.Update(r.ID, s)
		if f.duty[r.ID] == nil {
			f.ids, f.duty[r.ID] = append(f.ids, r.ID), &duty{}
		}
	}
	for id, s := range f.reps {
		for _, p := range o.Plan.Pools {
			if p.Member(&s.Profile) {
				f.poolsOf[id] = append(f.poolsOf[id], p)
			}
		}
	}
	return f
}

// start sets the clock, and puts the openings, days and samples on the agenda.
func (f *floor) start(at leadroute.Millis, every time.Duration) {
	f.now, f.every = at, every
	f.agenda.add(at, cue{kind: cueSample})
	if f.o.Plan.Dedupe != nil {
		f.agenda.add(at.Add(24*time.Hour), cue{kind: cueForget})
	}
	for _, h := range f.allHours() {
		if t := nextOpening(h, at.Time()); !t.IsZero() {
			f.agenda.add(leadroute.At(t), cue{kind: cueOpening, opens: h})
		}
	}
	zones := map[string]bool{}
	for _, id := range f.ids {
		z := f.o.Plan.RepZone(&f.reps[id].Profile)
		if !zones[z.String()] && f.capped(id) {
			zones[z.String()] = true
			f.agenda.add(nextDay(at, z), cue{kind: cueDay, zone: z})
		}
	}
}

// capped tells whether some cap per day or week bounds the rep.
func (f *floor) capped(id leadroute.RepID) bool {
	dated := func(c leadroute.Caps) bool { return c.PerDay > 0 || c.PerWeek > 0 }
	return dated(f.reps[id].Profile.Caps) || slices.ContainsFunc(f.poolsOf[id], func(p *plan.Pool) bool { return dated(p.Caps) })
}

// opens is what a rep or a pool keeps: hours, or a rep's duty.
type opens interface {
	Next(at time.Time, open bool) time.Time
}

// allHours are the hours that somebody keeps, and the duties of those who have times of their own.
func (f *floor) allHours() []opens {
	var all []opens
	add := func(h *plan.Hours) {
		if h != nil && !slices.Contains(all, opens(h)) {
			all = append(all, h)
		}
	}
	for _, id := range f.ids {
		r := &f.reps[id].Profile
		if r.Shifts.IsZero() && len(r.Holidays)+len(r.Away) == 0 {
			add(f.o.Plan.Hours[r.Hours])
			continue
		}
		duty := f.o.Plan.Duty(r)
		all = append(all, &duty)
	}
	for _, id := range poolNames(f.o.Plan) {
		add(f.o.Plan.Pools[id].Hours)
	}
	return all
}

// nextOpening is the first instant after at at which the hours begin; zero if there is none in a year.
func nextOpening(h opens, at time.Time) time.Time {
	closed := h.Next(at, false)
	if closed.IsZero() {
		return closed
	}
	return h.Next(closed, true)
}

func nextDay(at leadroute.Millis, zone *time.Location) leadroute.Millis {
	y, m, d := at.Time().In(zone).Date()
	return max(leadroute.At(time.Date(y, m, d+1, 0, 0, 0, 0, zone)), at+1)
}

// admit lets a lead in, as decided.
func (f *floor) admit(l *Lead, d plan.Decision, n int) error {
	f.decided = d
	f.leads[l.ID] = &row{n: n, was: l.AssignedTo, assignedAt: l.AssignedAt}
	lead := l.Lead
	lead.Receipt = "recorded"
	f.tell(l.ID, &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Lead: lead, Class: d.Class, Plan: f.o.Plan.ID}})
	return f.settle()
}

func (f *floor) tell(id leadroute.LeadID, m *leadroute.LedgerMessage) {
	f.todo = append(f.todo, leadroute.Effect{Topic: leadroute.TopicLedger, Key: string(id), Value: m})
}

// maxHops bounds what one thing that happens may set off: a policy whose targets chase
// each other must not hang the run.
const maxHops = 1_000_000

// settle handles all that is on its way, and offers the waiting to whoever became free.
func (f *floor) settle() error {
	if err := f.work(); err != nil {
		return err
	}
	for len(f.freed)+len(f.fresh) > 0 {
		var groups []*group
		if len(f.fresh) > 0 {
			groups, f.fresh = f.fresh, nil
		} else {
			groups = f.reachedBy(f.freed[0])
			f.freed = f.freed[1:]
		}
		if err := f.wake(groups); err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) work() error {
	for i := 0; i < len(f.todo); i++ {
		if i > maxHops {
			return fmt.Errorf("%d messages at %s and no end", i, f.now.Time().Format(time.RFC3339))
		}
		e := f.todo[i]
		f.todo[i] = leadroute.Effect{}
		f.handle(e)
	}
	f.todo = f.todo[:0]
	return nil
}

func (f *floor) handle(e leadroute.Effect) {
	switch m := e.Value.(type) {
	case *leadroute.LedgerMessage:
		id := leadroute.LeadID(e.Key)
		r := f.leads[id]
		var s *ledger.State
		if r != nil {
			s = r.state
		}
		s, out := ledger.Apply(f.ledgerEnv, id, s, m, f.now, false)
		f.todo = append(f.todo, out...)
		if r != nil {
			r.state = s
		}
	case *leadroute.PoolMessage:
		id := leadroute.PoolID(e.Key)
		s, out := pools.Apply(f.poolsEnv, id, f.pools[id], m, f.now)
		f.pools[id] = s
		f.todo = append(f.todo, out...)
	case *leadroute.RepMessage:
		f.desk(leadroute.RepID(e.Key), m)
	case *leadroute.IdentityMessage:
		s, out := identities.Apply(f.people[e.Key], m, f.now)
		f.people[e.Key] = s
		f.todo = append(f.todo, out...)
	case *leadroute.AccountMessage:
		a, out := accounts.Apply(e.Key, f.accounts[e.Key], m, f.now)
		f.accounts[e.Key] = a
		f.todo = append(f.todo, out...)
	case *leadroute.LatencyEvent:
		f.event(e.Key, m)
	case *leadroute.Delivery:
		f.tell(m.Lead, &leadroute.LedgerMessage{Outcome: &leadroute.Outcome{
			Rev: m.Rev, Destination: m.Destination, Attempt: m.Attempt, Result: leadroute.ResultDelivered, Status: 200, At: f.now,
		}})
	case *leadroute.Reply:
		f.replied(m)
	case *leadroute.Timer:
		f.setTimer(e.Key, m)
	case nil:
		if e.Topic == leadroute.TopicTimers {
			delete(f.timers, e.Key)
			f.waiting.remove(e.Key)
		}
	}
}

func (f *floor) desk(id leadroute.RepID, m *leadroute.RepMessage) {
	s, out := reps.Apply(f.repsEnv, id, f.reps[id], m, f.now)
	f.todo = append(f.todo, out...)
	if s == nil {
		return
	}
	f.reps[id] = s
	f.roster.Update(id, s)
	switch {
	case m.Release != nil:
		f.freed = append(f.freed, id)
	case m.Pause != nil:
		f.agenda.add(m.Pause.Until, cue{kind: cueRep, rep: id})
	case m.Claim != nil:
		f.duty[id].peak = max(f.duty[id].peak, s.Open())
		pool := f.o.Plan.Pools[m.Claim.Pool]
		if s.Profile.Caps.PerHour > 0 || pool != nil && pool.Caps.PerHour > 0 {
			f.agenda.add(f.now.Add(time.Hour), cue{kind: cueRep, rep: id})
		}
	}
}

func (f *floor) event(key string, e *leadroute.LatencyEvent) {
	id := leadroute.LeadID(key)
	r := f.leads[id]
	if r == nil {
		return
	}
	f.heard(r.n, e)
	switch e.Step {
	case leadroute.StepAssigned:
		f.owned(id, r.state, e.Rep)
	case leadroute.StepQueued:
		age := f.o.Plan.MaxAge
		if age <= 0 {
			age = plan.DefaultMaxAge
		}
		l := leadroute.Lead{EmittedAt: e.EmittedAt, ReceivedAt: e.ReceivedAt}
		f.agenda.add(max(l.Since().Add(age), f.now+1), cue{kind: cueTooOld, lead: id, rev: r.state.Rev})
	case leadroute.StepDeadLettered:
		if e.Destination == "" {
			delete(f.leads, id)
		}
	case leadroute.StepDuplicate:
		delete(f.leads, id)
	case leadroute.StepClosed:
		delete(f.leads, id) // its destinations have acknowledged
	default:
	}
}

// owned puts on the agenda when the rep responds and closes the lead.
func (f *floor) owned(id leadroute.LeadID, s *ledger.State, rep leadroute.RepID) {
	c := cue{kind: cueRespond, lead: id, rev: s.Rev, rep: rep}
	if f.clocks(s) {
		if f.o.Respond == 0 {
			f.tell(id, &leadroute.LedgerMessage{Action: &leadroute.RepAction{Action: leadroute.ActionResponded, Rep: rep, At: f.now}})
		} else {
			f.agenda.add(f.now.Add(f.o.Respond), c)
		}
	}
	duty := f.reps[rep].Duty(f.o.Plan)
	done := duty.After(f.now.Time(), f.o.Handle)
	if done.IsZero() {
		return // the hours never last so long
	}
	c.kind = cueClose
	f.agenda.add(max(leadroute.At(done), f.now.Add(f.o.Respond)), c)
}

// clocks tells whether something runs until the rep has responded.
func (f *floor) clocks(s *ledger.State) bool {
	c := f.o.Plan.Class(s.Class)
	return c != nil && (len(c.Steps) > 0 || c.RespondWithin > 0) ||
		slices.ContainsFunc(s.Targets, func(t plan.Target) bool { return t.Accept > 0 })
}

func (f *floor) setTimer(key string, t *leadroute.Timer) {
	if t.Kind != leadroute.TimerWake {
		f.timers[key] = t
		f.agenda.add(max(t.Due, f.now), cue{kind: cueTimer, key: key, timer: t})
		if t.Kind == leadroute.TimerClaim {
			f.opened(t)
		}
		return
	}
	if r := f.leads[t.Lead]; r != nil && r.state != nil {
		if g := f.waiting.add(key, t, f.o.Plan, r.state); g != nil {
			f.fresh = append(f.fresh, g)
		}
	}
}

// runUntil lets the time pass.
func (f *floor) runUntil(at leadroute.Millis) error {
	for {
		due, c, ok := f.agenda.pop(at)
		if !ok {
			f.now = max(f.now, at)
			return nil
		}
		f.now = max(f.now, due)
		if err := f.play(c); err != nil {
			return err
		}
	}
}

// drain goes on until no lead waits or is on a desk, at most until end.
func (f *floor) drain(ctx context.Context, end leadroute.Millis) error {
	for len(f.leads) > 0 && ctx.Err() == nil {
		due, c, ok := f.agenda.pop(end)
		if !ok {
			break
		}
		f.now = max(f.now, due)
		if err := f.play(c); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (f *floor) play(c cue) error {
	switch c.kind {
	case cueTimer:
		if f.timers[c.key] != c.timer {
			return nil // cancelled, or set anew
		}
		delete(f.timers, c.key)
		f.tell(c.timer.Lead, &leadroute.LedgerMessage{Due: c.timer})
	case cueClaim:
		if r := f.leads[c.lead]; r != nil && f.timers[c.key] == c.timer { // it is open still
			r.claimers = f.claimers(c.lead, leadroute.PoolID(c.timer.Name))
			f.bid(c.lead)
		}
	case cueRespond, cueClose:
		action := leadroute.ActionResponded
		if c.kind == cueClose {
			action = leadroute.ActionClosed
		}
		if r := f.leads[c.lead]; r != nil && r.state.Rev == c.rev && r.state.Owner() == c.rep {
			f.tell(c.lead, &leadroute.LedgerMessage{Action: &leadroute.RepAction{Action: action, Rep: c.rep, At: f.now}})
		}
	case cueTooOld:
		if r := f.leads[c.lead]; r != nil && r.state.Rev == c.rev && r.state.Phase == ledger.Waiting {
			f.tell(c.lead, &leadroute.LedgerMessage{Check: &leadroute.Check{At: f.now}})
		}
	case cueRep:
		f.freed = append(f.freed, c.rep)
	case cueOpening:
		if t := nextOpening(c.opens, f.now.Time()); !t.IsZero() {
			f.agenda.add(leadroute.At(t), c)
		}
		return f.wake(f.waiting.groups)
	case cueForget:
		maps.DeleteFunc(f.people, func(_ string, s *identities.State) bool { return s == nil || f.now >= s.Until })
		f.agenda.add(f.now.Add(24*time.Hour), c)
		return nil
	case cueDay:
		f.agenda.add(nextDay(f.now, c.zone), c)
		return f.wake(f.waiting.groups)
	case cueSample:
		f.sample()
		f.agenda.add(f.now.Add(f.every), c)
	}
	return f.settle()
}

// sample notes how the floor looks now.
func (f *floor) sample() {
	s := Sample{At: f.now.Time(), Waiting: f.waiting.size()}
	for _, id := range f.ids {
		d, st := f.duty[id], f.reps[id]
		open := st.Open()
		if duty := st.Duty(f.o.Plan); duty.Off(f.now.Time()) == "" {
			s.OnShift++
			d.onShift++
			d.open += open
			if open > 0 {
				s.Busy++
				d.busy++
			}
		}
	}
	f.samples = append(f.samples, s)
}

// reachedBy are the groups of waiting leads that the rep could take from.
func (f *floor) reachedBy(rep leadroute.RepID) []*group {
	if f.waiting.size() == 0 {
		return nil
	}
	var all []*group
	s := f.reps[rep]
	for _, g := range f.waiting.groups {
		able := g.reps[rep] && desk.Refuse(s, f.o.Plan, nil, "", f.now, g.exempt) == ""
		for _, p := range f.poolsOf[rep] {
			able = able || g.pools[p.Name] && desk.Refuse(s, f.o.Plan, p, "", f.now, false) == ""
		}
		if able {
			all = append(all, g)
		}
	}
	return all
}

// wake offers the heads of the groups in the order in which they are served, until each was
// offered in vain. The leads of a group stand alike: if nobody takes its head, nobody takes
// another.
func (f *floor) wake(groups []*group) error {
	groups = slices.Clone(groups)
	for {
		groups = slices.DeleteFunc(groups, func(g *group) bool { return g.head() == nil })
		best := firstOf(groups)
		if best < 0 {
			return nil
		}
		head := groups[best].head()
		f.tell(head.timer.Lead, &leadroute.LedgerMessage{Due: head.timer})
		if err := f.work(); err != nil {
			return err
		}
		if !head.gone {
			groups = slices.Delete(groups, best, best+1)
		}
	}
}

// firstOf is the group whose head is served first, -1 if there is none: of each queue's heads
// the first one, and of these the one with the earliest deadline. See leadroute.Line.
func firstOf(groups []*group) int {
	var room [8]int
	heads := room[:0] // by queue: a plan has few
	for i, g := range groups {
		h := g.head()
		same := slices.IndexFunc(heads, func(j int) bool { return groups[j].head().place.Queue == h.place.Queue })
		switch {
		case same < 0:
			heads = append(heads, i)
		case h.before(groups[heads[same]].head()):
			heads[same] = i
		}
	}
	best := -1
	for _, i := range heads {
		if best < 0 || groups[i].head().place.Sooner(groups[best].head().place) < 0 {
			best = i
		}
	}
	return best
}
