package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/leadroute/leadroute"
)

// claimable is L-4713, until somebody has it.
func (f *fakeAPI) claimable(context.Context) ([]leadroute.Timer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claimed != "" {
		return nil, nil
	}
	return []leadroute.Timer{{Lead: "L-4713", Kind: leadroute.TimerClaim, Name: "enterprise", Due: 1_770_000_120_000, Deadline: 1_770_000_300_000}}, nil
}

// claim plays the gateway.
func (f *fakeAPI) claim(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var said struct{ Rep string }
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch {
	case r.PathValue("id") == "L-4714": // the ledger is silent
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"id":"L-4714","status":"accepted"}`)
	case f.claimed != "" && f.claimed != said.Rep:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, `{"status":409,"detail":"the lead is taken: %s has it","remedy":"claim another one: GET /v1/claimable lists them"}`, f.claimed)
	default:
		f.claimed = said.Rep
		fmt.Fprintf(w, `{"id":%q,"status":"claimed"}`, r.PathValue("id"))
	}
}
