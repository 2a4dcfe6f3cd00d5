package deliver_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

var classes = []leadroute.Class{"P0", "P1", "P2"}

// crm is a connector made of a function.
type crm func(ctx context.Context, d *leadroute.Delivery) connector.Attempt

func (f crm) Deliver(ctx context.Context, d *leadroute.Delivery) connector.Attempt { return f(ctx, d) }

var taken = connector.Attempt{Result: leadroute.ResultDelivered, Status: 200}

func start(t *testing.T, b *kafkatest.Broker, d plan.Destination, c connector.Connector, more ...func(*deliver.Config)) (stop func()) {
	t.Helper()
	d.Name = "crm"
	cfg := deliver.Config{Stream: b.Config, Destination: d, Connector: c, Classes: classes, Drain: 300 * time.Millisecond}
	for _, f := range more {
		f(&cfg)
	}
	w, err := deliver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return kafkatest.Run(t, w.Run)
}

func lead(i int) leadroute.LeadID { return leadroute.LeadID(fmt.Sprintf("lead-%d", i)) }

func asked(id leadroute.LeadID, rev int, class leadroute.Class) *leadroute.Delivery {
	now := leadroute.At(time.Now())
	return &leadroute.Delivery{
		Lead: id, Rev: rev, Attempt: 1, Destination: "crm", Class: class, Owner: "ana", Source: "test",
		ReceivedAt: now, AssignedAt: now, Fields: []byte(`{"email":"ana@example.com"}`),
		Deadline: now.Add(map[leadroute.Class]time.Duration{"P0": time.Minute, "P1": 5 * time.Minute, "P2": 30 * time.Minute}[class]),
	}
}

func ask(t *testing.T, b *kafkatest.Broker, ds ...*leadroute.Delivery) {
	t.Helper()
	cl := b.Client()
	var rs []*kgo.Record
	for _, d := range ds {
		rs = append(rs, b.Record(leadroute.Deliveries("crm", d.Class), string(d.Lead), d))
	}
	kafkatest.Send(t, cl, rs...)
}

// outcomes reads the ledger's inbox until n different leads have an outcome that counts.
func outcomes(t *testing.T, b *kafkatest.Broker, n int, counts func(*leadroute.Outcome) bool) map[leadroute.LeadID][]leadroute.Outcome {
	t.Helper()
	got, seen := map[leadroute.LeadID][]leadroute.Outcome{}, map[leadroute.LeadID]bool{}
	b.Read(leadroute.TopicLedger).Until(fmt.Sprint("outcomes of ", n, " leads"), func(r *kgo.Record) bool {
		m, err := leadroute.Decode[leadroute.LedgerMessage](r.Value)
		if err != nil || m.Outcome == nil {
			t.Fatalf("ledger got %s (%v), want an outcome", r.Value, err)
		}
		id := leadroute.LeadID(r.Key)
		got[id] = append(got[id], *m.Outcome)
		if counts == nil || counts(m.Outcome) {
			seen[id] = true
		}
		return len(seen) < n
	})
	return got
}

// committed waits until everything is committed and nothing lags behind.
func committed(t *testing.T, b *kafkatest.Broker, want int64) {
	t.Helper()
	adm := kadm.NewClient(b.Client())
	var got int64
	for deadline := time.Now().Add(kafkatest.Patience); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		res, err := adm.FetchOffsets(t.Context(), b.Config.Namespace.Group("deliver.crm"))
		if err != nil {
			t.Fatal(err)
		}
		got = 0
		res.Each(func(o kadm.OffsetResponse) { got += max(0, o.At) })
		if got == want {
			return
		}
	}
	t.Fatalf("committed records = %v, want %v", got, want)
}

func TestEveryDeliveryIsAnsweredAndCommitted(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	results := []connector.Attempt{
		taken,
		{Result: leadroute.ResultRetry, Status: 503, Reason: "http 503", RetryAfter: 1234},
		{Result: leadroute.ResultRejected, Status: 410, Reason: "http 410"},
	}
	start(t, b, plan.Destination{}, crm(func(_ context.Context, d *leadroute.Delivery) connector.Attempt { return results[d.Rev%3] }))
	const n = 300
	var ds []*leadroute.Delivery
	for i := range n {
		ds = append(ds, asked(lead(i), i+1, classes[i%3]))
	}
	ask(t, b, ds...)
	got := outcomes(t, b, n, nil)
	for i, d := range ds {
		want := results[d.Rev%3]
		o := got[d.Lead][0]
		o.At = 0
		if w := (leadroute.Outcome{
			Rev: i + 1, Destination: "crm", Attempt: 1, Result: want.Result, Status: want.Status, Reason: want.Reason, RetryAfter: want.RetryAfter,
		}); o != w {
			t.Errorf("outcome of %v = %+v, want %+v", d.Lead, o, w)
		}
	}
	committed(t, b, n)
}

func TestRateAndConcurrencyAreKept(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	var flying, most atomic.Int32
	var mu sync.Mutex
	var first, last time.Time
	const n, perSec, slots = 120, 200, 4
	start(t, b, plan.Destination{RatePerSec: perSec, Concurrency: slots}, crm(func(context.Context, *leadroute.Delivery) connector.Attempt {
		f := flying.Add(1)
		defer flying.Add(-1)
		mu.Lock()
		most.Store(max(most.Load(), f))
		if first.IsZero() {
			first = time.Now()
		}
		last = time.Now()
		mu.Unlock()
		<-time.After(5 * time.Millisecond)
		return taken
	}))
	var ds []*leadroute.Delivery
	for i := range n {
		ds = append(ds, asked(lead(i), 1, "P1"))
	}
	ask(t, b, ds...)
	outcomes(t, b, n, nil)
	if got := most.Load(); got > slots || got < 2 {
		t.Errorf("attempts at once = %v, want 2 to %v", got, slots)
	}
	burst := perSec / 20
	if got, least := last.Sub(first), time.Second*(n-time.Duration(burst)-1)/perSec; got < least {
		t.Errorf("%v attempts took %v, want at least %v at %v/s with a burst of %v", n, got, least, perSec, burst)
	}
}

func TestAFloodOfP2DoesNotDelayP0(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	started := make(chan struct{}, 1)
	var waited sync.Map
	start(t, b, plan.Destination{Concurrency: 8}, crm(func(_ context.Context, d *leadroute.Delivery) connector.Attempt {
		if d.Class == "P0" {
			waited.Store(d.Lead, time.Since(d.ReceivedAt.Time()))
			return taken
		}
		select {
		case started <- struct{}{}:
		default:
		}
		<-time.After(20 * time.Millisecond) // 350/s at most
		return taken
	}), func(c *deliver.Config) { c.ReadAhead = 64 })
	var flood []*leadroute.Delivery
	for i := range 2000 {
		flood = append(flood, asked(lead(i), 1, "P2"))
	}
	ask(t, b, flood...)
	kafkatest.Await(t, "the flood", started)
	const n = 20
	for i := range n {
		ask(t, b, asked(lead(10000+i), 1, "P0"))
	}
	outcomes(t, b, n, nil)
	seen := 0
	b.Read(leadroute.TopicLedger).Until("20 outcomes of P0", func(r *kgo.Record) bool {
		if len(r.Key) == len("lead-10000") {
			seen++
		}
		return seen < n
	})
	waited.Range(func(id, w any) bool {
		if w.(time.Duration) > time.Second { // the flood alone takes 5 s; a turn of P2 20 ms
			t.Errorf("P0 lead %v waited %v behind the flood of 5s, want at most 1s", id, w)
		}
		return true
	})
}

func TestANewerRevisionSupersedesWhatHasNotStarted(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	begun, release := make(chan int, 10), make(chan struct{})
	start(t, b, plan.Destination{}, crm(func(_ context.Context, d *leadroute.Delivery) connector.Attempt {
		begun <- d.Rev
		<-release
		return taken
	}))
	ask(t, b, asked("l", 1, "P1"))
	if rev := kafkatest.Await(t, "the first attempt", begun); rev != 1 {
		t.Fatalf("first attempt is of revision %v, want 1", rev)
	}
	ask(t, b, asked("l", 2, "P1"), asked("l", 3, "P1"))
	// Revision 2 is answered while 1 is still in flight: nothing else happened.
	b.Read(leadroute.TopicLedger).Until("revision 2 superseded", func(r *kgo.Record) bool {
		m, err := leadroute.Decode[leadroute.LedgerMessage](r.Value)
		if err != nil || m.Outcome.Rev != 2 || m.Outcome.Result != leadroute.ResultSuperseded {
			t.Fatalf("ledger got %s, want revision 2 superseded", r.Value)
		}
		return false
	})
	close(release)
	got := outcomes(t, b, 1, func(o *leadroute.Outcome) bool { return o.Rev == 3 })["l"]
	if rev := <-begun; rev != 3 || len(got) != 3 || got[1].Rev != 1 || got[1].Result != leadroute.ResultDelivered {
		t.Errorf("second attempt is of revision %v, outcomes %+v, want 3 and superseded, delivered, delivered", rev, got)
	}
	committed(t, b, 3)
}

func TestWhatIsNoDeliveryGoesToTheDeadLettersAndTheRestGoesOn(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	start(t, b, plan.Destination{}, crm(func(_ context.Context, d *leadroute.Delivery) connector.Attempt {
		if d.Lead == "panics" {
			panic("ana@example.com")
		}
		return taken
	}))
	other := asked("other", 1, "P0")
	other.Destination = "elsewhere"
	kafkatest.Send(t, b.Client(),
		b.Record("deliveries.crm.P0", "torn", []byte(`{"lead":"torn","re`)),
		b.Record("deliveries.crm.P0", "other", other))
	ask(t, b, asked("fine", 1, "P0"), asked("panics", 1, "P0"))
	got := outcomes(t, b, 2, nil)
	if o := got["panics"][0]; o.Result != leadroute.ResultRetry || o.Reason != "connector panicked" {
		t.Errorf("outcome after a panic = %+v, want a retry", o)
	}
	letters := map[string]*leadroute.DeadLetter{}
	b.Read(leadroute.TopicDeadLetters).Until("two dead letters", func(r *kgo.Record) bool {
		d, err := leadroute.Decode[leadroute.DeadLetter](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		letters[string(r.Key)] = d
		return len(letters) < 2
	})
	if l := letters["torn"]; l == nil || l.Kind != leadroute.DeadMessage || string(l.Payload) != `{"lead":"torn","re` || l.Topic != "test.deliveries.crm.P0" {
		t.Errorf("dead letter of the torn record = %+v, want its bytes and its place", l)
	}
	committed(t, b, 4)
}

func TestAStoppedWorkerLeavesWhatItCutOffToTheNext(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	begun := make(chan leadroute.LeadID, 10)
	stop := start(t, b, plan.Destination{}, crm(func(ctx context.Context, d *leadroute.Delivery) connector.Attempt {
		begun <- d.Lead
		if d.Lead == "quick" {
			<-time.After(100 * time.Millisecond) // within Drain
			return taken
		}
		<-ctx.Done()
		return connector.Attempt{Result: leadroute.ResultRetry, Reason: "cancelled"}
	}))
	ask(t, b, asked("quick", 1, "P0"), asked("slow", 1, "P0"))
	kafkatest.Await(t, "an attempt", begun)
	kafkatest.Await(t, "the other attempt", begun)
	before := time.Now()
	stop()
	if took := time.Since(before); took > 2*time.Second {
		t.Errorf("stop took %v, want under 2s with a Drain of 300ms", took)
	}
	start(t, b, plan.Destination{}, crm(func(_ context.Context, d *leadroute.Delivery) connector.Attempt {
		begun <- d.Lead
		return taken
	}))
	if id := kafkatest.Await(t, "the attempt made again", begun); id != "slow" {
		t.Errorf("the next worker tries %v, want slow alone", id)
	}
	got := outcomes(t, b, 2, nil)
	if len(got["quick"]) != 1 || len(got["slow"]) != 1 || got["slow"][0].Result != leadroute.ResultDelivered {
		t.Errorf("outcomes = %+v, want one each, both delivered", got)
	}
	committed(t, b, 2)
}

func TestAnOutcomeThatTheLogRefusesIsNotCommitted(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	refusal := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "test.ledger", Err: kerr.InvalidRecord, Count: -1})
	w, err := deliver.New(deliver.Config{
		Stream: b.Config, Destination: plan.Destination{Name: "crm"}, Classes: classes,
		Connector: crm(func(context.Context, *leadroute.Delivery) connector.Attempt { return taken }),
	})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- w.Run(t.Context()) }()
	ask(t, b, asked("l", 1, "P0"))
	if err := kafkatest.Await(t, "the end of Run", over); err == nil {
		t.Errorf("Run with a ledger that refuses = nil, want an error")
	}
	committed(t, b, 0)
	refusal.Remove()
	start(t, b, plan.Destination{}, crm(func(context.Context, *leadroute.Delivery) connector.Attempt { return taken }))
	outcomes(t, b, 1, nil)
	committed(t, b, 1)
}

func TestTwoInstancesShareAndNothingIsLostWhenOneLeaves(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	var flying sync.Map
	var mostAt [2]atomic.Int32
	run := func(i int) func() {
		var n atomic.Int32
		return start(t, b, plan.Destination{Concurrency: 8}, crm(func(ctx context.Context, d *leadroute.Delivery) connector.Attempt {
			mostAt[i].Store(max(mostAt[i].Load(), n.Add(1)))
			defer n.Add(-1)
			if _, twice := flying.LoadOrStore(d.Lead, true); twice {
				t.Errorf("two attempts of %v in flight", d.Lead)
			}
			defer flying.Delete(d.Lead)
			select {
			case <-time.After(2 * time.Millisecond):
				return taken
			case <-ctx.Done():
				return connector.Attempt{Result: leadroute.ResultRetry, Reason: "cancelled"}
			}
		}))
	}
	run(0)
	const n = 3000
	var wg sync.WaitGroup
	cl := b.Client()
	wg.Go(func() {
		for i := range n {
			d := asked(lead(i), 1, classes[i%3])
			cl.Produce(context.Background(), b.Record(leadroute.Deliveries("crm", d.Class), string(d.Lead), d), func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("produce: %v", err)
				}
			})
			if i%10 == 0 {
				<-time.After(3 * time.Millisecond)
			}
		}
	})
	stop := run(1)
	for deadline := time.Now().Add(kafkatest.Patience); mostAt[1].Load() == 0 && time.Now().Before(deadline); {
		<-time.After(5 * time.Millisecond)
	}
	stop()
	wg.Wait()
	got := outcomes(t, b, n, func(o *leadroute.Outcome) bool { return o.Result == leadroute.ResultDelivered })
	more := 0
	for _, os := range got {
		more += len(os) - 1
	}
	t.Logf("%v leads, %v answered again, at most %v and %v at once", n, more, mostAt[0].Load(), mostAt[1].Load())
	if mostAt[1].Load() == 0 {
		t.Error("the second instance made no attempt")
	}
	committed(t, b, n)
}

func TestNewRefusesWhatCannotRun(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	ok := deliver.Config{Stream: b.Config, Destination: plan.Destination{Name: "crm"}, Classes: classes, Connector: crm(nil)}
	for want, spoil := range map[string]func(*deliver.Config){
		"deliver: the destination has no name": func(c *deliver.Config) { c.Destination.Name = "" },
		"deliver to crm: no brokers given":     func(c *deliver.Config) { c.Stream.Brokers = nil },
		"deliver to crm: no connector given":   func(c *deliver.Config) { c.Connector = nil },
		"deliver to crm: no classes given":     func(c *deliver.Config) { c.Classes = nil },
	} {
		cfg := ok
		spoil(&cfg)
		if _, err := deliver.New(cfg); err == nil || err.Error() != want {
			t.Errorf("New = %v, want %v", err, want)
		}
	}
}
