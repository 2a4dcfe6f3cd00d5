package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/accounts"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/gateway"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/reps"
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
	busy     bool // the door has refused a batch for load
}

// newFakeAPI starts one; close it.
func newFakeAPI() (*httptest.Server, error) {
	f := &fakeAPI{reps: map[string]*desk.State{}, accounts: map[string]*leadroute.Account{}, leads: map[string]bool{}}
	api, err := views.New(views.Config{
		Lead: f.lead, Trail: f.trail, Produce: f.produce, Settle: 1, Hours: func() []string { return []string{"office"} },
		Reps: func(yield func(string, *desk.State) bool) {
			f.mu.Lock()
			defer f.mu.Unlock()
			maps.All(f.reps)(yield)
		},
		Accounts: func(yield func(string, *leadroute.Account) bool) {
			f.mu.Lock()
			defer f.mu.Unlock()
			maps.All(f.accounts)(yield)
		},
	})
	if err != nil {
		return nil, err
	}
	keys, err := gateway.ParseKeys("script=" + apiKey)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api.Routes(mux, keys.Require)
	mux.Handle("POST /v1/leads/batch", keys.Require(http.HandlerFunc(f.batch)))
	return httptest.NewServer(mux), nil
}

func (f *fakeAPI) produce(_ context.Context, topic leadroute.Topic, key string, v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := v.(type) {
	case *leadroute.RepMessage:
		s, _ := reps.Apply(reps.Env{}, leadroute.RepID(key), f.reps[key], m, 1)
		set(f.reps, key, s)
	case *leadroute.AccountMessage:
		set(f.accounts, key, accounts.Apply(key, f.accounts[key], m))
	default:
		return fmt.Errorf("a %T on %s", v, topic)
	}
	return nil
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
	if id != "L-4711" {
		return nil, false, nil
	}
	const at = 1_770_000_000_000
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

func (f *fakeAPI) trail(_ context.Context, id leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
	if id != "L-4711" {
		return nil, nil
	}
	return []leadroute.LatencyEvent{{Lead: id, Rev: 1, Step: leadroute.StepReceived, At: 1_770_000_000_000, Source: "web"}}, nil
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
