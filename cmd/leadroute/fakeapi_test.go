package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/accounts"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/gateway"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/policies"
	"github.com/leadroute/leadroute/processors/queues"
	"github.com/leadroute/leadroute/processors/reps"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/views"
)

// apiKey is the key that the fake API wants.
const apiKey = "key-of-the-script"

// fakeAPI is a router in memory: the real views over tables that the real decisions of
// reps and accounts write, and a door that plays the gateway's answers to a batch.
type fakeAPI struct {
	mu       sync.Mutex
	reps     map[string]*desk.State
	accounts map[string]*leadroute.Account
	leads    map[string]bool
	busy     bool   // the door has refused a batch for load
	claimed  string // who has L-4713
	demo     *plan.Plan
}

// newFakeAPI starts one; close it by calling stop. Its policy in force is the demo's.
func newFakeAPI() (*httptest.Server, func(), error) {
	policy, found := dsl.Load("../../examples/demo.hcl")
	if err := found.Error(); err != nil {
		return nil, nil, err
	}
	log, closeLog, err := fakePolicies(policy)
	if err != nil {
		return nil, nil, err
	}
	f := &fakeAPI{reps: map[string]*desk.State{}, accounts: map[string]*leadroute.Account{}, leads: map[string]bool{}, demo: policy.Plan}
	api, err := views.New(views.Config{
		Decisions: func(context.Context, leadroute.LeadID) ([]leadroute.LatencyEvent, error) { return nil, nil }, // the row knows
		Leads:     f.rows, Decide: func(*leadroute.Lead, leadroute.Millis) (plan.Decision, error) {
			return plan.Decision{Rule: "by_territory", Class: "P1", Targets: []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}}, nil
		},
		Where: func(_ context.Context, expr string) (*plan.Where, error) {
			w, found := dsl.Where(policy.Source, expr)
			if !found.HasErrors() {
				return w, nil
			}
			var text strings.Builder
			_ = found.WriteText(&text)
			return nil, &views.ErrWhere{Text: text.String()}
		},
		By:     func(*http.Request) string { return "script" },
		Queues: f.queues, Lead: f.lead, Trail: f.trail, Produce: f.produce, Settle: 1, Plan: officePlan,
		Claimable: f.claimable, Member: func(_ leadroute.PoolID, r *leadroute.Rep) bool { return r.Team == "enterprise" },
		Reps: func(yield func(string, *desk.State) bool) {
			f.mu.Lock()
			defer f.mu.Unlock()
			maps.All(f.reps)(yield)
		},
		Accounts: func(yield func(string) bool) {
			f.mu.Lock()
			domains := slices.Collect(maps.Keys(f.accounts))
			f.mu.Unlock()
			slices.Values(domains)(yield)
		},
		Account: func(domain string) *leadroute.Account {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.accounts[domain]
		},
		Match: f.match,
	})
	if err != nil {
		return nil, closeLog, err
	}
	keys, err := gateway.ParseKeys("script=" + apiKey)
	if err != nil {
		return nil, closeLog, err
	}
	mux, guarded := http.NewServeMux(), http.NewServeMux()
	api.Routes(mux, keys.Require)
	(&policies.API{
		Policies: log,
		Vet: func(ctx context.Context, source map[string][]byte) (*plan.Plan, map[string][]byte, error) {
			return vet(ctx, source, func(*plan.Plan) error { return nil }, calendars{Log: slog.New(slog.DiscardHandler)})
		},
		Running: func() policies.Running { // an instance that follows at once
			s, _ := log.Standing()
			return policies.Running{Current: s.Current, Candidate: s.Candidate}
		},
	}).Routes(guarded)
	mux.Handle("/v1/policies", keys.Require(guarded))
	mux.Handle("/v1/policies/", keys.Require(guarded))
	mux.Handle("POST /v1/leads/batch", keys.Require(http.HandlerFunc(f.batch)))
	mux.Handle("POST /v1/leads/{id}/claim", keys.Require(http.HandlerFunc(f.claim)))
	mux.Handle("POST /v1/leads/{id}/{what}", keys.Require(http.HandlerFunc(f.hold)))
	server := httptest.NewServer(mux)
	return server, func() { server.Close(); closeLog() }, nil
}

// fakePolicies is a log of policies with one in force.
func fakePolicies(policy *dsl.Policy) (*policies.Log, func(), error) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, nil, err
	}
	cfg := stream.Config{Brokers: broker.ListenAddrs(), Log: slog.New(slog.DiscardHandler)}
	cl, err := kgo.NewClient(cfg.Options()...)
	if err != nil {
		return nil, broker.Close, err
	}
	defer cl.Close()
	ctx := context.Background()
	if err := stream.EnsurePolicies(ctx, cfg, cl); err != nil {
		return nil, broker.Close, err
	}
	log, err := policies.Open(ctx, cfg)
	if err != nil {
		return nil, broker.Close, err
	}
	return log, func() { log.Close(); broker.Close() }, enact(ctx, log, policy, false)
}

func (f *fakeAPI) produce(_ context.Context, topic leadroute.Topic, key string, v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := v.(type) {
	case *leadroute.RepMessage:
		s, _ := reps.Apply(reps.Env{Plan: func(leadroute.PlanID) *plan.Plan { return officePlan() }}, leadroute.RepID(key), f.reps[key], m, leadroute.At(time.Now()))
		set(f.reps, key, s)
	case *leadroute.LedgerMessage:
		if m.Revise == nil || m.Revise.By != "script" {
			return fmt.Errorf("the ledger is told %+v", m)
		}
		f.leads["moved "+key] = true
	case *leadroute.AccountMessage:
		a, _ := accounts.Apply(key, f.accounts[key], m, 0)
		set(f.accounts, key, a)
	default:
		return fmt.Errorf("a %T on %s", v, topic)
	}
	return nil
}

// rows are of three leads: one waits for a pool of before, one is held, one is ben's. One that
// was moved has another revision.
func (f *fakeAPI) rows(_ context.Context, yield func(string, *ledger.State) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	fields := json.RawMessage(`{"region":"EMEA","score":80,"email":"emi@example.com"}`)
	was := []plan.Target{{Pool: "old"}, {Queue: "backlog"}}
	row := func(s ledger.State) *ledger.State {
		s.Class, s.Rule, s.Targets, s.Fields, s.Received = "P1", "before", was, fields, 1_770_000_000_000
		return &s
	}
	for id, s := range map[string]*ledger.State{
		"L-1": row(ledger.State{Phase: ledger.Waiting, Queue: "backlog", Rev: 1}),
		"L-2": row(ledger.State{Phase: ledger.Waiting, Queue: "backlog", Rev: 1, Held: &ledger.Held{From: 1}}),
		"L-3": row(ledger.State{Phase: ledger.Owned, Rev: 2, Claim: &leadroute.Claim{ID: leadroute.ClaimID{Rep: "ben"}, Pool: "old"}}),
	} {
		if f.leads["moved "+id] {
			s.Rev, s.Rule, s.Targets = s.Rev+1, "by_territory", []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}
		}
		if err := yield(id, s); err != nil {
			return err
		}
	}
	return nil
}

// queues has three leads waiting in two partitions.
func (f *fakeAPI) queues(yield func(string, *queues.State) bool) {
	at := leadroute.At(time.Now())
	seen := func(part int32, waiting int, since leadroute.Millis, lead leadroute.LeadID, deadline leadroute.Millis) queues.Part {
		return queues.Part{At: at, QueueSeen: leadroute.QueueSeen{
			Partition: part, Waiting: waiting, Since: since, Oldest: lead, Next: &leadroute.Place{Lead: lead, Deadline: deadline},
		}}
	}
	yield("backlog", &queues.State{Parts: []queues.Part{
		seen(0, 2, at.Add(-90*time.Second), "L-1", 1_770_000_060_000), seen(3, 1, at.Add(-time.Second), "L-2", 1_770_000_000_000),
	}})
}

// match looks an account up as the enterprise policy's account_match says.
func (f *fakeAPI) match(l *leadroute.Lead) (*leadroute.Account, *plan.Found, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := company.NewIndex()
	for domain, a := range f.accounts {
		names.Set(domain, append([]string{a.Name}, a.Aliases...)...)
	}
	p := &plan.Plan{Accounts: &plan.AccountMatch{
		By: []string{plan.ByDomain, plan.BySubsidiary, plan.ByName}, Similarity: 0.92, Confirm: []string{"country", "phone", "postal_code"}, TieBreak: []string{"open_deal", "tier"},
	}}
	a, found := (&company.Book{Row: func(domain string) *leadroute.Account { return f.accounts[domain] }, Names: names}).Find(p, l)
	return a, found, true
}

func set[T any](rows map[string]*T, key string, row *T) {
	if row == nil {
		delete(rows, key)
		return
	}
	rows[key] = row
}

// lead knows one: L-4711, which ben declined and ana got; its second attempt is due.
func (f *fakeAPI) lead(id leadroute.LeadID) (*ledger.State, bool, error) {
	const at = 1_770_000_000_000
	if id == "L-4712" {
		return f.decided(id, at)
	}
	if id != "L-4711" {
		return nil, false, nil
	}
	return &ledger.State{
		Phase: ledger.Owned, Rev: 1, Class: "P0", Source: "web", Received: at, SLA: 60_000, Rule: "big deals", OwnerCRM: "005A",
		Fields: json.RawMessage(`{"email":"emi@example.com"}`),
		Claim:  &leadroute.Claim{ID: leadroute.ClaimID{Lead: id, Rev: 1, Try: 2, Rep: "ana"}, Pool: "enterprise"},
		Dests:  []ledger.Dest{{Name: "crm", Rev: 1, Attempt: 1, Limit: 8, Retry: at + 1500}},
		Trail: []ledger.TrailStep{
			{Step: leadroute.StepDecided, Rev: 1, At: at + 3},
			{Step: leadroute.StepDeclined, Rev: 1, N: 1, At: at + 5, Pool: "enterprise", Rep: "ben", Reason: "full"},
			{Step: leadroute.StepAssigned, Rev: 1, At: at + 8, Pool: "enterprise", Rep: "ana"},
			{Step: leadroute.StepAttemptFailed, Rev: 1, N: 1, At: at + 1008, Rep: "ana", Dest: "crm", Attempt: 1, Outcome: "503", Reason: "http 503"},
		},
	}, true, nil
}

// decided is a lead as the ledger has it when the demo's policy has decided it.
func (f *fakeAPI) decided(id leadroute.LeadID, at leadroute.Millis) (*ledger.State, bool, error) {
	env := ledger.Env{
		Plan: func(leadroute.PlanID) *plan.Plan { return f.demo },
		Decide: func(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
			account := &leadroute.Account{Domain: "acme.example.com", Owner: "ben"}
			r, err := p.Record(l, account)
			if err != nil {
				return plan.Decision{}, err
			}
			seen := p.See(account, &plan.Found{By: plan.ByDomain, Domain: account.Domain}, nil)
			d := p.Decide(r, seen, at.Time())
			d.Seen = seen
			return d, nil
		},
	}
	s, _ := ledger.Apply(env, id, nil, &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Class: "P0", Plan: f.demo.ID, Lead: leadroute.Lead{
		ID: id, Source: "web", Receipt: "r", ReceivedAt: at, Fields: json.RawMessage(`{"region":"EMEA","score":80,"email":"emi@acme.example.com"}`),
	}}}, at, false)
	return s, true, nil
}

func (f *fakeAPI) trail(_ context.Context, id leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
	if id != "L-4711" {
		return nil, nil
	}
	return []leadroute.LatencyEvent{{Lead: id, Rev: 1, Step: leadroute.StepReceived, At: 1_770_000_000_000, Source: "web"}}, nil
}

// hold plays the gateway: L-4711 can be held and released, any other lead is closed, and of
// L-slow the ledger says nothing yet.
func (f *fakeAPI) hold(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ask struct{ Reason, Until string }
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, status := r.PathValue("id"), map[string]string{"hold": "held", "release": "released"}[r.PathValue("what")]
	switch {
	case id == "L-slow":
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"id":%q,"status":"accepted"}`, id)
	case id != "L-4711" || status == "" || status == "held" && ask.Reason == "":
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"status":409,"detail":"the lead is closed","remedy":"only an open lead can be held"}`)
	default:
		fmt.Fprintf(w, `{"id":%q,"status":%q}`, id, status)
	}
}

// batch plays the gateway: a lead is an object with an id and a number as its score. The
// first batch in which a lead says "busy" is refused for load.
func (f *fakeAPI) batch(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !f.busy && bytes.Contains(body, []byte(`"busy"`)) {
		f.busy = true
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	type result struct {
		Index  int              `json:"index"`
		ID     string           `json:"id,omitempty"`
		Status string           `json:"status"`
		Error  *gateway.Problem `json:"error,omitempty"`
	}
	var results []result
	count := map[string]int{}
	for line := range bytes.Lines(body) {
		var lead struct {
			ID    string
			Score json.RawMessage
		}
		one := result{Index: len(results), Status: "accepted"}
		switch err := json.Unmarshal(line, &lead); {
		case err != nil:
			one.Status, one.Error = "rejected", &gateway.Problem{Code: "json", Message: "the lead is not valid JSON", Remedy: "send valid JSON"}
		case len(lead.Score) > 0 && lead.Score[0] == '"':
			one.Status, one.Error = "rejected", &gateway.Problem{Code: "schema", Pointer: "/score", Message: "must be a number", Remedy: "send it without quotes"}
		case f.leads[lead.ID]:
			one.Status = "duplicate"
		default:
			f.leads[lead.ID] = true
		}
		one.ID = lead.ID
		count[one.Status]++
		results = append(results, one)
	}
	w.Header().Set("Content-Type", "application/json")
	switch count["rejected"] {
	case 0:
		w.WriteHeader(http.StatusAccepted)
	case len(results):
		w.WriteHeader(http.StatusUnprocessableEntity)
	default:
		w.WriteHeader(http.StatusMultiStatus)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"accepted": count["accepted"], "duplicates": count["duplicate"], "rejected": count["rejected"], "results": results,
	})
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
		Pools: map[leadroute.PoolID]*plan.Pool{
			"emea":  {Name: "emea"},
			"floor": {Name: "floor", Where: func(r *leadroute.Rep) bool { return r.Team != "enterprise" }},
		},
		Queues: map[leadroute.QueueID]*plan.Queue{
			"backlog":            {Name: "backlog", Order: plan.ByDeadline, Description: "Nobody free. Drained as reps close their leads, the most urgent lead first."},
			plan.UnassignedQueue: {Name: plan.UnassignedQueue, Order: plan.ByDeadline},
		},
		Reps: []leadroute.Rep{{ID: "emi"}},
	}
}
