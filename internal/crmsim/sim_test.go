package crmsim

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/leadroute/leadroute"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's vectors

func newSim(t testing.TB, o Options) *Sim {
	t.Helper()
	o.Secret = testSecret
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parcel is one delivery to sign and send.
type parcel struct {
	id    string // webhook id; empty: lead/rev
	lead  string
	rev   int
	owner string
	queue string
	pool  string
	email string
	more  string // another member of data
}

func (p parcel) body() []byte {
	if p.email == "" {
		p.email = p.lead + "@a.example"
	}
	b, err := json.Marshal(map[string]any{
		"type": "lead.assigned", "timestamp": "2026-01-01T00:00:00Z",
		"data": map[string]any{
			"id": p.lead, "revision": p.rev, "owner": p.owner, "owner_crm_id": "crm-" + p.owner, "priority": "P1",
			"queue": p.queue, "pool": p.pool, "rule": p.more, "lead": map[string]any{"email": p.email, "score": 5},
		},
	})
	if err != nil {
		panic(err)
	}
	return b
}

func signed(t testing.TB, p parcel, secret string, at time.Time) *http.Request {
	t.Helper()
	if p.id == "" {
		p.id = fmt.Sprintf("%s/%d", p.lead, p.rev)
	}
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	body := p.body()
	sig, err := hook.Sign(p.id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, WebhookPath, bytes.NewReader(body))
	r.Header.Set("Webhook-Id", p.id)
	r.Header.Set("Webhook-Timestamp", fmt.Sprint(at.Unix()))
	r.Header.Set("Webhook-Signature", sig)
	return r
}

// deliver sends a parcel straight to the handler and returns "200 applied" or the like.
func deliver(t testing.TB, s *Sim, p parcel) string {
	t.Helper()
	return serve(s, signed(t, p, testSecret, time.Now()))
}

// serve returns the status and the answer's word, or "dropped".
func serve(s *Sim, r *http.Request) (answer string) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // a panic's value, not a chain
			answer = "dropped"
		} else if p != nil {
			panic(p)
		}
	}()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	var a struct{ Status, Error string }
	_ = json.Unmarshal(w.Body.Bytes(), &a)
	return fmt.Sprintf("%d %s", w.Code, a.Status+a.Error)
}

// A CRM's upsert, step by step.
func TestUpsert(t *testing.T) {
	s := newSim(t, Options{})
	for i, c := range []struct {
		parcel parcel
		want   string
		counts Counts // after it; Requests is i+1
	}{
		{parcel{lead: "a", rev: 1, owner: "ana"}, "200 applied", Counts{Applied: 1}},
		{parcel{lead: "a", rev: 1, owner: "ana"}, "200 repeated", Counts{Applied: 1, Repeated: 1}},
		{parcel{lead: "a", rev: 1, owner: "ana", more: "other rule"}, "200 repeated", Counts{Applied: 1, Repeated: 2, Altered: 1}},
		{parcel{lead: "a", rev: 3, owner: "ben"}, "200 applied", Counts{Applied: 2, Repeated: 2, Altered: 1}},
		{parcel{lead: "a", rev: 2, owner: "ana"}, "200 stale", Counts{Applied: 2, Repeated: 2, Altered: 1, Stale: 1}},
		{parcel{lead: "a", rev: 1, owner: "ana"}, "200 repeated", Counts{Applied: 2, Repeated: 3, Altered: 1, Stale: 1}},
		{parcel{lead: "a", rev: 3, owner: "ana"}, "200 conflict", Counts{Applied: 2, Repeated: 3, Altered: 1, Stale: 1, Conflicts: 1}},
		{parcel{lead: "a", rev: 3, owner: "ben", id: "other"}, "200 conflict", Counts{Applied: 2, Repeated: 3, Altered: 1, Stale: 1, Conflicts: 2}},
		{parcel{lead: "a", rev: 3, owner: "ana", id: "a/3/1"}, "200 conflict", Counts{Applied: 2, Repeated: 3, Altered: 1, Stale: 1, Conflicts: 3}},
		{parcel{lead: "a", rev: 3, owner: "ben", id: "a/3/2"}, "200 repeated", Counts{Applied: 2, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 3}},
		{parcel{lead: "b", rev: 1, owner: "ben", id: "a/1"}, "200 conflict", Counts{Applied: 2, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 4}},
		{parcel{lead: "w", rev: 1, queue: "backlog"}, "200 applied", Counts{Applied: 3, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 4}},
		{parcel{lead: "w", rev: 2, owner: "ana"}, "200 applied", Counts{Applied: 4, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 4}},
		{parcel{lead: "", rev: 1}, "400 not a lead with an id and a revision", Counts{Applied: 4, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 4, Malformed: 1}},
		{parcel{lead: "c", rev: 0}, "400 not a lead with an id and a revision", Counts{Applied: 4, Repeated: 4, Altered: 1, Stale: 1, Conflicts: 4, Malformed: 2}},
	} {
		c.counts.Requests = i + 1
		if got := deliver(t, s, c.parcel); got != c.want {
			t.Errorf("step %d: deliver(%+v) = %q, want %q", i, c.parcel, got, c.want)
		}
		st := s.Stats()
		if st.Counts != c.counts {
			t.Errorf("step %d: after %+v the counts are %+v, want %+v", i, c.parcel, st.Counts, c.counts)
		}
		if st.DuplicateRecords != c.counts.Conflicts {
			t.Errorf("step %d: duplicate records = %d, want the %d conflicts", i, st.DuplicateRecords, c.counts.Conflicts)
		}
	}
	rec, ok := s.Record("a")
	if !ok || rec.Owner != "ben" || rec.OwnerCRM != "crm-ben" || rec.Revision != 3 || len(rec.History) != 2 || rec.History[0].End != EndSuperseded {
		t.Errorf("record a = %+v, want revision 3 with ben, and revision 1 superseded", rec)
	}
	rec, _ = s.Record("w")
	if rec.FirstAck == 0 || rec.OwnedAck < rec.FirstAck || rec.Owner != "ana" {
		t.Errorf("record w = %+v, want a first ack for the queue and a later one for ana", rec)
	}
	if _, ok := s.Record("b"); ok {
		t.Error("a conflicting webhook id made a record of lead b")
	}
}

func TestBadSignatures(t *testing.T) {
	s := newSim(t, Options{})
	p := parcel{lead: "a", rev: 1, owner: "ana"}
	other := "whsec_" + strings.Repeat("QUFB", 8)
	bad := map[string]*http.Request{
		"another secret": signed(t, p, other, time.Now()),
		"too old":        signed(t, p, testSecret, time.Now().Add(-6*time.Minute)),
		"in the future":  signed(t, p, testSecret, time.Now().Add(6*time.Minute)),
	}
	for _, h := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		r := signed(t, p, testSecret, time.Now())
		r.Header.Del(h)
		bad["no "+h] = r
	}
	r := signed(t, p, testSecret, time.Now())
	r.Header.Set("Webhook-Id", "a/2")
	bad["another id"] = r
	r = signed(t, p, testSecret, time.Now())
	r.Body = http.NoBody
	r.ContentLength = 0
	bad["another body"] = r
	for name, r := range bad {
		if got := serve(s, r); got != "401 signature" {
			t.Errorf("%s: answered %q, want 401", name, got)
		}
	}
	if st := s.Stats(); st.BadSignatures != len(bad) || st.Records != 0 {
		t.Errorf("%d bad signatures and %d records, want %d and 0", st.BadSignatures, st.Records, len(bad))
	}
	// Two signatures, the second good: a secret that is being rotated.
	r = signed(t, p, testSecret, time.Now())
	r.Header.Set("Webhook-Signature", "v1,AAAA "+r.Header.Get("Webhook-Signature"))
	if got := serve(s, r); got != "200 applied" {
		t.Errorf("rotated secret: answered %q, want 200", got)
	}
}

func TestDuplicatePersons(t *testing.T) {
	s := newSim(t, Options{})
	for _, p := range []parcel{
		{lead: "a", rev: 1, owner: "ana", email: "ana.b@a.example"},
		{lead: "b", rev: 1, owner: "ana", email: " ANA.B@a.example "},
		{lead: "c", rev: 1, owner: "ana", email: "ana.c@a.example"},
		{lead: "c", rev: 2, owner: "ben", email: "ana.c@a.example"},
		{lead: "d", rev: 1, owner: "ana", email: " "},
		{lead: "e", rev: 1, owner: "ana", email: " "},
	} {
		deliver(t, s, p)
	}
	if st := s.Stats(); st.DuplicateRecords != 1 || st.Records != 5 {
		t.Errorf("%d duplicate of %d records, want 1 of 5", st.DuplicateRecords, st.Records)
	}
}

func TestOverCapacity(t *testing.T) {
	s := newSim(t, Options{})
	s.SetCaps(map[leadroute.RepID]int{"ana": 2})
	give := func(lead string, rev int, owner string) { deliver(t, s, parcel{lead: lead, rev: rev, owner: owner}) }
	check := func(what string, over, ana, most int) {
		t.Helper()
		st := s.Stats()
		if r := st.Reps["ana"]; st.OverCapacity != over || r.Open != ana || r.MaxOpen != most || r.Cap != 2 {
			t.Errorf("%s: over %d, ana %+v, want over %d, open %d, at most %d, cap 2", what, st.OverCapacity, r, over, ana, most)
		}
	}
	give("a", 1, "ana")
	give("b", 1, "ana")
	for range 3 { // ben has no cap
		give(fmt.Sprintf("ben%d", len(s.records)), 1, "ben")
	}
	check("full", 0, 2, 2)
	if !s.close("a", 1) || s.close("a", 1) || s.close("b", 2) || s.close("nobody", 1) {
		t.Error("close: want the first of a/1 to be true, and false for what is closed, moved or unknown")
	}
	give("c", 1, "ana")
	check("one closed, one more", 0, 2, 2)
	give("b", 2, "ben") // moved away
	give("d", 1, "ana")
	check("one moved, one more", 0, 2, 2)
	give("e", 1, "ana")
	check("one too many", 1, 3, 3)
	give("a", 2, "ana") // decided before she closed it, delivered after
	check("one that was closed comes late", 1, 3, 3)
}

func TestOverPoolCapacity(t *testing.T) {
	s := newSim(t, Options{})
	s.SetCaps(map[leadroute.RepID]int{"ana": 4})
	s.SetPoolCaps(map[leadroute.PoolID]int{"emea": 2})
	for i, p := range []parcel{{pool: "emea"}, {pool: "emea"}, {pool: "other"}, {}} {
		p.lead, p.rev, p.owner = fmt.Sprintf("l%d", i), 1, "ana"
		deliver(t, s, p)
	}
	if st := s.Stats(); st.OverCapacity != 0 || st.Reps["ana"].Open != 4 {
		t.Errorf("two of pool emea, two others: %+v, want 4 open and nothing over", st.Reps["ana"])
	}
	s.close("l3", 1)
	deliver(t, s, parcel{lead: "l4", rev: 1, owner: "ana", pool: "emea"})
	if st := s.Stats(); st.OverCapacity != 1 || st.Reps["ana"].MaxOpen != 4 {
		t.Errorf("three of pool emea: %+v, want one over the pool's cap and the rep's kept", st.Reps["ana"])
	}
	deliver(t, s, parcel{lead: "l5", rev: 1, owner: "ana", pool: "emea"})
	if st := s.Stats(); st.OverCapacity != 3 {
		t.Errorf("four of pool emea, five in all: over %d, want 3", st.OverCapacity)
	}
}

func TestFaultsAreSeededAndSafe(t *testing.T) {
	faults := Faults{Throttle: 0.1, Fail: 0.1, Hang: 0.05, Drop: 0.1, RetryAfter: 1, HangMS: 1}
	run := func(seed uint64, reverse bool) (fates []string, st Stats) {
		s := newSim(t, Options{Seed: seed, Faults: faults})
		const n = 400
		for i := range n {
			if reverse {
				i = n - 1 - i
			}
			id := leadroute.LeadID(fmt.Sprintf("l%d", i))
			var word []string
			for acked, want := false, false; !acked; {
				got := deliver(t, s, parcel{lead: string(id), rev: 1, owner: "ana"})
				word = append(word, got)
				acked = strings.HasPrefix(got, "200")
				want = want || acked || got == "dropped" // a lost answer is a commit
				if rec, committed := s.Record(id); committed != want || (rec.FirstAck != 0) != acked {
					t.Fatalf("lead %s answered %q (seed %d): committed %v, first ack at %d", id, word, seed, committed, rec.FirstAck)
				}
			}
			fates = append(fates, strings.Join(word, ","))
		}
		return fates, s.Stats()
	}
	a, st := run(1, false)
	b, _ := run(1, true)
	for i := range a {
		if a[i] != b[len(b)-1-i] {
			t.Fatalf("lead %d: fate %q in order and %q in reverse, seed 1", i, a[i], b[len(b)-1-i])
		}
	}
	if c, _ := run(2, false); strings.Join(a, " ") == strings.Join(c, " ") {
		t.Error("seeds 1 and 2 meet the same faults")
	}
	if st.Records != 400 || st.Applied != 400 || st.DuplicateRecords != 0 || st.BadSignatures != 0 {
		t.Errorf("after faults: %+v, want 400 records, each applied once", st)
	}
	for what, c := range map[string]struct {
		n    int
		rate float64
	}{"429": {st.Throttled, 0.1}, "500": {st.Failed, 0.1}, "hang": {st.Hung, 0.05}, "drop": {st.Dropped, 0.1}} {
		if want := float64(st.Requests) * c.rate; float64(c.n) < want*0.6 || float64(c.n) > want*1.4 {
			t.Errorf("%s: %d of %d requests, want about %.0f (seed 1)", what, c.n, st.Requests, want)
		}
	}
	if got := st.Repeated; got < (st.Hung+st.Dropped)/2 {
		t.Errorf("%d repeats after %d lost answers, want each asked again", got, st.Hung+st.Dropped)
	}
}

func TestThrottleSaysWhen(t *testing.T) {
	s := newSim(t, Options{Faults: Faults{Throttle: 1, RetryAfter: 7}})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, signed(t, parcel{lead: "a", rev: 1}, testSecret, time.Now()))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "7" {
		t.Errorf("answered %d, Retry-After %q, want 429 and 7", w.Code, w.Header().Get("Retry-After"))
	}
	if s.Stats().Records != 0 {
		t.Error("a throttled request made a record")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"no secret":  {},
		"not base64": {Secret: "whsec_%%%"},
		"rates":      {Secret: testSecret, Faults: Faults{Fail: 0.6, Hang: 0.6}},
		"negative":   {Secret: testSecret, Faults: Faults{Fail: -1}},
		"latency":    {Secret: testSecret, Faults: Faults{LatencyMS: -1}},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "%%%") {
			t.Errorf("%s: New gave %v, want an error without the secret", name, err)
		}
	}
}

// start serves the simulator on loopback; stop waits for its clean end.
func start(t testing.TB, s *Sim) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve ended with %v, want a clean stop", err)
		}
	})
	return "http://" + ln.Addr().String()
}

func call1(t testing.TB, method, url, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.Bytes()
}

func TestOverHTTP(t *testing.T) {
	s := newSim(t, Options{})
	url := start(t, s)
	for i, p := range []parcel{{lead: "a", rev: 1, owner: "ana"}, {lead: "b", rev: 1, owner: "ana"}} {
		r := signed(t, p, testSecret, time.Now())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+WebhookPath, r.Body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = r.Header
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("parcel %d: %v, %v", i, resp, err)
		}
		_ = resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	if code, b := call1(t, http.MethodPut, url+"/caps", `{"ana":1}`); code != http.StatusNoContent {
		t.Errorf("PUT /caps: %d %s", code, b)
	}
	var st Stats
	code, b := call1(t, http.MethodGet, url+"/stats", "")
	if err := json.Unmarshal(b, &st); err != nil || code != http.StatusOK || st.Records != 2 || st.OverCapacity != 1 || st.Reps["ana"].Open != 2 {
		t.Errorf("GET /stats: %d, %v: %s, want 2 records and ana over her cap of 1", code, err, b)
	}
	var recs []Record
	code, b = call1(t, http.MethodGet, url+"/records", "")
	if err := json.Unmarshal(b, &recs); err != nil || code != http.StatusOK || len(recs) != 2 || recs[0].Lead != "a" || recs[0].Owner != "ana" || recs[0].Priority != "P1" {
		t.Errorf("GET /records: %d, %v: %s", code, err, b)
	}
	var rec Record
	code, b = call1(t, http.MethodGet, url+"/records/b", "")
	if err := json.Unmarshal(b, &rec); err != nil || code != http.StatusOK || rec.Person != "b@a.example" || len(rec.History) != 1 {
		t.Errorf("GET /records/b: %d, %v: %s", code, err, b)
	}
	if code, _ := call1(t, http.MethodGet, url+"/records/c", ""); code != http.StatusNotFound {
		t.Errorf("GET /records/c: %d, want 404", code)
	}
	if code, b := call1(t, http.MethodPost, url+"/faults", `{"fail":1}`); code != http.StatusNoContent {
		t.Errorf("POST /faults: %d %s", code, b)
	}
	if got := deliver(t, s, parcel{lead: "c", rev: 1}); got != "500 out of order" {
		t.Errorf("after fail=1: %q, want 500", got)
	}
	if code, _ := call1(t, http.MethodPost, url+"/faults", `{"fail":2}`); code != http.StatusBadRequest {
		t.Errorf("POST /faults with a rate of 2: %d, want 400", code)
	}
}

// A hanging request ends when its sender leaves, and when the simulator stops.
func TestHangEnds(t *testing.T) {
	s := newSim(t, Options{Faults: Faults{Hang: 1}})
	url := start(t, s)
	r := signed(t, parcel{lead: "a", rev: 1, owner: "ana"}, testSecret, time.Now())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+WebhookPath, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.Header
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("a hanging request was answered %d", resp.StatusCode)
	}
	if rec, ok := s.Record("a"); !ok || rec.FirstAck != 0 {
		t.Errorf("record %+v (%v), want it committed and not acknowledged", rec, ok)
	}
}
