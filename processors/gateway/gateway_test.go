package gateway

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const lead = `{"email":"Ana@Example.com ","score":88,"region":"EMEA","company_size":900}`

func TestLeadIsAcceptedWhenTheLogHasIt(t *testing.T) {
	d := openDoor(t, nil)
	r := d.post(t, "/v1/leads", `{"email":"Ana@Example.com ","score":88,"emitted_at":"2026-01-14T10:00:00+01:00","note":"a <b> \u00e9 \"q\""}`)
	if r.status != 202 || r.member(t, "status") != "accepted" || r.member(t, "class") != "P0" {
		t.Fatalf("post = %v, want 202 accepted P0", r)
	}
	l := read[leadroute.Lead](t, d, leadroute.Inbox("P0"), 1)[0]
	if string(l.ID) != r.member(t, "id") || len(l.ID) < 22 || !validID(string(l.ID)) {
		t.Errorf("lead id = %q, answered %q, want the same, of 22 characters at least", l.ID, r.member(t, "id"))
	}
	if want := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC); l.Source != "web" || !l.EmittedAt.Time().Equal(want) || l.Receipt == "" || l.ReceivedAt == 0 {
		t.Errorf("lead = %+v, want source web, emitted at %v, a receipt and a time of receipt", l, want)
	}
	if want := []string{hex.EncodeToString(d.cfg.IDKey[:2]) + "/Ana@Example.com "}; !slices.Equal(l.Identities, want) {
		t.Errorf("identities = %q, want those that the checker made, %q", l.Identities, want)
	}
	var fields map[string]any
	if err := json.Unmarshal(l.Fields, &fields); err != nil || fields["note"] != "a <b> é \"q\"" || fields["score"] != 88.0 {
		t.Errorf("fields = %s (%v), want them as sent", l.Fields, err)
	}
	if got := d.leads(t, "accepted", "P0"); got != 1 {
		t.Errorf("leads_total{accepted,P0} = %v, want 1", got)
	}
}

func TestDerivedID(t *testing.T) {
	key := []byte("0123456789abcdef")
	ana, _ := deriveID(key, "web", identity{email: "ana@example.com"})
	for _, c := range []struct {
		name string
		key  string
		src  leadroute.SourceID
		who  identity
		same bool
	}{
		{"case and blanks", "0123456789abcdef", "web", identity{email: " ANA@example.com"}, true},
		{"the e-mail's own domain said", "0123456789abcdef", "web", identity{email: "ana@example.com", domain: "www.Example.com"}, true},
		{"a phone beside the e-mail", "0123456789abcdef", "web", identity{email: "ana@example.com", phone: "+1 555"}, true},
		{"another source", "0123456789abcdef", "crm", identity{email: "ana@example.com"}, false},
		{"another person", "0123456789abcdef", "web", identity{email: "ben@example.com"}, false},
		{"another deployment", "fedcba9876543210", "web", identity{email: "ana@example.com"}, false},
		{"the same text elsewhere", "0123456789abcdef", "web", identity{domain: "ana@example.com"}, false},
	} {
		if got, ok := deriveID([]byte(c.key), c.src, c.who); !ok || (got == ana) != c.same {
			t.Errorf("%s: deriveID(%v, %+v) = %s, %v; same as ana's = %v, want %v", c.name, c.src, c.who, got, ok, got == ana, c.same)
		}
	}
	p1, _ := deriveID(key, "web", identity{domain: "example.com", phone: "+1 (555) 010"})
	p2, _ := deriveID(key, "web", identity{domain: "example.com", phone: "001 555 010"})
	p3, _ := deriveID(key, "web", identity{domain: "example.com", phone: "+1 555 011"})
	if p1 != p2 || p1 == p3 {
		t.Errorf("ids by phone = %s, %s, %s, want the first two equal and the third another", p1, p2, p3)
	}
	for i := range 1000 { // one in 64 would
		if id, _ := deriveID(key, "web", identity{email: fmt.Sprintf("person%d@example.com", i)}); strings.HasPrefix(string(id), "-") {
			t.Fatalf("deriveID = %s, which a command line takes for a flag", id)
		}
	}
	if id, ok := deriveID(key, "web", identity{email: " ", phone: "+"}); ok {
		t.Errorf("deriveID(nobody) = %s, want none", id)
	}
}

// TestRefusals walks everything wrong that a sender can do at the door: the answer says
// what, where and what to do, and nothing gets into the log.
func TestRefusals(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.MaxRecord, c.MaxBatch, c.MaxRecords = 2000, 8000, 10 })
	big := `{"email":"a@example.com","score":1,"x":"` + strings.Repeat("y", 3000) + `"}`
	many := "[" + strings.Repeat(`{},`, 10) + "{}]"
	for _, c := range []struct {
		name, path, body string
		headers          []string
		status           int
		code, pointer    string
		detail           string // part of it
	}{
		{"no key", "/v1/leads", lead, []string{"Authorization", ""}, 401, "unauthorized", "", "API key"},
		{"wrong key", "/v1/leads", lead, []string{"Authorization", "Bearer secret3"}, 401, "unauthorized", "", "API key"},
		{"truncated JSON", "/v1/leads", `{"email":"ana@example.com","sco`, nil, 400, "json", "", "breaks at byte 31"},
		{"no body", "/v1/leads", ``, nil, 400, "json", "", "byte 0"},
		{"not UTF-8", "/v1/leads", "{\"email\":\"\xff\"}", nil, 400, "json", "", "UTF-8"},
		{"two texts", "/v1/leads", lead + lead, nil, 400, "json", "", "breaks at byte"},
		{"too large", "/v1/leads", big, nil, 413, "too_large", "", "2000 bytes"},
		{"too large unpacked", "/v1/leads", zipped(t, big), []string{"Content-Encoding", "gzip"}, 413, "too_large", "", "2000 bytes"},
		{"not gzip", "/v1/leads", lead, []string{"Content-Encoding", "gzip"}, 400, "body", "", "read"},
		{"unknown encoding", "/v1/leads", lead, []string{"Content-Encoding", "br"}, 415, "content_encoding", "", "Content-Encoding"},
		{"form", "/v1/leads", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "media_type", "", "Content-Type"},
		{"latin-1", "/v1/leads", lead, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "media_type", "", "Content-Type"},
		{"NDJSON to the single route", "/v1/leads", lead, []string{"Content-Type", "application/x-ndjson"}, 415, "media_type", "", "Content-Type"},
		{"an array", "/v1/leads", "[" + lead + "]", nil, 422, "type", "", "object"},
		{"null", "/v1/leads", "null", nil, 422, "type", "", "object"},
		{"deep", "/v1/leads", `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, nil, 422, "type", "", "deeper"},
		{"required", "/v1/leads", `{"email":"ana@example.com"}`, nil, 422, "schema", "/score", "missing"},
		{"wrong type", "/v1/leads", `{"email":5,"score":3}`, nil, 422, "schema", "/email", "string"},
		{"bad id", "/v1/leads", `{"id":"ana@example.com","score":3}`, nil, 422, "id", "/id", "64 characters"},
		{"id is a number", "/v1/leads", `{"id":7,"score":3}`, nil, 422, "id", "/id", "64 characters"},
		{"member twice", "/v1/leads", `{"email":"a@example.com","score":3,"em\u0061il":"b@example.com"}`, nil, 422, "duplicate_member", "/email", "twice"},
		{"nobody", "/v1/leads", `{"score":3,"email":" ","phone":null}`, nil, 422, "identity", "", "neither"},
		{"time", "/v1/leads", `{"id":"l1","score":3,"emitted_at":"yesterday"}`, nil, 422, "emitted_at", "/emitted_at", "RFC 3339"},
		{"future", "/v1/leads", `{"id":"l1","score":3,"emitted_at":"2999-01-01T00:00:00Z"}`, nil, 422, "emitted_at", "/emitted_at", "future"},
		{"batch truncated", "/v1/leads/batch", `[{"id":"l1","score":3},`, nil, 400, "json", "", "breaks at byte"},
		{"batch no array", "/v1/leads/batch", lead, nil, 400, "type", "", "array"},
		{"batch empty", "/v1/leads/batch", `[]`, nil, 400, "empty", "", "no lead"},
		{"NDJSON empty", "/v1/leads/batch", "\n\n", []string{"Content-Type", "application/x-ndjson"}, 400, "empty", "", "no lead"},
		{"batch too many", "/v1/leads/batch", many, nil, 413, "too_large", "", "limit is 10"},
		{"batch too large", "/v1/leads/batch", "[" + big + "," + big + "," + big + "]", nil, 413, "too_large", "", "8000 bytes"},
		{"respond unknown action", "/v1/leads/l1/respond", `{"rep":"ana","action":"sold"}`, nil, 422, "schema", "/action", "action"},
		{"respond without rep", "/v1/leads/l1/respond", `{"action":"closed"}`, nil, 422, "schema", "/rep", "rep"},
		{"respond to no id", "/v1/leads/ana@example.com/respond", `{"rep":"ana","action":"closed"}`, nil, 422, "id", "", "names no lead"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := d.post(t, c.path, c.body, c.headers...)
			if r.status != c.status || r.header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("post = %v (%s), want %d problem+json", r, r.header.Get("Content-Type"), c.status)
			}
			if got := r.member(t, "type"); got != "urn:leadroute:problem:"+c.code {
				t.Errorf("type = %s, want code %s", got, c.code)
			}
			if got := r.member(t, "pointer"); got != c.pointer {
				t.Errorf("pointer = %q, want %q", got, c.pointer)
			}
			if got := r.member(t, "detail"); !strings.Contains(got, c.detail) {
				t.Errorf("detail = %q, want %q in it", got, c.detail)
			}
			if r.member(t, "remedy") == "" {
				t.Error("remedy is empty")
			}
		})
	}
	for _, topic := range []leadroute.Topic{leadroute.Inbox("P0"), leadroute.Inbox("P2"), leadroute.TopicLedger} {
		if n := d.produced(topic); n != 0 {
			t.Errorf("%s has %d records, want none", topic, n)
		}
	}
}

func TestTenMegabytesAreRefusedUnread(t *testing.T) {
	d := openDoor(t, nil)
	for _, path := range []string{"/v1/leads", "/v1/leads/batch"} {
		r := d.do(t, http.MethodPost, path, bytes.NewReader(make([]byte, 10<<20)))
		if r.status != 413 || !strings.Contains(r.member(t, "detail"), " bytes") {
			t.Errorf("%s: post of 10 MB = %v, want 413 naming the limit", path, r)
		}
	}
}

func TestSeveralProblemsAreAllNamed(t *testing.T) {
	d := openDoor(t, nil)
	r := d.post(t, "/v1/leads", `{"id":"no no","region":"Mars","email":"ana@example.com"}`)
	var body struct{ Errors []Problem }
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, p := range body.Errors {
		got[p.Pointer] = p.Message != "" && p.Remedy != ""
	}
	// The id is the door's finding, the score the typed check's, the region the JSON Schema's.
	if r.status != 422 || len(got) != 3 || !got["/id"] || !got["/score"] || !got["/region"] {
		t.Errorf("post = %v, want 422 naming /id, /score and /region", r)
	}
}

func TestRejectionIsAnEventWithoutPersonalData(t *testing.T) {
	d := openDoor(t, nil)
	d.post(t, "/v1/leads", `{"email":"ana@example.com"}`)
	d.post(t, "/v1/leads", `{"email":"ana@example.com","sco`)
	evs := read[leadroute.LatencyEvent](t, d, leadroute.TopicEvents, 2)
	reasons := map[string]bool{}
	ids := map[string]bool{}
	for _, ev := range evs {
		reasons[ev.Reason], ids[ev.ID()] = true, true
		if ev.Step != leadroute.StepRejected || ev.Source != "web" || ev.Plan != "plan1" || !validID(string(ev.Lead)) || ev.At == 0 {
			t.Errorf("event = %+v, want rejected, from web under plan1, with a lead id and a time", ev)
		}
		if b, _ := json.Marshal(ev); bytes.Contains(b, []byte("ana")) || bytes.Contains(b, []byte("example.com")) {
			t.Errorf("event = %s, want no personal data", b)
		}
	}
	if !reasons["schema /score"] || !reasons["json"] || len(ids) != 2 {
		t.Errorf("reasons = %v, ids = %v, want schema /score and json, two ids", reasons, ids)
	}
	if got := reason(Problem{Code: "schema", Pointer: "/ana@example.com"}); got != "schema" {
		t.Errorf("reason with an address for a member's name = %q, want schema alone", got)
	}
}

func TestBasicAuthIsAKeyToo(t *testing.T) {
	d := openDoor(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/v1/leads", strings.NewReader(lead))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("secret2", "")
	res, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != 202 {
		t.Fatalf("post with Basic = %d, want 202", res.StatusCode)
	}
	if l := read[leadroute.Lead](t, d, leadroute.Inbox("P0"), 1)[0]; l.Source != "crm" {
		t.Errorf("source = %s, want crm", l.Source)
	}
}

func TestParseKeys(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		fail string
	}{
		{"web=secret, crm=s=2,", 2, ""},
		{"web=old,web=new", 2, ""},
		{"web=sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", 1, ""},
		{"", 0, "no API keys"},
		{"hunter2", 0, "want SOURCE=SECRET"},
		{"web=", 0, "want SOURCE=SECRET"},
		{"w b=hunter2", 0, "source's name"},
		{"web=hunter2,crm=hunter2", 0, "same API key"},
		{"web=sha256:hunter2", 0, "64 hex"},
	} {
		got, err := ParseKeys(c.in)
		switch {
		case c.fail == "" && (err != nil || len(got) != c.n):
			t.Errorf("ParseKeys(%q) = %d keys, %v, want %d", c.in, len(got), err, c.n)
		case c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)):
			t.Errorf("ParseKeys(%q) = %v, want %q", c.in, err, c.fail)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("ParseKeys(%q) = %v, which shows the key", c.in, err)
		}
	}
	hashed, err := ParseKeys("web=sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b")
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Header.Set("Authorization", "bearer secret")
	if src, ok := hashed.Source(req); !ok || src != "web" {
		t.Errorf("Source of a key given as its hash = %q, %v, want web", src, ok)
	}
}

func TestFailedProduceIsNoAcceptance(t *testing.T) {
	d := openDoor(t, nil)
	d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.inbox.P0", Err: kerr.PolicyViolation})
	r := d.post(t, "/v1/leads", lead)
	if r.status != 503 || r.header.Get("Retry-After") == "" || r.member(t, "remedy") == "" {
		t.Fatalf("post while the log refuses = %v, want 503 with Retry-After", r)
	}
	if d.Ready() == nil {
		t.Error("Ready while the log refuses = nil, want an error")
	}
	if r = d.post(t, "/v1/leads", lead); r.status != 202 || r.member(t, "status") != "accepted" {
		t.Fatalf("second post = %v, want 202 accepted: the failed one must not have been learned", r)
	}
	if err := d.Ready(); err != nil {
		t.Errorf("Ready = %v, want nil", err)
	}
	if r = d.post(t, "/v1/leads", lead); r.status != 200 || r.member(t, "status") != "duplicate" {
		t.Fatalf("third post = %v, want 200 duplicate", r)
	}
	if n := d.produced(leadroute.Inbox("P0")); n != 1 {
		t.Errorf("the inbox has %d records, want 1", n)
	}
	if ev := read[leadroute.LatencyEvent](t, d, leadroute.TopicEvents, 1)[0]; ev.Step != leadroute.StepDuplicate {
		t.Errorf("event = %+v, want duplicate", ev)
	}
}

func TestSlowLogIsNoAcceptanceUntilItAnswers(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.AckTimeout = 300 * time.Millisecond })
	// The broker appends and says it did not: what came of the record is not known.
	fault := d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.inbox.P0", Err: kerr.RequestTimedOut, Count: -1})
	if r := d.post(t, "/v1/leads", lead); r.status != 503 {
		t.Fatalf("post while the log does not answer = %v, want 503", r)
	}
	fault.Remove()
	deadline := time.Now().Add(10 * time.Second)
	for {
		r := d.post(t, "/v1/leads", lead)
		if r.status == 202 || r.status == 200 {
			break
		}
		if r.status != 503 || time.Now().After(deadline) {
			t.Fatalf("post after the log came back = %v, want 202 or 200", r)
		}
	}
	if r := d.post(t, "/v1/leads", lead); r.status != 200 {
		t.Errorf("one more post = %v, want 200 duplicate", r)
	}
}

func TestBrokerAway(t *testing.T) {
	var logged lockedBuffer
	d := openDoor(t, func(c *Config) {
		c.AckTimeout = 300 * time.Millisecond
		c.Stream.Log = slog.New(slog.NewTextHandler(&logged, nil))
	})
	d.cluster.Close()
	start := time.Now()
	if r := d.post(t, "/v1/leads", lead); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Fatalf("post without a broker = %v, want 503 with Retry-After", r)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("the 503 took %v, want about AckTimeout", took)
	}
	if log := logged.String(); !strings.Contains(log, "log does not take messages") || strings.Contains(strings.ToLower(log), "ana@") {
		t.Errorf("log = %s, want the fault and no personal data", log)
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestClosedDoor(t *testing.T) {
	none := Config{Stream: stream.Config{Brokers: []string{"127.0.0.1:1"}}, IDKey: make([]byte, 16), Classes: testClasses, Checker: func() Checker { return nil }}
	if _, err := New(none); err == nil || !strings.Contains(err.Error(), "API keys") {
		t.Errorf("New without keys = %v, want it named", err)
	}
	d := openDoor(t, func(c *Config) { c.Checker = func() Checker { return nil } })
	if r := d.post(t, "/v1/leads", lead); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("post without a policy = %v, want 503", r)
	}
	if d.Ready() == nil {
		t.Error("Ready without a policy = nil")
	}
}

func TestFullDoor(t *testing.T) {
	measured := make(chan struct{})
	d := openDoor(t, func(c *Config) {
		c.MaxBacklog, c.BacklogEvery = 2, 20*time.Millisecond
		was := c.backlogChanged
		c.backlogChanged = func() {
			was()
			select {
			case measured <- struct{}{}:
			default:
			}
		}
	})
	for i := range 3 {
		if r := d.post(t, "/v1/leads", fmt.Sprintf(`{"id":"l%d","score":1}`, i)); r.status != 202 {
			t.Fatalf("post %d = %v, want 202", i, r)
		}
	}
	<-measured // perhaps begun before the last post
	<-measured
	r := d.post(t, "/v1/leads", `{"id":"l9","score":1}`)
	if r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("post over the P2 backlog = %v, want 429 with Retry-After", r)
	}
	if r := d.post(t, "/v1/leads/batch", `[{"id":"l9","score":1},{"id":"l10","score":99}]`); r.status != 429 {
		t.Errorf("batch over the P2 backlog = %v, want 429", r)
	}
	if r := d.post(t, "/v1/leads", `{"id":"l10","score":99}`); r.status != 202 {
		t.Errorf("P0 beside a full P2 = %v, want 202", r)
	}
}

func TestInFlightLimit(t *testing.T) {
	l := newLoad(testClasses, 9, 10)
	only := func(s int) func(int) bool { return func(i int) bool { return i == s } }
	if p := l.enter(6, only(2)); p != nil {
		t.Fatalf("enter(6 of P2) = %v, want room", p)
	}
	if p := l.enter(1, only(2)); p != errInFlight {
		t.Errorf("enter(a seventh of P2) = %v, want %v", p, errInFlight)
	}
	if p := l.enter(3, only(0)); p != nil {
		t.Errorf("enter(3 of P0) = %v, want room", p)
	}
	if p := l.enter(1, only(0)); p != errInFlight {
		t.Errorf("enter(a tenth) = %v, want %v", p, errInFlight)
	}
	l.leave(9)
	if p := l.enter(6, only(2)); p != nil {
		t.Errorf("enter after leave = %v, want room", p)
	}
}

func TestRespond(t *testing.T) {
	d := openDoor(t, nil)
	if r := d.post(t, "/v1/leads/l1/respond", ` {"rep":"ana","action":"responded"} `); r.status != 202 {
		t.Fatalf("respond = %v, want 202", r)
	}
	m := read[leadroute.LedgerMessage](t, d, leadroute.TopicLedger, 1)[0]
	if m.Action == nil || m.Action.Rep != "ana" || m.Action.Action != "responded" || m.Action.At == 0 {
		t.Errorf("ledger message = %+v, want ana's response with a time", m)
	}
	d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.ledger", Err: kerr.PolicyViolation})
	if r := d.post(t, "/v1/leads/l1/respond", `{"rep":"ana","action":"closed"}`); r.status != 503 {
		t.Errorf("respond while the log refuses = %v, want 503", r)
	}
}

// What is wrong with one action spoils only that one, and the answer names it.
func TestRespondMany(t *testing.T) {
	d := openDoor(t, nil)
	r := d.post(t, "/v1/leads/respond", `[{"lead":"l1","rep":"ana","action":"responded"},{"lead":"l2","rep":"ben","action":"sold"},{"lead":"x y","rep":"ben","action":"closed"},{"lead":"l1","rep":"ana","action":"closed"}]`)
	var got batchResult
	if err := json.Unmarshal(r.body, &got); err != nil || r.status != 207 {
		t.Fatalf("respond = %v (%v), want 207 and a result", r, err)
	}
	if got.Accepted != 2 || got.Rejected != 2 || got.Results[1].Error == nil || got.Results[1].Error.Pointer != "/action" ||
		got.Results[2].Error == nil || got.Results[2].Error.Pointer != "/lead" {
		t.Errorf("results = %s, want the second's action and the third's lead rejected", r.body)
	}
	for i, m := range read[leadroute.LedgerMessage](t, d, leadroute.TopicLedger, 2) {
		if want := []string{"responded", "closed"}[i]; m.Action == nil || m.Action.Action != want || m.Action.Rep != "ana" {
			t.Errorf("ledger message %d = %+v, want ana's %s", i, m.Action, want)
		}
	}
	if r := d.post(t, "/v1/leads/respond", `[{"lead":"l1","rep":"","action":"closed"}]`); r.status != 422 {
		t.Errorf("respond with no good action = %v, want 422", r)
	}
	d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.ledger", Err: kerr.PolicyViolation})
	if r := d.post(t, "/v1/leads/respond", `[{"lead":"l1","rep":"ana","action":"closed"}]`); r.status != 503 {
		t.Errorf("respond while the log refuses = %v, want 503", r)
	}
}

func TestSchemaIsServed(t *testing.T) {
	d := openDoor(t, nil)
	r := d.do(t, http.MethodGet, "/v1/schema", nil)
	if r.status != 200 || string(r.body) != schemaDoc {
		t.Errorf("GET /v1/schema = %v, want the document", r)
	}
}
