// Package backtest plays many leads through a policy on a virtual clock: recorded ones, to
// see what the policy would have made of them, or synthetic ones, to see what the staffing
// bears. The decisions are those that run, too: the plan's, and Apply of the ledger, the
// pools and the reps. It reads leads and writes nothing but its figures; printing them is
// the commands' business.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/person"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Options say what is played, and by whom.
type Options struct {
	Plan *plan.Plan
	// Against is the policy whose decisions count as what was before; nil: what the leads
	// themselves have on record.
	Against *plan.Plan
	// Reps are on the floor besides those of the plan.
	Reps []leadroute.Rep
	// Handle is how long a rep keeps a lead until it is closed, in the rep's hours.
	Handle time.Duration
	// Respond is how long a rep takes to respond; meanwhile the SLA's steps run. 0: at once.
	Respond time.Duration
	// Claim is how long it takes on average until somebody claims a lead that is open to
	// claim, 30s if zero. A record that says when the lead was assigned rules.
	Claim time.Duration
	// Drain is how long after the last lead the floor goes on, for those that wait; 7 days if zero.
	Drain time.Duration
	// Progress is told now and then how many leads are through; nil: nobody asks.
	Progress func(done int)
}

const (
	defaultDrain = 7 * 24 * time.Hour
	batchSize    = 512
)

// Run plays recorded leads in the order in which they were received, whatever their order
// in the source. It holds all of them.
func Run(ctx context.Context, o Options, src Source) (*Report, error) {
	defer roomy()()
	var leads []Lead
	for ctx.Err() == nil {
		l, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		leads = append(leads, l)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(leads, func(a, b Lead) int { return int(min(max(a.ReceivedAt-b.ReceivedAt, -1), 1)) })
	r := newRun(o)
	if skipped, ok := src.(interface{ Skipped() (int, string) }); ok {
		r.report.Unreadable, r.report.UnreadableWhy = skipped.Skipped()
	}
	if len(leads) > 0 {
		r.span(leads[0].ReceivedAt, leads[len(leads)-1].ReceivedAt)
	}
	i := 0
	return r.play(ctx, func() (Lead, bool) {
		if i == len(leads) {
			return Lead{}, false
		}
		l := leads[i]
		leads[i] = Lead{} // the memory goes as the leads do
		i++
		return l, true
	})
}

// Simulate plays synthetic leads.
func Simulate(ctx context.Context, o Options, a Arrivals) (*Report, error) {
	if a.Rate <= 0 || a.For <= 0 {
		return nil, errors.New("a simulation needs a rate and a duration above 0")
	}
	defer roomy()()
	r := newRun(o)
	r.span(leadroute.At(a.Start), leadroute.At(a.Start.Add(a.For)))
	return r.play(ctx, a.leads(o.Plan))
}

// roomy has the collector trade memory for time while a run lasts: most of what a run
// allocates lives for one lead.
func roomy() (restore func()) {
	const percent = 400
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// run is one backtest under way.
type run struct {
	o      Options
	floor  *floor
	report *Report
	leads  []outcome
	seen   map[uint64]struct{} // hashes of the ids so far
	seed   maphash.Seed
	moved  moves
}

// outcome is what became of one lead.
type outcome struct {
	class            leadroute.Class
	since            leadroute.Millis
	sla              time.Duration
	assigned         leadroute.Millis // to its first owner; 0: not yet
	rep, was         leadroute.RepID
	queued, noRule   bool
	dead, reassigned bool
	dropped          bool // as a duplicate
}

func newRun(o Options) *run {
	if o.Drain == 0 {
		o.Drain = defaultDrain
	}
	o.Reps = slices.Concat(o.Plan.Reps, o.Reps)
	r := &run{o: o, report: &Report{}, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	r.floor = newFloor(&r.o, r.heard)
	return r
}

// span says when the leads come, so that the samples are spread over it.
func (r *run) span(from, until leadroute.Millis) {
	r.report.From, r.report.Until = from.Time(), until.Time()
	r.floor.start(from, max(until.Sub(from)/samples, time.Minute))
}

func (r *run) play(ctx context.Context, next func() (Lead, bool)) (*Report, error) {
	done := 0
	err := r.o.prepared(ctx, next, func(batch []prepared) error {
		for i := range batch {
			if err := r.arrive(&batch[i]); err != nil {
				return err
			}
		}
		done += len(batch)
		if r.o.Progress != nil {
			r.o.Progress(done)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	end := r.floor.now.Add(r.o.Drain)
	if err := r.floor.drain(ctx, end); err != nil {
		return nil, err
	}
	r.figures()
	return r.report, nil
}

// arrive lets one lead in at its time.
func (r *run) arrive(p *prepared) error {
	r.report.Leads++
	if p.err != nil {
		r.report.Refused++
		if r.report.RefusedWhy == "" {
			r.report.RefusedWhy = fmt.Sprintf("lead %s: %s", p.lead.ID, p.err)
		}
		return nil
	}
	if p.lead.ID == "" {
		p.lead.ID = leadroute.LeadID(fmt.Sprint("lead-", r.report.Leads))
	}
	id := maphash.String(r.seed, string(p.lead.ID))
	if _, twice := r.seen[id]; twice {
		r.report.Duplicates++
		return nil
	}
	r.seen[id] = struct{}{}
	if err := r.floor.runUntil(p.lead.ReceivedAt); err != nil {
		return err
	}
	d, err := p.decide(r.o.Plan, r.floor)
	if err != nil {
		return err
	}
	r.compare(p, d)
	r.leads = append(r.leads, outcome{
		class: d.Class, since: p.lead.Since(), sla: d.DeliverWithin, was: p.lead.AssignedTo, noRule: d.Rule == "",
	})
	return r.floor.admit(&p.lead, d, len(r.leads)-1)
}

// heard is a step that some lead took.
func (r *run) heard(n int, e *leadroute.LatencyEvent) {
	l := &r.leads[n]
	switch e.Step {
	case leadroute.StepAssigned:
		if l.assigned == 0 {
			l.assigned, l.rep = e.At, e.Rep
		}
		r.report.take(e.Rep, e.Pool)
	case leadroute.StepQueued:
		l.queued = true
	case leadroute.StepReassigned:
		l.reassigned = true
	case leadroute.StepDeadLettered:
		l.dead = true
	case leadroute.StepDuplicate:
		l.dropped = true
		r.report.Dropped++
	default:
	}
}

// prepared is a lead as far as it can be decided without the floor.
type prepared struct {
	lead     Lead
	now, was ready
	// account is what the lead saw, but for claims, and claims the key at which it makes one.
	account *leadroute.Account
	claims  string
	err     error
}

// ready is a decision or, where the plan reads live figures for this lead, the record that
// it will be made of.
type ready struct {
	decision plan.Decision
	record   *plan.Record
}

// decide decides the lead as the floor is now: its company may have been claimed since.
func (p *prepared) decide(by *plan.Plan, f *floor) (plan.Decision, error) {
	account, reads := p.account, false
	if mine := f.accounts[p.claims]; mine != nil {
		account = mine
		if by.Layout != nil {
			_, reads = by.Layout.Lookup("account.owner")
		}
	}
	if reads {
		if p.now.record != nil {
			p.now.record.Free()
		}
		var err error
		if p.now.record, err = by.Record(&p.lead.Lead, account); err != nil {
			return plan.Decision{}, err
		}
	}
	d := p.now.decide(by, f)
	d.Company = p.claims
	if account != nil {
		d.Seen = &plan.Snapshot{Account: account}
	}
	return d, nil
}

func (r *ready) decide(p *plan.Plan, f *floor) plan.Decision {
	if r.record != nil {
		r.decision = p.Decide(r.record, f.roster.Live(p, f.now), f.now.Time())
		r.record.Free()
		r.record = nil
	}
	return r.decision
}

// probe notes that a live figure was asked for.
type probe struct{ asked bool }

func (p *probe) Available(leadroute.PoolID) int { p.asked = true; return 0 }

func prepare(p *plan.Plan, l *leadroute.Lead, account *leadroute.Account) (ready, error) {
	record, err := p.Record(l, account)
	if err != nil {
		return ready{}, err
	}
	var live probe
	d := p.Decide(record, &live, l.ReceivedAt.Time())
	if live.asked {
		return ready{record: record}, nil
	}
	record.Free()
	return ready{decision: d}, nil
}

func (o *Options) prepare(l Lead) prepared {
	out := prepared{lead: l}
	fields, problems, err := o.Plan.Check(l.Fields)
	switch {
	case err != nil:
		out.err = err
		return out
	case len(problems) > 0:
		out.err = errors.New(problems[0].Message + "; " + problems[0].Remedy)
		return out
	}
	raw := l.Fields
	out.lead.Fields = fields
	out.lead.Identities = person.Identities(o.Plan, []byte("backtest"), &out.lead.Lead)
	out.account, _, out.claims = ledger.AccountOf(o.Plan, &out.lead.Lead, asRecorded{unclaimed(l.Account)})
	if out.now, out.err = prepare(o.Plan, &out.lead.Lead, out.account); out.err != nil || o.Against == nil {
		return out
	}
	before := l.Lead
	if before.Fields, problems, err = o.Against.Check(raw); err != nil || len(problems) > 0 {
		return out // the old policy's door refused it: it went nowhere
	}
	out.was, out.err = prepare(o.Against, &before, l.Account)
	return out
}

// asRecorded finds the account that was found then, in whatever way.
type asRecorded struct{ account *leadroute.Account }

func (r asRecorded) Find(p *plan.Plan, _ *leadroute.Lead) (*leadroute.Account, *plan.Found) {
	if p.Accounts == nil {
		return nil, nil
	}
	return r.account, nil
}

// unclaimed is a recorded account without what leads had claimed then: now others may.
func unclaimed(a *leadroute.Account) *leadroute.Account {
	if a == nil || a.Claim == nil {
		return a
	}
	if a.Claimed() {
		return nil
	}
	own := *a
	own.Owner, own.Claim = "", nil
	return &own
}

// prepared prepares the leads on all processors, and hands them on in order.
func (o *Options) prepared(ctx context.Context, next func() (Lead, bool), each func([]prepared) error) error {
	type job struct {
		leads []Lead
		out   chan []prepared
	}
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan job), make(chan chan []prepared, 2*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(order)
		defer close(jobs)
		for {
			batch := take(next, batchSize)
			if len(batch) == 0 {
				return nil
			}
			j := job{batch, make(chan []prepared, 1)}
			select {
			case order <- j.out:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	for range workers {
		g.Go(func() error {
			for j := range jobs {
				out := make([]prepared, len(j.leads))
				for i := range j.leads {
					out[i] = o.prepare(j.leads[i])
				}
				j.out <- out
			}
			return nil
		})
	}
	g.Go(func() error {
		for out := range order {
			select {
			case batch := <-out:
				if err := each(batch); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

func take(next func() (Lead, bool), most int) []Lead {
	batch := make([]Lead, 0, most)
	for len(batch) < most {
		l, ok := next()
		if !ok {
			break
		}
		batch = append(batch, l)
	}
	return batch
}
