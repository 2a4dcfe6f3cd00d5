package clock_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/clock"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

// rig is a broker, a clock that the test moves, and a client that plays the ledger.
type rig struct {
	*kafkatest.Broker
	t     *testing.T
	ahead atomic.Int64 // nanoseconds before real time
	cl    *kgo.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Broker: kafkatest.Start(t, nil), t: t}
	r.Config.Clock = func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }
	r.cl = r.Client()
	return r
}

func (r *rig) now() leadroute.Millis { return leadroute.At(r.Config.Clock()) }

func (r *rig) start() (stop func()) {
	r.t.Helper()
	c, err := clock.New(clock.Config{Stream: r.Config, Tick: 20 * time.Millisecond})
	if err != nil {
		r.t.Fatal(err)
	}
	return kafkatest.Run(r.t, c.Run)
}

func (r *rig) set(ts ...*leadroute.Timer) {
	r.t.Helper()
	var rs []*kgo.Record
	for _, t := range ts {
		rs = append(rs, r.Record(leadroute.TopicTimers, t.Key(), t))
	}
	kafkatest.Send(r.t, r.cl, rs...)
}

func (r *rig) cancel(ts ...*leadroute.Timer) {
	r.t.Helper()
	var rs []*kgo.Record
	for _, t := range ts {
		rs = append(rs, r.Record(leadroute.TopicTimers, t.Key(), nil))
	}
	kafkatest.Send(r.t, r.cl, rs...)
}

// firings hands every firing to each until it returns false.
func (r *rig) firings(what string, each func(*leadroute.Timer) bool) {
	r.t.Helper()
	r.Read(leadroute.TopicLedger).Until(what, func(rec *kgo.Record) bool {
		m, err := leadroute.Decode[leadroute.LedgerMessage](rec.Value)
		if err != nil || m.Due == nil || string(m.Due.Lead) != string(rec.Key) {
			r.t.Fatalf("ledger got %s = %s (%v), want a timer under its lead", rec.Key, rec.Value, err)
		}
		return each(m.Due)
	})
}

// fired reads firings until every one of the timers has fired, and counts all.
func (r *rig) fired(ts ...*leadroute.Timer) map[string]int {
	r.t.Helper()
	want, got := map[string]bool{}, map[string]int{}
	for _, t := range ts {
		want[t.Key()] = true
	}
	r.firings(fmt.Sprint("firings of ", len(ts), " timers"), func(t *leadroute.Timer) bool {
		got[t.Key()]++
		delete(want, t.Key())
		return len(want) > 0
	})
	return got
}

func retry(lead string, due leadroute.Millis) *leadroute.Timer {
	return &leadroute.Timer{Lead: leadroute.LeadID(lead), Kind: leadroute.TimerRetry, Name: "crm", Rev: 2, N: 3, Due: due, Deadline: 77}
}

func wakeTimer(i int, queue string) *leadroute.Timer {
	return &leadroute.Timer{
		Lead: leadroute.LeadID(fmt.Sprint("w", i)), Kind: leadroute.TimerWake, Name: queue, Rev: 1, Deadline: leadroute.Millis(i + 1),
	}
}

func TestATimerFiresWhenItIsDueAndAsItWasSet(t *testing.T) {
	r := newRig(t)
	r.start()
	later, soon := retry("later", r.now().Add(10*time.Minute)), retry("soon", r.now().Add(150*time.Millisecond))
	r.set(later, soon)
	r.firings("a firing", func(got *leadroute.Timer) bool {
		if at := r.now(); *got != *soon || at < soon.Due || at > soon.Due.Add(2*time.Second) {
			t.Errorf("at %v fired %+v, want %+v when it is due", at, got, soon)
		}
		return false
	})
	r.ahead.Store(int64(10 * time.Minute))
	if got := r.fired(later); got[later.Key()] != 1 {
		t.Errorf("firings after ten minutes = %v, want %v once", got, later.Key())
	}
}

func TestATimerFiresAgainUntilItIsCancelledOrReplaced(t *testing.T) {
	r := newRig(t)
	r.start()
	kept, cancelled, replaced := retry("kept", r.now()), retry("cancelled", r.now()), retry("replaced", r.now())
	r.set(kept, cancelled, replaced)
	r.fired(kept, cancelled, replaced)
	r.cancel(cancelled)
	after := *replaced
	after.N, after.Due = 9, r.now().Add(time.Hour)
	r.set(&after)
	r.seen()
	for i, wait := range []time.Duration{5 * time.Second, 10 * time.Second} {
		r.ahead.Add(int64(wait) + int64(50*time.Millisecond))
		// A marker set now fires after the repetition, which was due before it.
		marker := retry(fmt.Sprint("marker", i), r.now().Add(200*time.Millisecond))
		r.set(marker)
		got := r.fired(marker)
		if got[kept.Key()] != 2+i || got[cancelled.Key()] != 1 || got[replaced.Key()] != 1 {
			t.Errorf("firings after %v more = %v, want kept %v times, cancelled and replaced once", wait, got, 2+i)
		}
		r.cancel(marker)
	}
	r.ahead.Add(int64(time.Hour))
	n := 0
	r.firings("the replacement", func(got *leadroute.Timer) bool {
		if got.Lead == "replaced" {
			n = got.N
		}
		return n != 9
	})
}

// seen returns when the clock has read everything that the test has sent so far.
func (r *rig) seen() {
	r.t.Helper()
	var ts []*leadroute.Timer
	for i := range 40 { // all four partitions
		ts = append(ts, retry(fmt.Sprint("seen", i, "-", time.Now().UnixNano()), r.now()))
	}
	r.set(ts...)
	r.fired(ts...)
	r.cancel(ts...)
}

func TestPendingTimersSurviveARestartAndCompaction(t *testing.T) {
	r := newRig(t)
	stop := r.start()
	due := r.now().Add(time.Hour)
	var pending, gone []*leadroute.Timer
	for i := range 50 {
		pending = append(pending, retry(fmt.Sprint("pending", i), due))
		gone = append(gone, retry(fmt.Sprint("gone", i), due))
	}
	r.set(gone...)
	r.set(pending...)
	r.set(pending...) // said again by a replay
	r.cancel(gone...)
	r.seen()
	stop()
	if n := r.rows("pending"); n != 100 {
		t.Fatalf("rows before compaction = %v, want 100", n)
	}
	zero := "0"
	if _, err := kadm.NewClient(r.cl).AlterTopicConfigs(t.Context(),
		[]kadm.AlterConfig{{Op: kadm.SetConfig, Name: "min.compaction.lag.ms", Value: &zero}}, "test.timers"); err != nil {
		t.Fatal(err)
	}
	r.Compact()
	if n := r.rows("pending"); n >= 100 {
		t.Fatalf("compaction left %v of 100 rows, want fewer", n)
	}
	r.ahead.Store(int64(2 * time.Hour))
	r.start()
	r.fired(pending...)
	marker := retry("marker", r.now())
	r.set(marker)
	got := r.fired(append(pending, marker)...)
	for _, g := range gone {
		if got[g.Key()] > 0 {
			t.Errorf("%v fired %v times after it was cancelled, want never", g.Key(), got[g.Key()])
		}
	}
	for _, p := range pending {
		if got[p.Key()] != 1 {
			t.Errorf("%v fired %v times, want once", p.Key(), got[p.Key()])
		}
	}
}

// rows counts the records in the timers topic whose key begins so.
func (r *rig) rows(prefix string) (n int) {
	r.t.Helper()
	const ends = 40 // enough to have one in each partition
	name := fmt.Sprint("end", time.Now().UnixNano())
	for i := range ends {
		r.set(retry(fmt.Sprint(name, "-", i), r.now().Add(1000*time.Hour)))
	}
	seen := 0
	r.Read(leadroute.TopicTimers).Until("the rows", func(rec *kgo.Record) bool {
		switch key := string(rec.Key); {
		case strings.HasPrefix(key, prefix):
			n++
		case strings.HasPrefix(key, name):
			seen++
		}
		return seen < ends
	})
	return n
}

func TestTwoInstancesShareAndTakeOver(t *testing.T) {
	r := newRig(t)
	r.start()
	stop := r.start()
	var ts []*leadroute.Timer
	for i := range 200 {
		ts = append(ts, retry(fmt.Sprint("l", i), r.now().Add(time.Hour)))
	}
	r.set(ts...)
	r.seen()
	stop()
	r.ahead.Store(int64(time.Hour + time.Minute))
	r.fired(ts...)
	r.cancel(ts...)
	r.start()
	var more []*leadroute.Timer
	for i := range 200 {
		more = append(more, retry(fmt.Sprint("m", i), r.now()))
	}
	r.set(more...)
	r.fired(more...)
}

func TestAWholeQueueIsWokenWhileThereIsRoom(t *testing.T) {
	r := newRig(t)
	const n = 400
	var ts []*leadroute.Timer
	for i := range n {
		ts = append(ts, wakeTimer(i, "emea"))
	}
	r.set(ts...)
	r.start()
	woken, started := map[leadroute.LeadID]bool{}, time.Now()
	r.firings("400 leads woken", func(got *leadroute.Timer) bool {
		if !woken[got.Lead] {
			woken[got.Lead] = true
			r.cancel(got) // the ledger has found a rep
		}
		return len(woken) < n
	})
	t.Logf("%v leads woken and placed one at a time in %v", n, time.Since(started))
	if took := time.Since(started); took > 5*time.Second { // one per tick and partition would be 2 s at this tick, 25 s at the default
		t.Errorf("draining took %v, want under 5s", took)
	}
}

func TestALeadThatStaysIsOfferedAgainAndStarvesNobody(t *testing.T) {
	r := newRig(t)
	r.start()
	var ts []*leadroute.Timer
	for i := range 40 {
		ts = append(ts, wakeTimer(i, "q"))
	}
	r.set(ts...) // nobody is free
	again := 0
	got := map[leadroute.LeadID]int{}
	r.firings("each of 40 offered and some head five times", func(w *leadroute.Timer) bool {
		got[w.Lead]++
		again = max(again, got[w.Lead])
		return len(got) < 40 || again < 5
	})
}

func TestWhatIsNoTimerGoesToTheDeadLettersAndTheRestGoesOn(t *testing.T) {
	r := newRig(t)
	kafkatest.Send(t, r.cl,
		r.Record(leadroute.TopicTimers, "torn/retry/crm", []byte(`{"lead":`)),
		r.Record(leadroute.TopicTimers, "other/retry/crm", retry("mine", 1)),
		r.Record(leadroute.TopicTimers, "never-set/retry/crm", nil))
	r.start()
	n := 0
	r.Read(leadroute.TopicDeadLetters).Until("two dead letters", func(rec *kgo.Record) bool {
		d, err := leadroute.Decode[leadroute.DeadLetter](rec.Value)
		if err != nil || d.Kind != leadroute.DeadMessage || d.Stage != "clock" || len(d.Payload) == 0 {
			t.Errorf("dead letter = %s (%v), want the record with its bytes", rec.Value, err)
		}
		n++
		return n < 2
	})
	fine := retry("fine", r.now())
	r.set(fine)
	r.fired(fine)
}

func TestMetricsRegister(t *testing.T) {
	reg := prometheus.NewRegistry()
	clock.NewMetrics(reg)
	if _, err := reg.Gather(); err != nil {
		t.Error(err)
	}
}
