package processors

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/clock"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/stream"
)

// floor is a log with a ledger and clocks that come and go; the test plays the pool, which
// finds ana at once, and the CRM, which acknowledges at once.
type floor struct {
	*kafkatest.Broker
	t     *testing.T
	plan  *plan.Plan
	times int // that the step tell fires

	mu      sync.Mutex
	changed chan struct{}                         // closed when fired grew
	fired   map[string]leadroute.LatencyEvent     // each step of each lead, by its event's id
	copies  int                                   // events that came again
	asked   map[leadroute.LeadID]leadroute.Millis // when the CRM acknowledged
}

const every = time.Second

const floorPolicy = `
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" {
  step "nudge" {
    after  = "%s"
    notify = [channel.owner]
  }
  step "tell" {
    every   = "%s"
    at_most = %d
    notify  = [channel.managers]
  }
}
rep "ana" { email = "ana@example.com" }
pool "all" { members = [rep.ana] }
queue "wait" {}
rule "all" { to = [pool.all, queue.wait] }
channel "owner" {
  slack { url = "https://hooks.example.com/owner" }
}
channel "managers" {
  slack { url = "https://hooks.example.com/managers" }
}
destination "crm" {
  webhook { url = "https://crm.example.com" }
}
`

func newFloor(t *testing.T, times int) *floor {
	t.Helper()
	f := &floor{
		Broker: kafkatest.Start(t, []leadroute.Class{"P0"}, "crm"), t: t, times: times, changed: make(chan struct{}),
		fired: map[string]leadroute.LatencyEvent{}, asked: map[leadroute.LeadID]leadroute.Millis{},
	}
	p, found := dsl.Parse(map[string][]byte{"policy.hcl": fmt.Appendf(nil, floorPolicy, every/2, every, times)})
	if found.HasErrors() {
		t.Fatal(found)
	}
	f.plan = p.Plan
	cl := f.Client()
	f.follow(leadroute.TopicPools, func(r *kgo.Record) error {
		m, err := leadroute.Decode[leadroute.PoolMessage](r.Value)
		if err != nil {
			return err
		}
		o := m.Offer
		return f.send(cl, string(o.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{
			Claim: leadroute.ClaimID{Lead: o.Lead, Rev: o.Rev, Target: o.Target, Try: o.Try, Rep: "ana"}, Pool: o.Pool, Accepted: true, At: leadroute.At(time.Now()),
		}})
	})
	f.follow(leadroute.Deliveries("crm", "P0"), func(r *kgo.Record) error {
		d, err := leadroute.Decode[leadroute.Delivery](r.Value)
		if err != nil {
			return err
		}
		return f.send(cl, string(d.Lead), &leadroute.LedgerMessage{Outcome: &leadroute.Outcome{
			Rev: d.Rev, Destination: "crm", Attempt: d.Attempt, Result: leadroute.ResultDelivered, Status: 200, At: leadroute.At(time.Now()),
		}})
	})
	f.follow(leadroute.TopicEvents, f.event)
	return f
}

func (f *floor) send(cl *kgo.Client, lead string, m *leadroute.LedgerMessage) error {
	return cl.ProduceSync(f.t.Context(), f.Record(leadroute.TopicLedger, lead, m)).FirstErr()
}

// follow hands each record of a topic on until the test ends.
func (f *floor) follow(t leadroute.Topic, each func(*kgo.Record) error) {
	f.t.Helper()
	cl := f.Client(kgo.ConsumeTopics(f.Config.Namespace.Topic(t)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithCancel(f.t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				if err := each(r); err != nil && ctx.Err() == nil {
					f.t.Errorf("%s: %s: %v", t, r.Value, err)
				}
			})
		}
	}()
	f.t.Cleanup(func() { cancel(); <-over })
}

// event books what the steps did. One that comes again says the same again.
func (f *floor) event(r *kgo.Record) error {
	e, err := leadroute.Decode[leadroute.LatencyEvent](r.Value)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch e.Step {
	case leadroute.StepDelivered:
		f.asked[e.Lead] = e.At
	case leadroute.StepNotified:
		if had, again := f.fired[e.ID()]; again {
			f.copies++
			if a, b := encoded(had), encoded(*e); a != b {
				f.t.Errorf("%s was told as\n%s\nand as\n%s", e.ID(), a, b)
			}
			return nil
		}
		f.fired[e.ID()] = *e
		close(f.changed)
		f.changed = make(chan struct{})
	default:
	}
	return nil
}

func encoded(e leadroute.LatencyEvent) string {
	b, _ := json.Marshal(e) // texts and numbers
	return string(b)
}

func (f *floor) ledger() (stop func()) {
	f.t.Helper()
	st, err := stream.New(f.Config, ledger.Stage(NewPlans(f.plan, nil), &company.Book{}, func(*plan.Plan, leadroute.Millis) plan.Live { return nil }))
	if err != nil {
		f.t.Fatal(err)
	}
	stop = kafkatest.Run(f.t, st.Run)
	kafkatest.Await(f.t, "the ledger", st.Ready())
	return stop
}

func (f *floor) clock(ahead time.Duration) (stop func()) {
	f.t.Helper()
	cfg := f.Config
	cfg.Clock = func() time.Time { return time.Now().Add(ahead) }
	c, err := clock.New(clock.Config{Stream: cfg, Tick: 20 * time.Millisecond})
	if err != nil {
		f.t.Fatal(err)
	}
	return kafkatest.Run(f.t, c.Run)
}

// admit lets leads in.
func (f *floor) admit(n int) {
	f.t.Helper()
	var rs []*kgo.Record
	now := leadroute.At(time.Now())
	for i := range n {
		id := leadroute.LeadID(fmt.Sprint("l", i))
		rs = append(rs, f.Record(leadroute.TopicLedger, string(id), &leadroute.LedgerMessage{Admitted: &leadroute.Admission{
			Class: "P0", Plan: f.plan.ID, Lead: leadroute.Lead{ID: id, Source: "web", Receipt: "r" + string(id), ReceivedAt: now, Fields: []byte(`{}`)},
		}}))
	}
	kafkatest.Send(f.t, f.Client(), rs...)
}

// until waits until so many steps have fired.
func (f *floor) until(n int) {
	f.t.Helper()
	end := time.After(2 * kafkatest.Patience)
	for {
		f.mu.Lock()
		have, changed := len(f.fired), f.changed
		f.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-changed:
		case <-end:
			f.t.Fatalf("%d steps fired, want %d", have, n)
		}
	}
}

// verdict checks that each step of each lead fired as often as the policy says, none before
// its time, and returns how late the latest was.
func (f *floor) verdict(leads int) (latest time.Duration) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	count := map[string]int{}
	last := f.asked // when each lead's tell counts from
	for n := range f.times {
		next := map[leadroute.LeadID]leadroute.Millis{}
		for _, e := range f.fired {
			if int(e.N&0xffff) != n+1 {
				continue
			}
			count[string(e.Lead)+" "+e.Reason]++
			due := f.asked[e.Lead].Add(every / 2)
			if e.Reason == "sla:P0/tell" {
				due = last[e.Lead].Add(every)
				next[e.Lead] = e.At
			}
			if e.At < due {
				f.t.Errorf("%s fired at %d, before it was due at %d", e.ID(), e.At, due)
			}
			latest = max(latest, e.At.Sub(due))
		}
		last = next
	}
	for i := range leads {
		for reason, want := range map[string]int{"sla:P0/nudge": 1, "sla:P0/tell": f.times} {
			if got := count[fmt.Sprintf("l%d %s", i, reason)]; got != want {
				f.t.Errorf("l%d: %s fired %d times, want %d", i, reason, got, want)
			}
		}
	}
	return latest
}

// TestClocksFireOnce: with two clocks of which one is killed, with the ledger taken over in
// the middle, and with nobody there while timers fall due, every step of every lead fires
// as often as the policy says: counted by (lead, step, n) on the topics.
func TestClocksFireOnce(t *testing.T) {
	const leads, times = 200, 3
	f := newFloor(t, times)
	stopLedger := f.ledger()
	stopA := f.clock(0)
	stopB := f.clock(0)
	f.admit(leads)
	f.until(leads / 4) // in the middle of the first firings
	stopA()
	f.until(leads)
	stopLedger() // what fires now waits in the inbox
	stopLedger = f.ledger()
	f.until(2 * leads)
	stopB()
	// Nobody is there while a round falls due.
	away := time.Now()
	for range time.Tick(every / 10) {
		if time.Since(away) > 2*every {
			break
		}
	}
	f.clock(0)
	f.clock(0)
	f.until(leads * (1 + times))
	stopLedger() // whoever takes over says again what the rows remember
	f.ledger()
	kafkatest.Send(t, f.Client(), f.Record(leadroute.TopicLedger, "l0", &leadroute.LedgerMessage{Check: &leadroute.Check{At: leadroute.At(time.Now())}}))
	latest := f.verdict(leads)
	t.Logf("the latest firing was %v late, with nobody there for %v; %d events came twice", latest, 2*every, f.copies)
}

// TestAClockThatIsAhead: an instance whose clock is five minutes ahead fires early what it
// owns, and nothing comes of that before its time.
func TestAClockThatIsAhead(t *testing.T) {
	const leads, times = 40, 1
	f := newFloor(t, times)
	f.ledger()
	f.clock(5 * time.Minute)
	f.clock(0)
	f.admit(leads)
	f.until(leads * (1 + times))
	latest := f.verdict(leads)
	t.Logf("the latest firing was %v late: what came too early comes again after a while", latest)
}
