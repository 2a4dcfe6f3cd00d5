package admit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const patience = 20 * time.Second // of the tests

var (
	classes = []leadroute.Class{"P0", "P1", "P2"}
	within  = map[leadroute.Class]time.Duration{"P0": time.Minute, "P1": 5 * time.Minute, "P2": 30 * time.Minute}
)

// byField says a lead's class is its field "class".
type byField struct{}

func (byField) ClassOf(l *leadroute.Lead, _ time.Time) (leadroute.Class, time.Duration) {
	var f struct{ Class leadroute.Class }
	_ = json.Unmarshal(l.Fields, &f)
	return f.Class, within[f.Class]
}
func (byField) PlanID() leadroute.PlanID { return "plan1" }

// house is a broker and the test's client, which plays the door and the ledger.
type house struct {
	t       testing.TB
	cluster *kfake.Cluster
	cl      *kgo.Client
	pending []*leadroute.Admission // read from the ledger's inbox and not yet asked for
}

func newHouse(t testing.TB) *house {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	var topics []string
	for _, c := range classes {
		topics = append(topics, leadroute.Namespace("").Topic(leadroute.Inbox(c)))
	}
	for _, n := range []leadroute.Topic{leadroute.TopicLedger, leadroute.TopicDepartures, leadroute.TopicDeadLetters} {
		topics = append(topics, leadroute.Namespace("").Topic(n))
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, topics...), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	h := &house{t: t, cluster: cluster}
	h.cl, err = kgo.NewClient(append(h.stream().Options(), kgo.ConsumeTopics("leadroute.ledger"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.cl.Close)
	return h
}

func (h *house) stream() stream.Config { return stream.Config{Brokers: h.cluster.ListenAddrs()} }

// run starts an Admitter; stop waits for its end.
func (h *house) run(change func(*Config)) (a *Admitter, stop func() error) {
	h.t.Helper()
	cfg := Config{Stream: h.stream(), Classes: classes, Classifier: func(*leadroute.Lead) Classifier { return byField{} }}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("Run did not end within %v", patience)
		}
	}
	h.t.Cleanup(func() {
		if err := stop(); err != nil {
			h.t.Errorf("Run = %v, want nil", err)
		}
	})
	return a, stop
}

func (h *house) send(t leadroute.Topic, key string, msg any) {
	h.t.Helper()
	value, ok := msg.([]byte)
	if !ok {
		var err error
		if value, err = leadroute.Encode(msg); err != nil {
			h.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rec := &kgo.Record{Topic: leadroute.Namespace("").Topic(t), Key: []byte(key), Value: value}
	if err := h.cl.ProduceSync(ctx, rec).FirstErr(); err != nil {
		h.t.Fatalf("produce to %s: %v", t, err)
	}
}

// post puts a lead into its class's inbox; age is how long ago it was emitted.
func (h *house) post(id string, class leadroute.Class, age time.Duration) {
	h.t.Helper()
	now := leadroute.At(time.Now())
	h.send(leadroute.Inbox(class), id, &leadroute.Lead{
		ID: leadroute.LeadID(id), Source: "web", Receipt: "r-" + id, EmittedAt: now.Add(-age), ReceivedAt: now,
		Fields: json.RawMessage(fmt.Sprintf(`{"class":%q}`, class)),
	})
}

func (h *house) depart(id leadroute.LeadID) {
	h.t.Helper()
	h.send(leadroute.TopicDepartures, string(id), &leadroute.Departure{Lead: id})
}

// admitted returns the next n admissions.
func (h *house) admitted(n int) []*leadroute.Admission {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(h.pending) < n {
		fs := h.cl.PollFetches(ctx)
		if ctx.Err() != nil {
			h.t.Fatalf("%d admissions within %v, want %d", len(h.pending), patience, n)
		}
		fs.EachRecord(func(r *kgo.Record) {
			m, err := leadroute.Decode[leadroute.LedgerMessage](r.Value)
			if err != nil || m.Admitted == nil || string(r.Key) != string(m.Admitted.Lead.ID) {
				h.t.Fatalf("ledger message %s: %s (%v), want an admission under its lead's id", r.Key, r.Value, err)
			}
			h.pending = append(h.pending, m.Admitted)
		})
	}
	out := h.pending[:n]
	h.pending = h.pending[n:]
	return out
}

// count is how many admissions the ledger's inbox holds.
func (h *house) count() (n int64) {
	for p := range int32(4) {
		n += h.cluster.PartitionInfo("leadroute.ledger", p).HighWatermark
	}
	return n
}

// until polls for a state of the Admitter that has no event.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (a *Admitter) waitingLeads() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.leads.read {
		n += r
	}
	return n
}

func TestAdmission(t *testing.T) {
	h := newHouse(t)
	h.run(nil)
	h.post("l1", "P1", time.Second)
	ad := h.admitted(1)[0]
	if ad.Lead.ID != "l1" || ad.Class != "P1" || ad.Plan != "plan1" || ad.Lead.Receipt != "r-l1" ||
		ad.Deadline != ad.Lead.EmittedAt.Add(5*time.Minute) || string(ad.Lead.Fields) != `{"class":"P1"}` {
		t.Errorf("admission = %+v, want l1 as posted, P1, 5 minutes after its emission", ad)
	}
}

func TestEarliestDeadlineFirstAcrossClasses(t *testing.T) {
	h := newHouse(t)
	a, _ := h.run(func(c *Config) { c.InFlight = 3 })
	var open []leadroute.LeadID
	for i := range 3 {
		h.post(fmt.Sprint("first", i), "P0", 0)
		open = append(open, h.admitted(1)[0].Lead.ID)
	}
	deadline := map[string]time.Duration{} // from now on
	for i, p := range []struct {
		class leadroute.Class
		age   time.Duration
	}{{"P2", 0}, {"P0", 0}, {"P2", 29*time.Minute + 30*time.Second}, {"P1", 0}, {"P1", 4*time.Minute + 50*time.Second}, {"P0", 50 * time.Second}, {"P2", 27 * time.Minute}} {
		id := fmt.Sprint("l", i)
		h.post(id, p.class, p.age)
		deadline[id] = within[p.class] - p.age
	}
	until(t, "7 leads wait", func() bool { return a.waitingLeads() == 7 })
	var got []string
	for range 7 {
		h.depart(open[0])
		next := h.admitted(1)[0].Lead.ID
		open = append(open[1:], next)
		got = append(got, string(next))
	}
	// l4 and l5 are due within a millisecond or so of each other: both orders may be right.
	if !sort.SliceIsSorted(got, func(i, j int) bool { return deadline[got[i]] < deadline[got[j]]-time.Second }) {
		t.Errorf("admitted in the order %v, want by %v", got, deadline)
	}
}

// TestFloodOfP2DoesNotMoveP0: the middle is as full of overdue P2 leads as it may be,
// thousands more wait, none departs. A P0 is the next admission.
func TestFloodOfP2DoesNotMoveP0(t *testing.T) {
	h := newHouse(t)
	a, _ := h.run(func(c *Config) { c.InFlight, c.ReadAhead, c.Patience = 16, 32, time.Hour })
	const flood = 3000
	var recs []*kgo.Record
	for i := range flood {
		now := leadroute.At(time.Now())
		v, err := leadroute.Encode(&leadroute.Lead{
			ID: leadroute.LeadID(fmt.Sprint("p2-", i)), Receipt: "r", EmittedAt: now.Add(-time.Hour),
			ReceivedAt: now, Fields: json.RawMessage(`{"class":"P2"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, &kgo.Record{Topic: "leadroute.inbox.P2", Key: []byte(fmt.Sprint("p2-", i)), Value: v})
	}
	if err := h.cl.ProduceSync(t.Context(), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	h.admitted(12) // three quarters of 16
	until(t, "the read-ahead is full", func() bool { return a.waitingLeads() == 32 })
	for i := range 4 {
		id := fmt.Sprint("p0-", i)
		h.post(id, "P0", 0)
		if got := h.admitted(1)[0]; got.Lead.ID != leadroute.LeadID(id) {
			t.Fatalf("next admission = %s, want %s", got.Lead.ID, id)
		}
	}
	if n := a.waitingLeads(); n != 32 || h.count() != 16 {
		t.Errorf("%d wait, %d are in the middle; want 32 and 16: both are bounded", n, h.count())
	}
	h.depart("p0-0")
	h.post("p0-4", "P0", 0)
	if got := h.admitted(1)[0].Lead.ID; got != "p0-4" {
		t.Errorf("after a departure the next admission = %s, want p0-4", got)
	}
}

func TestSlotExpires(t *testing.T) {
	h := newHouse(t)
	reg := prometheus.NewRegistry()
	h.run(func(c *Config) {
		c.InFlight, c.Patience, c.Stream.Metrics = 4, 30*time.Millisecond, reg
	})
	for i := range 20 {
		h.post(fmt.Sprint("l", i), "P0", 0)
	}
	h.admitted(20) // none of them departs
	until(t, "16 slots expired at least", func() bool { return value(t, reg, "leadroute_admit_expired_total") >= 16 })
}

func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	fams, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fams {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestRestartLosesNothing stops an instance in mid-flood, three times.
func TestRestartLosesNothing(t *testing.T) {
	h := newHouse(t)
	const leads = 600
	for i := range leads {
		h.post(fmt.Sprint("l", i), classes[i%3], 0)
	}
	got := map[leadroute.LeadID]int{}
	take := func() {
		ad := h.admitted(1)[0]
		got[ad.Lead.ID]++
		h.depart(ad.Lead.ID)
	}
	for round := range 4 {
		_, stop := h.run(func(c *Config) { c.InFlight, c.ReadAhead = 8, 16 })
		for len(got) < leads*(round+1)/4 {
			take()
		}
		if err := stop(); err != nil {
			t.Fatalf("Run = %v, want nil", err)
		}
	}
	twice := 0
	for _, n := range got {
		twice += n - 1
	}
	// A stop waits half a second for what is on its way; on a slow machine it may repeat that.
	if len(got) != leads || twice > 3*8 {
		t.Errorf("%d of %d leads admitted, %d of them again; want all, and no more again than were on their way", len(got), leads, twice)
	}
	t.Logf("%d admitted again", twice)
}

// members waits until the group is stable with n members and returns, for each, the
// partitions of every topic it has.
func (h *house) members(n int) (out []map[string][]int32) {
	h.t.Helper()
	adm := kadm.NewClient(h.cl)
	until(h.t, fmt.Sprintf("the group has %d members with partitions", n), func() bool {
		out = nil
		groups, err := adm.DescribeGroups(h.t.Context(), "leadroute.admit")
		if err != nil || groups["leadroute.admit"].State != "Stable" {
			return false
		}
		for _, m := range groups["leadroute.admit"].Members {
			assigned, ok := m.Assigned.AsConsumer()
			if !ok || len(assigned.Topics) == 0 {
				return false
			}
			has := map[string][]int32{}
			for _, t := range assigned.Topics {
				has[t.Topic] = slices.Sorted(slices.Values(t.Partitions))
			}
			out = append(out, has)
		}
		return len(out) == n
	})
	return out
}

func TestDeparturesComeToTheInstanceThatAdmitted(t *testing.T) {
	h := newHouse(t)
	var all []*Admitter
	for n := range 3 {
		a, _ := h.run(func(c *Config) { c.InFlight, c.Patience = 8, time.Hour })
		all = append(all, a)
		for _, has := range h.members(n + 1) {
			for topic, ps := range has {
				if len(has) != 4 || !slices.Equal(ps, has["leadroute.departures"]) {
					t.Errorf("a member of %d has %v of %s beside %v of the departures, want the same of all topics", n+1, ps, topic, has)
				}
			}
		}
	}
	const leads = 200
	for i := range leads {
		h.post(fmt.Sprint("l", i), classes[i%3], 0)
	}
	// With an hour of patience, a departure that went astray would hold its slot for the
	// rest of the test.
	seen := map[leadroute.LeadID]bool{}
	for len(seen) < leads {
		id := h.admitted(1)[0].Lead.ID
		seen[id] = true
		h.depart(id)
	}
	until(t, "all slots are free", func() bool {
		n := 0
		for _, a := range all {
			a.mu.Lock()
			n += len(a.leads.slots)
			a.mu.Unlock()
		}
		return n == 0
	})
}

// TestRevokedLeadsAreLeftToTheNewOwner: when a second instance comes, each lead that
// waited waits in one place.
func TestRevokedLeadsAreLeftToTheNewOwner(t *testing.T) {
	h := newHouse(t)
	room := func(c *Config) { c.InFlight, c.Patience = 4, time.Hour }
	first, _ := h.run(room)
	const leads = 100
	for i := range leads {
		h.post(fmt.Sprint("l", i), "P0", 0)
	}
	h.admitted(4)
	until(t, "the others wait", func() bool { return first.waitingLeads() == leads-4 })
	second, _ := h.run(room)
	h.members(2)
	until(t, "each lead is admitted or waits in one place", func() bool {
		return second.waitingLeads() > 0 && first.waitingLeads()+second.waitingLeads()+int(h.count()) == leads
	})
}

func TestUnreadableRecordIsBuried(t *testing.T) {
	h := newHouse(t)
	h.run(nil)
	h.send(leadroute.Inbox("P0"), "k", []byte(`{"id":`))
	h.send(leadroute.Inbox("P0"), "k", []byte(`{"id":"l0"}`))
	h.send(leadroute.TopicDepartures, "k", []byte(`[]`))
	h.post("k", "P0", 0) // the same partition
	if id := h.admitted(1)[0].Lead.ID; id != "k" {
		t.Errorf("admitted %s, want k: the stream goes on", id)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.ConsumeTopics("leadroute.dead-letters"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	byID := map[string]*leadroute.DeadLetter{}
	for len(byID) < 3 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d dead letters, want 3", len(byID))
		}
		fs.EachRecord(func(r *kgo.Record) {
			d, err := leadroute.Decode[leadroute.DeadLetter](r.Value)
			if err != nil {
				t.Fatal(err)
			}
			byID[d.ID] = d
		})
	}
	id := fmt.Sprintf("leadroute.inbox.P0-%d-0", stream.PartitionOf("k", 4))
	if d := byID[id]; d == nil || d.Kind != leadroute.DeadMessage || string(d.Payload) != `{"id":` || d.Reason == "" {
		t.Errorf("dead letter %s = %+v, want the record as it was", id, d)
	}
}

// TestRefusedAdmissionIsNotCommitted: the log refuses an admission for good, Run says
// so, and the next Run admits the lead.
func TestRefusedAdmissionIsNotCommitted(t *testing.T) {
	h := newHouse(t)
	h.post("l1", "P0", 0)
	fault := h.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.ledger", Err: kerr.PolicyViolation, Count: -1})
	a, err := New(Config{Stream: h.stream(), Classes: classes, Classifier: func(*leadroute.Lead) Classifier { return byField{} }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := a.Run(ctx); err == nil || ctx.Err() != nil {
		t.Fatalf("Run while the ledger's inbox refuses = %v, want an error at once", err)
	}
	fault.Remove()
	h.run(nil)
	if id := h.admitted(1)[0].Lead.ID; id != "l1" {
		t.Errorf("admitted %s, want l1", id)
	}
}

func TestNewRefuses(t *testing.T) {
	ok := Config{Stream: stream.Config{Brokers: []string{"127.0.0.1:1"}}, Classes: classes, Classifier: func(*leadroute.Lead) Classifier { return byField{} }}
	for name, change := range map[string]func(*Config){
		"no brokers":         func(c *Config) { c.Stream.Brokers = nil },
		"no classes":         func(c *Config) { c.Classes = nil },
		"a class twice":      func(c *Config) { c.Classes = []leadroute.Class{"P0", "P0"} },
		"no classifier":      func(c *Config) { c.Classifier = nil },
		"fewer than classes": func(c *Config) { c.InFlight = 2 },
	} {
		cfg := ok
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: New = nil, want an error", name)
		}
	}
}
