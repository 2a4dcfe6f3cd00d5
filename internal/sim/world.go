// Package sim is the deterministic simulator: the real decisions and codec of every
// stateful stage on a virtual broker, clock, CRM and sales floor, driven by one seed. It
// reorders across senders, duplicates, delays, crashes owners with any subset of what they
// sent surviving, stalls owners whose late writes arrive after their successor's, loses
// acknowledgements, and checks the invariants of the saga after every step and its
// liveness at the end. A failing seed is one line to replay.
package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/company"
)

// Options size a world; New draws them from the seed.
type Options struct {
	Leads, Reps, Partitions int
	Processes               int  // when it starts
	Busy                    int  // steps for which there is misfortune, and longer while leads come
	Temper                  int  // more misfortune, in percent of the steps
	Faults                  bool // crashes and copies; without them only order and time vary
	Stalls                  bool // processes that do not know yet that they lost their partitions
	// Sweeps run the anti-entropy sweep. Only a stalled owner's late writes may need it: the
	// rest must converge without, so most worlds have none and a repair cannot hide a bug.
	Sweeps bool
	// Skew is how far a process's clock may be off.
	Skew  time.Duration
	Trace bool // keep a line per step
}

// World is one run.
type World struct {
	opt Options
	// Each step draws from a generator of its own, seeded by the seed and the step's number:
	// so a step can be left out and the others stay what they are (see Shrink).
	seed uint64
	pcg  rand.PCG
	rng  *rand.Rand
	skip []bool // by number: steps that are left out
	// until is the last step that matters, 0: all do. busy is the last before the drain.
	until, busy int
	now         leadroute.Millis
	// names is the index of the accounts' names, which goes on from decision to decision.
	names *company.Index
	// plan is in force; plans are all versions of it, which come into force one after the other.
	plan  *plan.Plan
	plans []*plan.Plan
	// epoch changes what the account table says, so that a replay may decide otherwise.
	epoch int
	// absent are reps who are never hired.
	absent map[int]bool
	// accept is how long a rep has to respond under half of the targets, 0: no bound.
	accept time.Duration

	ledger, pools, reps, identities, accounts, queues *stage

	stages  []*stage
	owners  int // there have been
	procs   []*process
	started int // processes
	stalled []stalled

	lanes  map[lane][]item
	order  []lane // the lanes in use, in order of first use: maps have no order of their own
	flying int
	slow   map[lane]int // until which step

	clock   clock
	door    door
	crm     crm
	workers map[leadroute.Topic]*worker
	topics  []leadroute.Topic // of workers, sorted
	owned   map[string]leadroute.RepID
	known   map[string]known // by lead
	// decisions are the last of each lead; otherwise are leads that were decided in two ways.
	decisions map[leadroute.LeadID]string
	otherwise map[leadroute.LeadID]bool
	events    map[string]leadroute.LatencyEvent
	dead      map[string]leadroute.DeadLetter
	notified  map[string]leadroute.Notification // on the log, by id
	claims    claims
	paused    map[string][]pause // by rep, as the log has it
	statuses  map[string][]said  // by rep, as the log has it
	asked     []asked            // by humans, of leads
	replies   map[string]leadroute.Reply
	out       map[string][]away // by rep, as the log has it
	holds     holds
	lines     map[string]turned // by pool: who was turned away
	removed   []removal
	reroutes  int
	moved     map[string]string        // by an operator's request: the event of the move
	heard     []leadroute.LatencyEvent // each once, in the order in which they were told
	decider   func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error)

	ownership owning

	draining  bool
	steps     int
	violation *Violation
	trace     []string
	late      []string // the last lines of its drain
	over      bool     // while it drains: nothing is left to do but what is on its way
	line      []string // of this step
}

// Violation is a broken invariant.
type Violation struct {
	Invariant string
	Detail    string
	Step      int
	// busy is the step after which nothing new came, 0: it was not reached.
	busy int
	left []left // of a world that does not come to rest
}

// liveness is the invariant that everything comes to rest.
const liveness = "5 liveness"

func (v *Violation) Error() string {
	return fmt.Sprintf("step %d: %s: %s", v.Step, v.Invariant, v.Detail)
}

// start is when every world begins: a Wednesday, 10:00 UTC.
const start = leadroute.Millis(1768384800000)

// newDrawn draws the world of a case, and leaves out what the case does.
func newDrawn(c Case, trace bool) *World {
	w := newWorld(start)
	w.seed, w.skip, w.until = c.Seed, c.Skip, c.until
	w.reseed()
	w.decider = w.decide
	w.opt = Options{
		Leads: 3 + w.rng.IntN(14), Reps: 1 + w.rng.IntN(5), Partitions: 1 << w.rng.IntN(2),
		Processes: 1 + w.rng.IntN(3), Faults: w.rng.IntN(4) > 0, Trace: trace,
	}
	if w.chance(2) {
		w.opt.Busy, w.opt.Temper = w.rng.IntN(1500), w.rng.IntN(4)
	}
	w.opt.Stalls = w.opt.Faults && w.chance(3)
	w.opt.Sweeps = w.opt.Stalls
	if w.chance(4) {
		w.opt.Skew = time.Duration(1+w.rng.IntN(30)) * time.Second
	}
	for i := range 1 + w.rng.IntN(3) {
		w.plans = append(w.plans, w.drawPlan(i+1))
	}
	w.plan = w.plans[0]
	return w
}

// open starts the stages and hires the reps.
func (w *World) open() {
	w.build()
	w.openWorkers()
	for i := range w.opt.Reps {
		w.hire(i)
	}
	for range w.rng.IntN(8) {
		w.importAccount()
	}
	w.endLine()
}

// newWorld is a world without a plan.
func newWorld(at leadroute.Millis) *World {
	w := &World{
		now: at, lanes: map[lane][]item{}, slow: map[lane]int{}, workers: map[leadroute.Topic]*worker{},
		owned: map[string]leadroute.RepID{}, known: map[string]known{}, decisions: map[leadroute.LeadID]string{}, otherwise: map[leadroute.LeadID]bool{}, events: map[string]leadroute.LatencyEvent{}, dead: map[string]leadroute.DeadLetter{},
		absent: map[int]bool{}, notified: map[string]leadroute.Notification{}, claims: claims{agreed: map[string]leadroute.RepID{}}, out: map[string][]away{}, paused: map[string][]pause{}, statuses: map[string][]said{}, replies: map[string]leadroute.Reply{}, clock: clock{timers: map[string]leadroute.Timer{}},
		ownership: newOwning(), names: company.NewIndex(),
	}
	w.rng = rand.New(&w.pcg)
	w.crm.init()
	return w
}

// openWorkers makes a worker for each deliveries topic of the plans.
func (w *World) openWorkers() {
	for _, p := range w.plans {
		for _, d := range p.Destinations {
			for _, c := range p.Classes {
				t := leadroute.Deliveries(d.Name, c.Name)
				if w.workers[t] == nil {
					w.workers[t] = &worker{dest: d.Name, busy: map[string]bool{}}
					w.topics = append(w.topics, t)
				}
			}
		}
	}
	slices.Sort(w.topics)
}

func (w *World) violate(invariant, format string, args ...any) {
	if w.violation == nil {
		w.violation = &Violation{invariant, fmt.Sprintf(format, args...), w.steps, w.busy, nil}
		w.note("VIOLATION of %s: %s", invariant, w.violation.Detail)
	}
}

// reseed begins the draws of a step.
func (w *World) reseed() { w.pcg.Seed(w.seed, 0x9e3779b97f4a7c15*uint64(w.steps+1)) } //nolint:gosec // a count

// chance is true once in n times.
func (w *World) chance(n int) bool { return w.rng.IntN(n) == 0 }

// Run runs a case to its end and returns the first violation, or nil, and the lines of the
// trace if asked for.
func Run(c Case, trace bool) (*Violation, []string) {
	w := newDrawn(c, trace)
	for i, t := range w.trims() {
		if i < len(c.Trim) && c.Trim[i] {
			t.cut()
		}
	}
	if trace {
		w.trace = w.about()
	}
	w.open()
	w.run()
	return w.violation, w.toldSteps()
}

const (
	maxSteps = 100_000 // of 100,000 healthy worlds one took more than 25,000
	dayStep  = 120_000 // ms that an idle draining world skips
	crowd    = 100     // items on their way, of which most say the same
)

func (w *World) run() {
	for w.goesOn() && (w.steps < w.opt.Busy || !w.door.closed(w)) {
		w.step()
	}
	w.busy = w.steps
	w.drain()
	if w.goesOn() {
		w.checkEnd()
	}
	if w.goesOn() {
		w.checkExpiry()
	}
	w.endLine()
}

// goesOn is false once something is violated, or where nobody cares for what comes now.
func (w *World) goesOn() bool {
	return w.violation == nil && (w.until == 0 || w.steps <= w.until)
}

// step lets one random thing happen.
func (w *World) step() {
	w.endLine()
	if w.steps++; w.steps > maxSteps {
		w.checkRest()
		return
	}
	if w.steps < len(w.skip) && w.skip[w.steps] {
		return
	}
	w.reseed()
	pace := 20
	if w.draining { // caps over time free up only as hours pass
		pace = 2000
	}
	w.now += leadroute.Millis(w.rng.IntN(pace))
	if !w.draining && w.rng.IntN(100) < w.opt.Temper {
		w.misfortune()
		return
	}
	// Most of the time something on its way arrives or somebody handles what has arrived.
	switch n := w.rng.IntN(100); {
	case w.flying > crowd && w.draining && n >= 42, w.over && n >= 86: // nobody says again what is on its way still, or done
		w.handleSome()
	case n < 42:
		if len(w.order) > 0 {
			w.flushSome()
			return
		}
		w.handleSome()
	case n < 75:
		w.handleSome()
	case n < 80:
		w.catchUpSome()
	case n < 86:
		w.workSome()
	case n < 88:
		w.clockTick()
	case n < 92:
		w.humans()
	case n < 96 && !w.draining:
		for more := true; more; more = w.chance(3) { // people send again at once
			w.door.post(w)
		}
	case n < 98 && !w.draining:
		w.misfortune()
	case w.draining && w.chance(20):
		w.replayDead()
	default:
		w.sweepSome()
	}
}

// flushSome lets something arrive. Now and then one way is slow for a while, and all that is on
// it comes late.
func (w *World) flushSome() {
	l := w.order[w.rng.IntN(len(w.order))]
	switch {
	case w.draining || !w.opt.Faults:
	case w.steps < w.slow[l]:
		return
	case w.chance(30):
		w.slow[l] = w.steps + 50 + w.rng.IntN(400)
		return
	}
	w.flush(l)
}

func (w *World) handleSome() {
	var ready []*owner
	for _, st := range w.stages {
		for _, p := range st.parts {
			if p.owner.pos < len(p.inbox) {
				ready = append(ready, p.owner)
			}
		}
	}
	for _, z := range w.stalled { // it does not know yet that it lost its partitions
		for _, o := range z.own {
			if o.pos < len(o.part.inbox) {
				ready = append(ready, o)
			}
		}
	}
	if len(ready) > 0 {
		w.handle(ready[w.rng.IntN(len(ready))])
	}
}

func (w *World) catchUpSome() {
	for _, p := range w.procs {
		if w.chance(2) {
			w.catchUp(p.view, w.rng.IntN(w.opt.Partitions), 1+w.rng.IntN(5))
		}
	}
}

// misfortune lets something happen to the processes, or changes the world.
func (w *World) misfortune() {
	switch n := w.rng.IntN(10); {
	case n < 4:
		w.upheaval()
	case n < 5:
		w.epoch++
		w.importAccount()
	case n < 6:
		w.reviseSome()
	case n < 7:
		w.swap()
	default:
		w.changeRep()
	}
}

// swap puts the next version of the policy into force. Leads on their way end under theirs.
func (w *World) swap() {
	if i := slices.Index(w.plans, w.plan) + 1; i < len(w.plans) {
		w.plan = w.plans[i]
		w.note("POLICY %s", w.plan.ID)
	}
}

// drain ends all misfortune and lets the world run until nothing is left to do.
func (w *World) drain() {
	w.draining = true
	for len(w.stalled) > 0 {
		w.endStall()
	}
	for i := range w.opt.Reps {
		w.hire(i)
		for _, sender := range []int{senderOps, senderFeed - 1, senderFeed - 2} { // the last word of each
			w.send(sender, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Status: new(leadroute.StatusAvailable)})
		}
		w.send(senderOps, leadroute.TopicReps, repName(i), &leadroute.RepMessage{Away: &leadroute.RepAway{Back: w.now, All: true}})
	}
	for w.goesOn() {
		if w.idle() {
			w.checkHolders()
			if len(w.pending(1)) == 0 {
				return
			}
			w.now += dayStep
			for _, p := range w.procs {
				for part := range w.opt.Partitions {
					w.catchUp(p.view, part, 1<<30)
				}
			}
			w.clockTick()
			w.sweepAll()
			w.replayDead()
			w.releaseHeld()
		}
		if w.steps%64 == 0 {
			w.over = len(w.pending(1)) == 0
		}
		w.step()
	}
}

func (w *World) idle() bool {
	if w.flying > 0 {
		return false
	}
	for _, st := range w.stages {
		for _, p := range st.parts {
			if p.owner.pos < len(p.inbox) {
				return false
			}
		}
	}
	for _, t := range w.topics {
		if !w.workers[t].idle() {
			return false
		}
	}
	return true
}

func repName(i int) string { return "r" + strconv.Itoa(i) }
