package views_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/gateway"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/queues"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/views"
)

// now is a Wednesday.
var now = time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)

// floor is a router in memory: tables that the views read, and a log that is applied to
// them as the stages would.
type floor struct {
	mu        sync.Mutex
	leads     map[leadroute.LeadID]*ledger.State
	trail     []leadroute.LatencyEvent
	reps      map[string]*desk.State
	accounts  map[string]*leadroute.Account
	queues    map[string]*queues.State
	writes    []write // of leads' rows
	plan      *plan.Plan
	sent      map[string]string // topic/key to the message
	fail      error             // of Lead
	trailErr  error
	decisions []leadroute.LatencyEvent
	logErr    error
	handler   http.Handler
}

// write is one of a lead's row.
type write struct {
	id  string
	row *ledger.State
}

func newFloor(t *testing.T) *floor {
	t.Helper()
	f := &floor{
		leads: map[leadroute.LeadID]*ledger.State{}, reps: map[string]*desk.State{},
		accounts: map[string]*leadroute.Account{}, sent: map[string]string{}, plan: officePlan(),
	}
	api, err := views.New(views.Config{
		Lead: func(id leadroute.LeadID) (*ledger.State, bool, error) {
			s, ok := f.leads[id]
			return s, ok, f.fail
		},
		Decisions: func(context.Context, leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
			return f.decisions, f.trailErr
		},
		Trail: func(_ context.Context, id leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
			var out []leadroute.LatencyEvent
			for _, e := range f.trail {
				if e.Lead == id {
					out = append(out, e)
				}
			}
			return out, f.trailErr
		},
		Reps: func(yield func(string, *desk.State) bool) {
			f.mu.Lock()
			defer f.mu.Unlock()
			maps.All(f.reps)(yield)
		},
		Queues:   func(yield func(string, *queues.State) bool) { maps.All(f.queues)(yield) },
		Plan:     func() *plan.Plan { return f.plan },
		Accounts: maps.Keys(f.accounts),
		Account:  func(domain string) *leadroute.Account { return f.accounts[domain] },
		Match: func(l *leadroute.Lead) (*leadroute.Account, *plan.Found, bool) {
			if f.plan.Accounts == nil {
				return nil, nil, false
			}
			names := company.NewIndex()
			for d, a := range f.accounts {
				names.Set(d, a.Name)
			}
			a, found := (&company.Book{Row: func(d string) *leadroute.Account { return f.accounts[d] }, Names: names}).Find(f.plan, l)
			return a, found, true
		},
		Leads: func(_ context.Context, yield func(string, *ledger.State) error) error {
			for _, w := range f.writes {
				if err := yield(w.id, w.row); err != nil {
					return err
				}
			}
			return f.fail
		},
		Where: func(_ context.Context, expr string) (*plan.Where, error) {
			if expr != "true" {
				return nil, &views.ErrWhere{Text: "--where:1,1-4: what is this\n    1 | " + expr + "\n"}
			}
			return plan.NewWhere(plan.NewLayout(), plan.Constant(true, "true")), nil
		},
		Decide: func(l *leadroute.Lead, _ leadroute.Millis) (plan.Decision, error) {
			if l.ID == "nobody" {
				return plan.Decision{}, nil
			}
			return plan.Decision{Rule: "new", Class: "P0", Targets: []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}}, nil
		},
		By: func(*http.Request) string { return "web" },
		Produce: func(_ context.Context, topic leadroute.Topic, key string, v any) error {
			b, err := leadroute.Encode(v)
			if err != nil {
				return err
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.logErr == nil {
				f.sent[string(topic)+"/"+key] = string(b)
			}
			return f.logErr
		},
		Claimable: func(context.Context) ([]leadroute.Timer, error) {
			return []leadroute.Timer{
				{Lead: "l1", Kind: leadroute.TimerClaim, Name: "desk", Due: 2000, Deadline: 5000}, {Lead: "l2", Kind: leadroute.TimerClaim, Name: "duty", Due: 3000},
			}, f.fail
		},
		Member: func(pool leadroute.PoolID, r *leadroute.Rep) bool { return string(pool) == r.Team },
		Now:    func() time.Time { return now },
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := gateway.ParseKeys("web=key-of-web")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	api.Routes(mux, keys.Require)
	f.handler = mux
	return f
}

// call makes one request and returns status and body.
func (f *floor) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key-of-web")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	kind := "application/json"
	if w.Code >= 400 {
		kind = "application/problem+json"
	}
	if got := w.Header().Get("Content-Type"); got != kind {
		t.Errorf("%s %s = %d %s, want %s", method, path, w.Code, got, kind)
	}
	if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		t.Errorf("%s %s = 503 without Retry-After", method, path)
	}
	return w.Code, w.Body.String()
}

func TestNewNamesWhatIsNotSet(t *testing.T) {
	_, err := views.New(views.Config{Lead: func(leadroute.LeadID) (*ledger.State, bool, error) { return nil, false, nil }})
	if want := "views: not set: Trail, Decisions, Reps, Accounts, Account, Match, Queues, Leads, Where, Decide, By, Plan, Produce"; err == nil || err.Error() != want {
		t.Errorf("New = %v, want %v", err, want)
	}
}

func TestEveryRouteIsBehindTheGuard(t *testing.T) {
	f := newFloor(t)
	for _, route := range []string{
		"GET /v1/leads/l1", "GET /v1/reps", "POST /v1/reps", "PUT /v1/reps/ana", "PUT /v1/reps/ana/status", "GET /v1/reps/ana", "PATCH /v1/reps/ana", "PUT /v1/reps/ana/away", "DELETE /v1/reps/ana/away",
		"GET /v1/claimable", "DELETE /v1/reps/ana", "GET /v1/accounts", "POST /v1/accounts", "GET /v1/queues", "GET /v1/queues/backlog",
		"GET /v1/accounts/match", "GET /v1/accounts/a.example", "PUT /v1/accounts/a.example", "DELETE /v1/accounts/a.example",
		"POST /v1/leads/reroute/preview", "POST /v1/leads/reroute",
	} {
		method, path, _ := strings.Cut(route, " ")
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("[]")))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a key = %d, want 401", route, w.Code)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("sent %v without a key", f.sent)
	}
}

// owned is the row of a lead that ana has had since 2000.
func owned() *ledger.State {
	return &ledger.State{
		Phase: ledger.Owned, Rev: 1, Class: "P0", Source: "web", Received: 1000, SLA: 60_000, Rule: "big", Plan: "p1",
		Fields: json.RawMessage(`{"email":"emi@example.com"}`), OwnerCRM: "005A",
		Claim: &leadroute.Claim{ID: leadroute.ClaimID{Lead: "l1", Rev: 1, Try: 1, Rep: "ana"}, Pool: "all"},
		Dests: []ledger.Dest{{Name: "crm", Rev: 1, Attempt: 1, Limit: 8, InFlight: true}},
		Trail: []ledger.TrailStep{
			{Step: leadroute.StepDecided, Rev: 1, At: 1500},
			{Step: leadroute.StepAssigned, Rev: 1, At: 2000, Prev: 500, Pool: "all", Rep: "ana"},
		},
	}
}

func TestLeadMergesTheRowsTrailWithHistory(t *testing.T) {
	f := newFloor(t)
	f.leads["l1"] = owned()
	// ClickHouse has all up to the decision; assigned is not there yet.
	f.trail = []leadroute.LatencyEvent{
		{Lead: "l1", Rev: 1, Step: leadroute.StepReceived, At: 1000, Source: "web"},
		f.leads["l1"].Events("l1")[0],
	}
	code, body := f.call(t, "GET", "/v1/leads/l1", "")
	var got views.Lead
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
		t.Fatalf("GET = %d %v %s", code, err, body)
	}
	var steps []leadroute.Step
	for _, e := range got.Trail {
		steps = append(steps, e.Step)
	}
	if want := []leadroute.Step{leadroute.StepReceived, leadroute.StepDecided, leadroute.StepAssigned}; !slices.Equal(steps, want) {
		t.Errorf("trail = %v, want %v", steps, want)
	}
	if last := got.Trail[2]; last.Rep != "ana" || last.Class != "P0" || last.SinceEmit != 1000 || last.SincePrev != 500 {
		t.Errorf("last step = %+v, want ana's of P0, 1000 ms after the emit and 500 after the step before", last)
	}
	want := &views.LeadState{
		Phase: ledger.Owned, Rev: 1, Class: "P0", Source: "web", ReceivedAt: 1000, Deadline: 61_000, Plan: "p1", Rule: "big",
		Owner: "ana", OwnerCRMID: "005A", Pool: "all", Destinations: []views.Destination{{Name: "crm", Rev: 1, Attempt: 1, Limit: 8, InFlight: true}},
	}
	if d := cmp.Diff(want, got.State); d != "" || strings.Contains(body, "emi@example.com") {
		t.Errorf("state (-want +got):\n%s\nin %s", d, body)
	}
	if _, body := f.call(t, "GET", "/v1/leads/l1?fields=true", ""); !strings.Contains(body, `"fields":{"email":"emi@example.com"}`) {
		t.Errorf("GET ?fields=true = %s, want what the lead says", body)
	}
}

func TestLeadThatCannotBeSeenWhole(t *testing.T) {
	away := errors.New("away")
	history := []leadroute.LatencyEvent{{Lead: "l1", Rev: 1, Step: leadroute.StepReceived, At: 1000}}
	for _, c := range []struct {
		name          string
		row           bool
		fail          error
		trail         []leadroute.LatencyEvent
		trailErr      error
		code          int
		state, s1, t1 string // is there a state, what do the notes say
	}{
		{"unknown", false, nil, nil, nil, 404, "", "", ""},
		{"elsewhere", false, fmt.Errorf("get: %w", stream.ErrNotLocal), history, nil, 200, "null", "another instance", ""},
		{"elsewhere and new", false, stream.ErrNotLocal, nil, nil, 200, "null", "another instance", ""},
		{"on its way in, or gone", false, nil, history, nil, 200, "null", "no row", ""},
		{"ClickHouse away", true, nil, nil, away, 200, "{", "", "ClickHouse"},
		{"all away", false, nil, nil, away, 503, "", "", ""},
		{"row broken", false, away, nil, nil, 503, "", "", ""},
		{"row broken, history there", false, away, history, nil, 200, "null", "could not be read", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFloor(t)
			f.fail, f.trail, f.trailErr = c.fail, c.trail, c.trailErr
			if c.row {
				f.leads["l1"] = owned()
			}
			code, body := f.call(t, "GET", "/v1/leads/l1", "")
			var got struct {
				State     json.RawMessage
				StateNote string `json:"state_note"`
				TrailNote string `json:"trail_note"`
				Trail     []leadroute.LatencyEvent
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if code != c.code || !strings.HasPrefix(string(got.State), c.state) || !strings.Contains(got.StateNote, c.s1) || !strings.Contains(got.TrailNote, c.t1) {
				t.Errorf("GET = %d %s, want %d, state %s and notes %q, %q", code, body, c.code, c.state, c.s1, c.t1)
			}
			if c.row && len(got.Trail) != 2 {
				t.Errorf("trail = %v, want the two steps that the row remembers", got.Trail)
			}
		})
	}
}

func TestBoard(t *testing.T) {
	f := newFloor(t)
	at := leadroute.At(now)
	week := leadroute.Shifts{}
	if err := week.Put("mon-fri", "09:00-17:00"); err != nil {
		t.Fatal(err)
	}
	f.reps["ben"] = &desk.State{Status: leadroute.StatusAway, Version: 3, Gone: true, Profile: leadroute.Rep{ID: "ben"}, Held: desk.Held{{Lead: "l1"}}}
	f.reps["left"] = &desk.State{Status: leadroute.StatusAvailable, Gone: true, Taken: desk.Taken{{Key: 1, At: at}}}
	f.reps["ana"] = &desk.State{
		Status: leadroute.StatusAvailable, Version: 7, Held: desk.Held{{Lead: "l2", Own: 3}, {Lead: "l3", Exempt: true}}, Last: at - 60_000,
		Taken:   desk.Taken{{Key: 1, At: at - 7_200_000}, {Key: 2, At: at - 60_000}, {Key: 3, At: at - 86_400_000}},
		Profile: leadroute.Rep{ID: "ana", Name: "Ana", Team: "ae", Region: "EMEA", Weight: 2, Caps: leadroute.Caps{Open: 5, PerHour: 2, PerDay: 8, PerWeek: 20}, Shifts: week},
	}
	f.reps["chloe"] = &desk.State{
		Status: leadroute.StatusAvailable, Version: 1, Away: []leadroute.Away{{From: leadroute.Moment{Day: 20260112}, Until: leadroute.Moment{Day: 20260116}, Reason: "vacation"}},
		Profile: leadroute.Rep{ID: "chloe", Team: "enterprise", Timezone: "Europe/Berlin", Hours: "nights", Holidays: []string{"fr"}, Shifts: week},
	}
	f.reps["emi"] = &desk.State{Status: leadroute.StatusBusy, StatusUntil: at + 600_000, Paused: at + 1_200_000, Version: 1, Profile: leadroute.Rep{ID: "emi"}}
	f.reps["fay"] = &desk.State{Status: leadroute.StatusBusy, StatusUntil: at, Leaving: true, Version: 1, Profile: leadroute.Rep{ID: "fay", Timezone: "America/New_York", Shifts: week}}
	f.reps["gil"] = &desk.State{Status: leadroute.StatusAvailable, Paused: at + 1_200_000, Version: 1, Profile: leadroute.Rep{ID: "gil", Timezone: "America/New_York", Shifts: week}}
	_, body := f.call(t, "GET", "/v1/reps", "")
	want := `{"at":1768384800000,"reps":[` +
		`{"id":"ana","name":"Ana","team":"ae","region":"EMEA","status":"available","open":3,"cap":5,"held":2,"hour":{"taken":1,"cap":2},"day":{"taken":2,"cap":8},"week":{"taken":3,"cap":20},` +
		`"last":1768384740000,"pools":["floor"],"shift_ends":1768410000000,"next_shift":1768467600000,"timezone":"UTC","weight":2,"version":7},` +
		`{"id":"ben","status":"away","absent":"removed","open":1,"cap":200,"held":1,"pools":["floor"],"timezone":"UTC","weight":1,"version":3,"gone":true},` +
		`{"id":"chloe","team":"enterprise","status":"available","absent":"out_of_office","absent_until":1768809600000,"reason":"vacation","away_until":1768604400000,"open":0,"cap":200,"held":0,` +
		`"next_shift":1768809600000,"timezone":"Europe/Berlin","weight":1,"version":1,"warnings":["is in no pool, and gets leads by name alone",` +
		`"keeps the hours \"nights\", which the policy does not have: they are always open","keeps the holidays \"fr\", which the policy does not have: they are working days"]},` +
		`{"id":"emi","status":"busy","status_until":1768385400000,"absent":"busy","absent_until":1768386000000,"open":0,"cap":200,"held":0,"pools":["floor"],"timezone":"UTC","weight":1,"version":1,"policy":true},` +
		`{"id":"fay","status":"available","absent":"leaving","open":0,"cap":200,"held":0,"pools":["floor"],"next_shift":1768399200000,"timezone":"America/New_York","weight":1,"version":1,"leaving":true},` +
		`{"id":"gil","status":"available","absent":"off_shift","absent_until":1768399200000,"open":0,"cap":200,"held":0,"pools":["floor"],"next_shift":1768399200000,"timezone":"America/New_York","weight":1,"version":1}]}`
	if body != want {
		t.Errorf("GET /v1/reps = %s\nwant %s", body, want)
	}
	if _, one := f.call(t, "GET", "/v1/reps/emi", ""); !strings.HasSuffix(one, `"policy":true,"profile":{"id":"emi"}}`) {
		t.Errorf("GET /v1/reps/emi = %s, want it with the profile", one)
	}
	if code, _ := f.call(t, "GET", "/v1/reps/left", ""); code != http.StatusNotFound {
		t.Errorf("GET of a rep who has left = %d, want 404", code)
	}
}

func TestChangesGoIntoTheLog(t *testing.T) {
	f := newFloor(t)
	f.reps["ana"] = &desk.State{Profile: leadroute.Rep{ID: "ana", Timezone: "Europe/Berlin", Team: "ae", Caps: leadroute.Caps{Open: 3, PerDay: 9}}}
	f.reps["dario"] = &desk.State{Held: desk.Held{{Lead: "l1"}}}
	accepted := func(id string) string { return `{"id":"` + id + `","status":"accepted"}` }
	f.accounts["old.example"] = &leadroute.Account{Domain: "old.example"}
	for _, c := range []struct{ method, path, body, answer, key, message string }{
		{
			"POST", "/v1/reps", `[{"id":"ana","skills":["german"],"caps":{"open":3},"attrs":{"tier":"gold"}},{"id":"ben","hours":"office","timezone":"Europe/Berlin"}]`,
			`{"accepted":2}`, "reps/ana", `{"profile":{"id":"ana","skills":["german"],"caps":{"open":3},"attrs":{"tier":"gold"}}}`,
		},
		{"PUT", "/v1/reps/chloe", `{"name":"Chloe"}`, `{"id":"chloe","status":"accepted"}`, "reps/chloe", `{"profile":{"id":"chloe","name":"Chloe"}}`},
		{"PUT", "/v1/reps/chloe", `{"id":"chloe","weight":0.5}`, `{"id":"chloe","status":"accepted"}`, "reps/chloe", `{"profile":{"id":"chloe","weight":0.5}}`},
		{"PUT", "/v1/reps/ana/status", `{"status":"away"}`, `{"id":"ana","status":"accepted"}`, "reps/ana", `{"status":"away"}`},
		{"PUT", "/v1/reps/ana/status", `{"status":"away","until":"14:00"}`, accepted("ana"), "reps/ana", `{"status":"away","until":1768395600000}`},
		{"PUT", "/v1/reps/ana/status", `{"status":"off","until":"2026-01-14"}`, accepted("ana"), "reps/ana", `{"status":"off","until":1768431600000}`},
		{"PUT", "/v1/reps/ana/status", `{"status":"busy","until":"2026-01-14T12:30:00+02:00"}`, accepted("ana"), "reps/ana", `{"status":"busy","until":1768386600000}`},
		{"PATCH", "/v1/reps/ana", `{"team":null,"caps":{"open":5},"shifts":"mon-fri 09:00-17:00"}`, accepted("ana"), "reps/ana", `{"profile":{"id":"ana","timezone":"Europe/Berlin","caps":{"open":5,"per_day":9},"shifts":{"mon-fri":"09:00-17:00"}}}`},
		{"PUT", "/v1/reps/ana/away", `{"from":"2026-02-01","until":"2026-02-14","reason":"vacation"}`, accepted("ana"), "reps/ana", `{"away":{"add":[{"from":"2026-02-01","until":"2026-02-14","reason":"vacation"}]}}`},
		{"PUT", "/v1/reps/ana/away", `["2026-01-14..", {"until":"2026-01-15T12:00:00Z"}]`, accepted("ana"), "reps/ana", `{"away":{"add":[{"from":"2026-01-14"},{"until":"2026-01-15T12:00:00Z"}]}}`},
		{"DELETE", "/v1/reps/ana/away", "", accepted("ana"), "reps/ana", `{"away":{"back":1768384800000}}`},
		{"DELETE", "/v1/reps/ana/away?all=true", "", accepted("ana"), "reps/ana", `{"away":{"back":1768384800000,"all":true}}`},
		{"DELETE", "/v1/reps/ana", "", accepted("ana"), "reps/ana", `{"remove":{"reason":"operator","keep":true,"at":1768384800000}}`},
		{"DELETE", "/v1/reps/dario?leads=reassign", "", accepted("dario"), "reps/dario", `{"remove":{"reason":"operator","at":1768384800000}}`},
		{"DELETE", "/v1/reps/dario?leads=keep", "", accepted("dario"), "reps/dario", `{"remove":{"reason":"operator","keep":true,"at":1768384800000}}`},
		{"POST", "/v1/reps", `[{"id":"ana","team":"enterprise","holidays":["de"],"cost":{"P0":2}}]`, `{"accepted":1,"warnings":["rep \"ana\" is in no pool, and gets leads by name alone"]}`, "reps/ana", `{"profile":{"id":"ana","team":"enterprise","cost":{"P0":2},"holidays":["de"]}}`},
		{
			"POST", "/v1/accounts", `[{"domain":" WWW.Example.com. ","owner":"ana","attrs":{"tier":"gold"}}]`,
			`{"accepted":1}`, "accounts/example.com", `{"set":{"domain":"example.com","owner":"ana","attrs":{"tier":"gold"}}}`,
		},
		{
			"PUT", "/v1/accounts/WWW.Example.org", `{"name":"Example","parent":"www.example.com","aliases":["Ex"]}`, `{"domain":"example.org","status":"accepted"}`,
			"accounts/example.org", `{"set":{"domain":"example.org","name":"Example","parent":"example.com","aliases":["Ex"]}}`,
		},
		{"DELETE", "/v1/accounts/old.example", "", `{"domain":"old.example","status":"accepted"}`, "accounts/old.example", `{"remove":{}}`},
	} {
		code, body := f.call(t, c.method, c.path, c.body)
		if code != http.StatusAccepted || body != c.answer {
			t.Errorf("%s %s %s = %d %s, want 202 %s", c.method, c.path, c.body, code, body, c.answer)
		}
		if got := f.sent[c.key]; got != c.message {
			t.Errorf("%s %s wrote %s = %s, want %s", c.method, c.path, c.key, got, c.message)
		}
	}
	clear(f.sent)
	if code, body := f.call(t, "POST", "/v1/reps?dry_run=true", `[{"id":"emi"}]`); code != http.StatusOK || body != `{"accepted":1,"dry_run":true}` || len(f.sent) != 0 {
		t.Errorf("dry run = %d %s and wrote %v, want a check alone", code, body, f.sent)
	}
	f.logErr = errors.New("no broker")
	for _, r := range [][3]string{{"POST", "/v1/reps", `[{"id":"a"},{"id":"b"}]`}, {"PUT", "/v1/reps/ana/status", `{"status":"off"}`}, {"DELETE", "/v1/reps/ana", ""}} {
		if code, body := f.call(t, r[0], r[1], r[2]); code != http.StatusServiceUnavailable || strings.Contains(body, "no broker") {
			t.Errorf("%v without a log = %d %s, want 503 without the cause", r, code, body)
		}
	}
}

func TestRefusalsNameTheMemberAndTheRemedy(t *testing.T) {
	f := newFloor(t)
	f.reps["gone"] = &desk.State{Gone: true}
	f.reps["ana"] = &desk.State{Held: desk.Held{{Lead: "l1"}, {Lead: "l2"}}}
	for i := range leadroute.MaxAway {
		f.reps["ana"].Away = append(f.reps["ana"].Away, leadroute.Away{From: leadroute.Moment{Day: 20260201 + i}, Until: leadroute.Moment{Day: 20260201 + i}})
	}
	for _, c := range []struct {
		method, path, body string
		code               int
		pointer            string
		says               []string
	}{
		{"PUT", "/v1/reps/ana/status", `{"status":"lunch"}`, 422, "/status", []string{`"lunch"`, "available, busy, away or off"}},
		{"PUT", "/v1/reps/ana/status", `{"status":1}`, 422, "/status", []string{"available, busy, away or off"}},
		{"PUT", "/v1/reps/ana/status", `{"status":"away","until":"09:00"}`, 422, "/until", []string{`"09:00" is over`, "14:00"}},
		{"PUT", "/v1/reps/ana/status", `{"status":"away","until":"soon"}`, 422, "/until", []string{`"soon"`, "14:00"}},
		{"PUT", "/v1/reps/ana/status", `{"status":"available","until":"14:00"}`, 422, "/until", []string{"leave until out"}},
		{"PUT", "/v1/reps/ana/away", `{"from":"2026-02-30"}`, 422, "/from", []string{"February 2026 has 28 days", "2026-12-24"}},
		{"PUT", "/v1/reps/ana/away", `{"from":"2026-02-14","until":"2026-02-01"}`, 422, "", []string{"lies before", "the other way round"}},
		{"PUT", "/v1/reps/ana/away", `{"until":"2026-01-10"}`, 422, "/until", []string{"is over"}},
		{"PUT", "/v1/reps/ana/away", `{"from":"2026-03-01"}`, 409, "", []string{"17 times", "at most 16"}},
		{"PUT", "/v1/reps/nobody/away", `{"from":"2026-03-01"}`, 404, "", []string{`"nobody"`}},
		{"DELETE", "/v1/reps/gone/away", "", 404, "", []string{`"gone"`}},
		{"DELETE", "/v1/reps/ana", "", 409, "", []string{"ana holds 2 leads", "--reassign", "--keep"}},
		{"DELETE", "/v1/reps/ana?leads=drop", "", 400, "", []string{"leads=drop", "leads=keep"}},
		{"PATCH", "/v1/reps/ana", `{"shifts":{"mon":"17:00-09:00"}}`, 422, "/shifts/mon", []string{"end before they begin", "09:00-17:30"}},
		{"PATCH", "/v1/reps/ana", `{"id":"ben"}`, 422, "/id", []string{"cannot change"}},
		{"PATCH", "/v1/reps/gone", `{"team":"ae"}`, 404, "", []string{`"gone"`}},
		{"POST", "/v1/reps", `[{"id":"ana","holidays":["fr"]}]`, 422, "/0/holidays", []string{`"fr"`, "write one of de"}},
		{"PUT", "/v1/reps/gone/status", `{"status":"away"}`, 404, "", []string{`"gone"`, "import"}},
		{"PUT", "/v1/reps/ana", `{"id":"ben"}`, 422, "/id", []string{`"ben"`, `"ana"`}},
		{"PUT", "/v1/reps/ana", `{"caps":{"open":-1}}`, 422, "/caps/open", []string{"-1 is negative"}},
		{"PUT", "/v1/reps/ana", `[]`, 422, "", []string{"must be a JSON object"}},
		{"PUT", "/v1/reps/a%2Fb", `{}`, 422, "/id", []string{"slash"}},
		{"POST", "/v1/reps", `[{"id":"ana"},{"id":"ben","timezone":"Berlin"}]`, 422, "/1/timezone", []string{`"Berlin"`, "Europe/Berlin"}},
		{"POST", "/v1/reps", `[{"id":"ana","hours":"nights"}]`, 422, "/0/hours", []string{`"nights"`, "office"}},
		{"POST", "/v1/reps", `[{"id":"ana"},{"id":"ana"}]`, 422, "/1/id", []string{`"ana"`, "record 1"}},
		{"POST", "/v1/reps", `[{"name":"Ana"}]`, 422, "/0/id", []string{"missing"}},
		{"POST", "/v1/reps", `[{"id":"ana","cap":3}]`, 422, "/0/cap", []string{"attrs", "caps"}},
		{"POST", "/v1/reps", `[{"id":"ana","caps":{"opn":3}}]`, 422, "/0/caps/opn", []string{"open, per_hour"}},
		{"POST", "/v1/reps", `[{"id":"ana","caps":3}]`, 422, "/0/caps", []string{"object, not 3"}},
		{"POST", "/v1/reps", `[{"id":"ana","weight":"heavy"}]`, 422, "/0/weight", []string{`must be a number, not "heavy"`}},
		{"POST", "/v1/reps", `[{"id":"ana","attrs":{"a/b":{"c":1}}}]`, 422, "/0/attrs/a~1b", []string{"flat"}},
		{"POST", "/v1/reps", `[{"id":"ana"`, 400, "", []string{"not valid JSON"}},
		{"POST", "/v1/reps", `[]`, 400, "", []string{"array"}},
		{"POST", "/v1/reps", `{"id":"ana"}`, 400, "", []string{"array"}},
		{"POST", "/v1/reps", "[" + strings.Repeat(`{"id":"a"},`, 10_000) + `{"id":"b"}]`, 413, "", []string{"10001", "10000"}},
		{"POST", "/v1/reps", `["` + strings.Repeat("x", 9<<20) + `"]`, 413, "", []string{"larger than"}},
		{"POST", "/v1/accounts", `[{"domain":"https://example.com/about"}]`, 422, "/0/domain", []string{"without https://"}},
		{"POST", "/v1/accounts", `[{"domain":"example.com"},{"domain":"WWW.EXAMPLE.COM"}]`, 422, "/1/domain", []string{`"example.com"`, "before"}},
		{"POST", "/v1/accounts", `[{"owner":"ana"}]`, 422, "/0/domain", []string{"missing"}},
		{"GET", "/v1/accounts?limit=no", "", 400, "", []string{`"no"`}},
		{"GET", "/v1/accounts/nowhere.example", "", 404, "", []string{"nowhere.example"}},
		{"GET", "/v1/accounts/nowhere", "", 400, "", []string{"is no domain"}},
		{"PUT", "/v1/accounts/a.example", `{"domain":"b.example"}`, 422, "/domain", []string{`"b.example"`, `"a.example"`}},
		{"PUT", "/v1/accounts/a.example", `{"parent":"a.example"}`, 422, "/parent", []string{"its own parent"}},
		{"PUT", "/v1/accounts/a.example", `{"parent":"a b"}`, 422, "/parent", []string{"is no domain"}},
		{"PUT", "/v1/accounts/a.example", `{"aliases":["A",""]}`, 422, "/aliases/1", []string{"an alias"}},
		{"GET", "/v1/accounts/match?country=US", "", 400, "", []string{"neither a name nor a domain"}},
		{"GET", "/v1/accounts/match?name=Acme", "", 409, "", []string{"looks no account up"}},
	} {
		code, body := f.call(t, c.method, c.path, c.body)
		var p struct {
			Status                  int
			Detail, Pointer, Remedy string
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatalf("%s %s: %v in %s", c.method, c.path, err, body)
		}
		ok := code == c.code && p.Status == c.code && p.Pointer == c.pointer && p.Remedy != ""
		for _, word := range c.says {
			ok = ok && strings.Contains(p.Detail+": "+p.Remedy, word)
		}
		if !ok {
			t.Errorf("%s %s %.80s = %d %s, want %d at %q saying %q", c.method, c.path, c.body, code, body, c.code, c.pointer, c.says)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("refused requests wrote %v", f.sent)
	}
}

func TestARefusedImportTellsEveryFault(t *testing.T) {
	f := newFloor(t)
	_, body := f.call(t, "POST", "/v1/reps", `[{"id":"ana","weight":-1,"email":"ana"},{"id":""}]`)
	var p struct {
		Detail string
		Errors []struct{ Pointer string }
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Pointer)
	}
	if want := []string{"/0/email", "/0/weight", "/1/id"}; !slices.Equal(got, want) || !strings.Contains(p.Detail, "3 things") {
		t.Errorf("faults at %v in %s, want %v", got, body, want)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	f := newFloor(t)
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/reps", strings.NewReader("id\nana\n"))
	r.Header.Set("Authorization", "Bearer key-of-web")
	r.Header.Set("Content-Type", "text/csv")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if b, _ := io.ReadAll(w.Body); w.Code != http.StatusUnsupportedMediaType || !strings.Contains(string(b), "application/json") {
		t.Errorf("POST of text/csv = %d %s, want 415 that says what to send", w.Code, b)
	}
}

// A rep who was imported a moment ago is found, one that does not come is not waited for
// beyond the time set.
func TestAStatusWaitsForItsRep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor(t)
		go func() {
			time.Sleep(300 * time.Millisecond) // the table's delay, on the bubble's clock
			f.mu.Lock()
			defer f.mu.Unlock()
			f.reps["ana"] = &desk.State{}
		}()
		if code, body := f.call(t, "PUT", "/v1/reps/ana/status", `{"status":"busy"}`); code != http.StatusAccepted {
			t.Errorf("status of a rep who is about to show = %d %s, want 202", code, body)
		}
		start := time.Now()
		code, body := f.call(t, "DELETE", "/v1/reps/nobody", "")
		if took := time.Since(start); code != http.StatusNotFound || !strings.Contains(body, "nobody") || took != time.Second {
			t.Errorf("removal of nobody = %d %s after %v, want 404 after 1s", code, body, took)
		}
	})
}

func TestAccountOfACompany(t *testing.T) {
	f := newFloor(t)
	f.accounts["acme.com"] = &leadroute.Account{Domain: "acme.com", Name: "Acme Rockets, Inc.", Owner: "ana", Attrs: map[string]any{"country": "US"}}
	f.plan = &plan.Plan{Accounts: &plan.AccountMatch{By: []string{plan.ByDomain, plan.ByName}, Similarity: 0.92, Confirm: []string{"country"}}}
	const acme = `{"domain":"acme.com","name":"Acme Rockets, Inc.","owner":"ana","attrs":{"country":"US"}}`
	for query, want := range map[string]string{
		"domain=eu.acme.com":                          `{"account":` + acme + `,"found":{"by":"domain","domain":"acme.com"}}`,
		"name=acme+rockets+llc&country=United+States": `{"account":` + acme + `,"found":{"by":"name","score":0.995,"confirmed":["country"]}}`,
		"name=acme+rockets&country=DE":                `{"account":null,"found":{"passed":[{"domain":"acme.com","name":"Acme Rockets, Inc.","score":1,"why":"unconfirmed"}]}}`,
		"name=nobody":                                 `{"account":null}`,
	} {
		if code, body := f.call(t, "GET", "/v1/accounts/match?"+query, ""); code != http.StatusOK || body != want {
			t.Errorf("GET /v1/accounts/match?%s = %d %s, want %s", query, code, body, want)
		}
	}
	if code, body := f.call(t, "GET", "/v1/accounts/WWW.acme.com", ""); code != http.StatusOK || body != acme {
		t.Errorf("GET /v1/accounts/acme.com = %d %s, want %s", code, body, acme)
	}
}

func TestAccountsAreListedByDomain(t *testing.T) {
	f := newFloor(t)
	for _, d := range []string{"c.example", "a.example", "b.example"} {
		f.accounts[d] = &leadroute.Account{Domain: d, Owner: "ana"}
	}
	_, body := f.call(t, "GET", "/v1/accounts?limit=2", "")
	if want := `{"accounts":[{"domain":"a.example","owner":"ana"},{"domain":"b.example","owner":"ana"}],"total":3}`; body != want {
		t.Errorf("GET /v1/accounts?limit=2 = %s, want %s", body, want)
	}
	_, body = f.call(t, "GET", "/v1/accounts?after=b.example", "")
	if want := `{"accounts":[{"domain":"c.example","owner":"ana"}],"total":3}`; body != want {
		t.Errorf("GET /v1/accounts?after=b.example = %s, want %s", body, want)
	}
}

// officePlan is a policy in which some reps keep office hours.
func officePlan() *plan.Plan {
	office := &plan.Hours{Name: "office", Zone: time.UTC}
	for day := range office.Week {
		office.Week[day] = []plan.Span{{From: 0, Until: 24 * 60}}
	}
	return &plan.Plan{
		ID: "p", Zone: time.UTC, Hours: map[string]*plan.Hours{"office": office},
		Calendars: map[string]*plan.Calendar{"de": {Name: "de", Days: map[plan.Date]string{{Year: 2026, Month: 12, Day: 25}: "Christmas"}}},
		Classes:   []plan.Class{{Name: "P0"}, {Name: "P1"}},
		Pools:     map[leadroute.PoolID]*plan.Pool{"floor": {Name: "floor", Where: func(r *leadroute.Rep) bool { return r.Team != "enterprise" }}},
		Reps:      []leadroute.Rep{{ID: "emi"}},
	}
}
