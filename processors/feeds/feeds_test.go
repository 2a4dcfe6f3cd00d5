package feeds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

var now = time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)

// rig is a broker with a worker beside a view of reps and a ledger that are the test's.
type rig struct {
	*kafkatest.Broker
	cfg  Config
	mu   sync.Mutex
	said []string // to the ledger
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Broker: kafkatest.Start(t, []leadroute.Class{"P0"})}
	r.Config.Clock = func() time.Time { return now }
	reps := map[leadroute.RepID]*desk.State{"ana": {}, "ben": {}, "gone": {Gone: true}}
	r.cfg = Config{
		Stream: r.Config, Plan: func() *plan.Plan {
			return &plan.Plan{Zone: time.UTC, Hours: map[string]*plan.Hours{"office": {Name: "office", Zone: time.UTC}}}
		}, Settle: 20 * time.Millisecond,
		Rep: func(id leadroute.RepID) *desk.State { return reps[id] },
		Owners: func(crmID string) []leadroute.RepID {
			return map[string][]leadroute.RepID{"u1": {"ana"}, "u2": {"ana", "ben"}}[crmID]
		},
		Ask: func(_ context.Context, lead leadroute.LeadID, a leadroute.RepAction) (*leadroute.Reply, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.said = append(r.said, fmt.Sprintf("%s %s %s %d", lead, a.Rep, a.Action, a.At))
			switch {
			case lead == "slow" && len(r.said) == 1:
				return nil, errors.New("the log is away")
			case lead == "slow" && len(r.said) == 2:
				return nil, nil //nolint:nilnil // no answer yet
			}
			return &leadroute.Reply{Lead: lead, Known: lead != "nobody", Agreed: lead != "moved", Owner: "ben"}, nil
		},
	}
	return r
}

func (r *rig) run(t *testing.T) (stop func()) {
	t.Helper()
	w, err := New(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return kafkatest.Run(t, w.Run)
}

// TestEveryFeed: each example is right, and stands for one message.
func TestEveryFeed(t *testing.T) {
	for _, f := range Builtin {
		in := &reading{cfg: &newRig(t).cfg, feed: &f, raw: []byte(f.Example), at: leadroute.At(now), now: leadroute.At(now)}
		if e := in.event(); in.reason() != "" || e.about == "" || (e.message == nil) == (e.action == nil) {
			t.Errorf("%s: %s is read as %+v, wrong: %q", f.Topic, f.Example, e, in.reason())
		}
	}
}

// TestThePagesRecordsAreRight: what docs/feeds.md shows can be written.
func TestThePagesRecordsAreRight(t *testing.T) {
	page, err := os.ReadFile("../../docs/feeds.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	seen := map[leadroute.Topic]int{}
	for part := range strings.SplitSeq(string(page), "\n## ") {
		topic, _, _ := strings.Cut(part, "\n")
		i := slices.IndexFunc(Builtin, func(f Feed) bool { return string(f.Topic) == topic })
		for line := range strings.Lines(part) {
			if raw, ok := strings.CutPrefix(line, "    {"); ok {
				in := &reading{cfg: &r.cfg, feed: &Builtin[i], raw: []byte("{" + raw), at: leadroute.At(now), now: leadroute.At(now)}
				if in.event(); in.reason() != "" {
					t.Errorf("%s: %s is wrong: %s", topic, line, in.reason())
				}
				seen[Builtin[i].Topic]++
			}
		}
	}
	for _, f := range Builtin {
		if seen[f.Topic] == 0 {
			t.Errorf("docs/feeds.md shows no record of %s", f.Topic)
		}
	}
}

// TestWhatIsRightGoesOn: a record becomes what the API would have sent, under the stage's key.
func TestWhatIsRightGoesOn(t *testing.T) {
	r := newRig(t)
	r.run(t)
	at := now.Add(-time.Minute)
	for _, c := range []struct {
		feed, to         leadroute.Topic
		value, key, want string
	}{
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ana","status":"away","at":"2026-01-14T10:59:00.5+01:00"}`, "ana", `{"status":"away","said_at":1768384740500}`},
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ben","status":"busy"}`, "ben", `{"status":"busy","said_at":` + fmt.Sprint(at.UnixMilli()) + `}`},
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ben","status":"off","at":1768384740500}`, "ben", `{"status":"off","said_at":1768384740500}`},
		{
			leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"eve","profile":{"name":"Eve","hours":"office","caps":{"open":3}}}`, "eve",
			`{"profile":{"id":"eve","name":"Eve","hours":"office","caps":{"open":3}}}`,
		},
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ana","status":"busy","at":1768384740500,"until":"2026-01-14T11:00:00Z"}`, "ana", `{"status":"busy","until":1768388400000,"said_at":1768384740500}`},
		{
			leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ana","away":[{"from":"2026-12-24","until":"2026-12-31","reason":"vacation"}]}`, "ana",
			`{"away":{"add":[{"from":"2026-12-24","until":"2026-12-31","reason":"vacation"}]}}`,
		},
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"ana","back":true,"at":1768384740500}`, "ana", `{"away":{"back":1768384740500}}`},
		{leadroute.TopicRepEvents, leadroute.TopicReps, `{"rep":"gone","remove":true}`, "gone", `{"remove":{"reason":"feed","at":` + fmt.Sprint(at.UnixMilli()) + `}}`},
		{
			leadroute.TopicAccountEvents, leadroute.TopicAccounts, `{"set":{"domain":" WWW.Acme.example.","owner":"ana","attrs":{"tier":"named"}}}`, "acme.example",
			`{"set":{"domain":"acme.example","owner":"ana","attrs":{"tier":"named"}}}`,
		},
		{leadroute.TopicAccountEvents, leadroute.TopicAccounts, `{"remove":"www.acme.example","at":"2026-01-14T10:00:00Z"}`, "acme.example", `{"remove":{}}`},
	} {
		rec := r.Record(c.feed, "any key", []byte(c.value))
		rec.Timestamp = at
		kafkatest.Send(t, r.Client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner())), rec)
		r.Read(c.to).Until(c.want, func(got *kgo.Record) bool {
			return string(got.Key) != c.key || cmp.Diff(parsed(t, c.want), parsed(t, string(got.Value))) != ""
		})
	}
}

func parsed(t *testing.T, s string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// TestResponses: the ledger is asked, again while it does not answer; where the response
// does not stand that is the ledger's to tell.
func TestResponses(t *testing.T) {
	r := newRig(t)
	r.run(t)
	send := func(values ...string) {
		t.Helper()
		for _, v := range values {
			kafkatest.Send(t, r.Client(), r.Record(leadroute.TopicResponses, "", []byte(v)))
		}
	}
	asked := func(what string, want ...string) {
		t.Helper()
		for end := time.Now().Add(kafkatest.Patience); ; <-time.After(time.Millisecond) {
			r.mu.Lock()
			got := slices.Clone(r.said)
			r.mu.Unlock()
			if slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: the ledger was asked %q, want %q", what, got, want)
			}
		}
	}
	send(`{"lead":"slow","rep":"ana","action":"responded","at":1768384740500}`)
	again := "slow ana responded 1768384740500"
	asked("a ledger that does not answer", again, again, again)
	send(`{"lead":"moved","crm_id":"u1","action":"closed","at":"2026-01-14T12:00:00Z"}`)
	asked("by the CRM's id, from a clock that is ahead", again, again, again, fmt.Sprint("moved ana closed ", now.UnixMilli()))
	send(`{"lead":"nobody","rep":"ana","action":"closed","at":1}`)
	r.Read(leadroute.TopicDeadLetters).Until("the lead that is not known", func(got *kgo.Record) bool {
		l, err := leadroute.Decode[leadroute.DeadLetter](got.Value)
		return err != nil || !strings.HasPrefix(l.Reason, `lead: no lead "nobody" is known: write the id`)
	})
}

// TestWhatIsWrongIsKept: each record is in the dead letters under its own key, can be
// replayed from there, and the reason says what to write. It shows no value that may be
// personal.
func TestWhatIsWrongIsKept(t *testing.T) {
	r := newRig(t)
	r.run(t)
	long := strings.Repeat("x", 200)
	cases := []struct {
		feed          leadroute.Topic
		value, reason string
	}{
		{leadroute.TopicRepEvents, `{"rep":"ana",`, `is not one JSON object: write {"rep": "ana", "status": "away"}`},
		{leadroute.TopicRepEvents, `["ana"]`, `is not one JSON object: write {"rep": "ana", "status": "away"}`},
		{leadroute.TopicRepEvents, ``, `the record is empty: write {"rep": "ana", "status": "away"}`},
		{leadroute.TopicRepEvents, `{"rep":"eve","status":"away"}`, `rep: there is no rep "eve": write the id of one, or a record with the rep's profile before`},
		{leadroute.TopicRepEvents, `{"rep":"gone","status":"away"}`, `rep: there is no rep "gone": write the id of one, or a record with the rep's profile before`},
		{leadroute.TopicRepEvents, `{"rep":"eve","remove":true}`, `rep: there is no rep "eve": write the id of one, or a record with the rep's profile before`},
		{leadroute.TopicRepEvents, `{"rep":"ana","status":"sick"}`, `status: there is no status "sick": write available, busy, away or off`},
		{leadroute.TopicRepEvents, `{"rep":"ana","status":7}`, `status: must be a text: write {"rep": "ana", "status": "away"}; status: there is no status "": write available, busy, away or off`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{"caps":{"open":-1}}}`, `profile/caps/open: -1 is negative: write a number above 0, or leave it out for no cap; to give a rep nothing, set the status to off`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{"hours":"night"}}`, `profile/hours: no hours "night" are declared: write one of office, or leave it out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{"email":["ana@example.com"]}}`, `profile/email: must be a text: write it like "emea", or leave it out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{"id":"ben"}}`, `profile/id: the profile is of another rep: make it the same as rep, or leave it out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{},"status":"away"}`, `says 2 of status, away, back, profile, remove: write one of them, like {"rep": "ana", "status": "away"}`},
		{leadroute.TopicRepEvents, `{"rep":"ana","remove":"yes"}`, `remove: must be true: write true, or leave the whole record out`},
		{leadroute.TopicRepEvents, `{"rep":"a/b","status":"away"}`, `rep: the rep's id holds a blank, a slash or a control character: write the id of a rep, like "ana"`},
		{leadroute.TopicRepEvents, `{"rep":"ana","state":"away"}`, `state: there is no such member: write one of rep, status, until, away, back, profile, remove, at; says 0 of status, away, back, profile, remove: write one of them, like {"rep": "ana", "status": "away"}`},
		{leadroute.TopicRepEvents, `{"rep":"ana","status":"away","at":"10:00"}`, `at: is no instant: write an RFC 3339 time with a zone, like "2026-01-14T10:00:00Z", or milliseconds since 1970`},
		{leadroute.TopicRepEvents, `{"rep":"ana","status":"away","at":"2026-01-15T10:00:01Z"}`, `at: lies more than 24h0m0s in the future: set the sender's clock; or are these not milliseconds?`},
		{leadroute.TopicRepEvents, `{"rep":"ana","status":"away","until":"2026-01-14T09:00:00Z"}`, `until: is over already: write a time to come, or leave it out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","back":true,"until":"2026-01-14T11:00:00Z"}`, `until: goes with a status: leave it out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","back":"soon"}`, `back: must be true: write true, or leave the whole record out`},
		{leadroute.TopicRepEvents, `{"rep":"ana","away":[]}`, `away: names no time out of the office: write {"from": "2026-12-24", "until": "2026-12-31", "reason": "vacation"}, in a cell 2026-12-24..2026-12-31 vacation`},
		{leadroute.TopicRepEvents, `{"rep":"ana","away":[{"from":"2026-12-31","until":"2026-12-24"}]}`, `away/0: until 2026-12-24 lies before from 2026-12-31: write them the other way round; the last day is a whole one`},
		{leadroute.TopicRepEvents, `{"rep":"ana","profile":{"shifts":{"mon":"09:00-12:00, 11:00-17:00"}}}`, `profile/shifts/mon: 11:00-17:00 overlaps with another shift of mon: make them one span, or take one out`},
		{leadroute.TopicAccountEvents, `{"set":{"domain":"https://acme"}}`, `set/domain: "https://acme" is no domain: write it like "example.com", without https:// and path`},
		{leadroute.TopicAccountEvents, `{"remove":""}`, `remove: the domain is missing: write it like "example.com", without https:// and path`},
		{leadroute.TopicResponses, `{"lead":"l 1","rep":"ana","action":"responded"}`, `lead: names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -: write the id under which the CRM got the lead`},
		{leadroute.TopicResponses, `{"lead":"l1","action":"responded"}`, `says 0 of rep, crm_id: write one of them, like {"lead": "4f1c", "rep": "ana", "action": "responded"}`},
		{leadroute.TopicResponses, `{"lead":"l1","rep":"ana","action":"called"}`, `action: is not an action: write "responded" or "closed"`},
		{leadroute.TopicResponses, `{"lead":"l1","crm_id":"u9","action":"closed"}`, `crm_id: no rep has the crm_id "u9": write rep instead, or set it in the rep's profile`},
		{leadroute.TopicResponses, `{"lead":"l1","crm_id":"u2","action":"closed"}`, `crm_id: 2 reps have the crm_id "u2": write rep instead`},
		{leadroute.TopicResponses, `{"` + strings.Repeat(long, 10) + `":1}`, ""},
	}
	for i, c := range cases {
		rec := r.Record(c.feed, fmt.Sprint("key", i), []byte(c.value))
		rec.Timestamp = now
		kafkatest.Send(t, r.Client(), rec)
	}
	left := len(cases)
	r.Read(leadroute.TopicDeadLetters).Until("all of them", func(got *kgo.Record) bool {
		l, err := leadroute.Decode[leadroute.DeadLetter](got.Value)
		var i int
		if _, scan := fmt.Sscanf(string(got.Key), "key%d", &i); err != nil || scan != nil {
			t.Fatalf("%s: %v, %v", got.Value, err, scan)
		}
		c := cases[i]
		if c.reason != "" && l.Reason != c.reason || len(l.Reason) > maxReason+3 {
			t.Errorf("%s %s\n got %s\nwant %s", c.feed, c.value, l.Reason, c.reason)
		}
		if l.Kind != leadroute.DeadMessage || l.Stage != "feeds" || l.Topic != r.Config.Namespace.Topic(c.feed) || string(l.Payload) != c.value {
			t.Errorf("%s %s: the dead letter is %+v, want the record in it", c.feed, c.value, l)
		}
		left--
		return left > 0
	})
}

// TestOrder: records about one rep keep the order of their partition, whatever the log
// refuses on the way and whoever takes the partition over, and none is lost.
func TestOrder(t *testing.T) {
	r := newRig(t)
	r.cfg.Rep = func(leadroute.RepID) *desk.State { return &desk.State{} }
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	refusals := 0
	r.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		mu.Lock()
		defer mu.Unlock()
		if len(p.Topics) == 0 || rng.IntN(8) > 0 || refusals >= 15 {
			return nil, nil, false
		}
		refusals++
		res := p.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range p.Topics {
			to := kmsg.ProduceResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, part := range topic.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = part.Partition, kerr.NotEnoughReplicas.Code
				to.Partitions = append(to.Partitions, one)
			}
			res.Topics = append(res.Topics, to)
		}
		return res, nil, true
	})
	const reps, each = 7, 30
	cl := r.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for n := range each {
		for i := range reps {
			rec := r.Record(leadroute.TopicRepEvents, fmt.Sprint(n), fmt.Appendf(nil, `{"rep":"r%d","status":"busy","at":%d}`, i, 1000+n))
			rec.Partition = int32(i % 2)
			kafkatest.Send(t, cl, rec)
		}
	}
	stop := r.run(t)
	heard := map[string][]leadroute.Millis{}
	last := map[string]bool{}
	stopped := false
	r.Read(leadroute.TopicReps).Until("the last record of every rep", func(got *kgo.Record) bool {
		m, err := leadroute.Decode[leadroute.RepMessage](got.Value)
		if err != nil || m.Status == nil {
			t.Fatalf("%s: %v", got.Value, err)
		}
		key := string(got.Key)
		heard[key] = append(heard[key], m.SaidAt)
		last[key] = last[key] || m.SaidAt == 1000+each-1
		if n := len(heard[key]); n == each/2 && !stopped { // another one goes on
			stopped = true
			stop()
			r.run(t)
		}
		done := 0
		for _, over := range last {
			if over {
				done++
			}
		}
		return done < reps
	})
	if !stopped || refusals == 0 {
		t.Errorf("stopped %v, refused %d: the test is not the test that it should be", stopped, refusals)
	}
	for key, times := range heard {
		back := 0
		for i, at := range times {
			if want := leadroute.Millis(1000); i > 0 {
				want = times[i-1] + 1
				if at < want { // the next owner reads again what the last one had not committed
					back++
				} else if at > want {
					t.Errorf("%s: record %d is %d, want %d", key, i, at, want)
				}
			} else if at != want {
				t.Errorf("%s: the first record is %d, want %d", key, at, want)
			}
		}
		if back > 1 {
			t.Errorf("%s: went back %d times, want once at most: %v", key, back, times)
		}
	}
}
