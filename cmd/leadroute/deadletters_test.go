package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/processors/deadletter"
)

// deadLetterAPI plays the API: three letters, of which the last cannot be replayed.
type deadLetterAPI struct {
	*httptest.Server
	replayed []string
	queries  []string
}

func newDeadLetterAPI(t *testing.T) *deadLetterAPI {
	t.Helper()
	a := &deadLetterAPI{}
	letters := []deadletter.View{
		{ID: "l3/1/crm", Kind: "delivery", Destination: "crm", Class: "P0", Attempts: 8, Reason: "http 503", At: time.Unix(1770000000, 0).UTC()},
		{ID: "l2", Kind: "lead", Reason: "no_rule", At: time.Unix(1760000000, 0).UTC()},
		{ID: "stuck", Kind: "message", Reason: "panic", At: time.Unix(1750000000, 0).UTC()},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/dead-letters", func(w http.ResponseWriter, r *http.Request) {
		a.queries = append(a.queries, r.URL.RawQuery)
		page := deadletter.Page{DeadLetters: []deadletter.View{}}
		for _, l := range letters {
			if !slices.Contains(a.replayed, l.ID) {
				page.DeadLetters = append(page.DeadLetters, l)
			}
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	mux.HandleFunc("GET /v1/dead-letters/{id}", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(deadletter.View{ID: r.PathValue("id"), Reason: r.URL.RawQuery})
	})
	mux.HandleFunc("POST /v1/dead-letters/{id}/replay", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if id == "stuck" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprint(w, `{"detail":"stuck does not hold the message"}`)
			return
		}
		a.replayed = append(a.replayed, id)
		w.WriteHeader(http.StatusAccepted)
	})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	return a
}

func (a *deadLetterAPI) run(args ...string) (out, talk string, err error) {
	var o, e bytes.Buffer
	cmd := newDeadLetters()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&o)
	cmd.SetErr(&e)
	cmd.SetArgs(append(args, "--api", a.URL))
	err = cmd.Execute()
	return o.String(), e.String(), err
}

func TestDeadLettersListPrintsATable(t *testing.T) {
	a := newDeadLetterAPI(t)
	out, _, err := a.run("list", "--destination", "crm", "--since", "2026-01-31T12:00:00Z")
	want := `AT                    KIND      DESTINATION  CLASS  ATTEMPTS  REASON    ID
2026-02-02T02:40:00Z  delivery  crm          P0     8         http 503  l3/1/crm
2025-10-09T08:53:20Z  lead      -            -      0         no_rule   l2
2025-06-15T15:06:40Z  message   -            -      0         panic     stuck
`
	if err != nil || out != want {
		t.Errorf("list = %v\n%s\nwant\n%s", err, out, want)
	}
	if want := []string{"destination=crm&limit=100&since=2026-01-31T12%3A00%3A00Z"}; !slices.Equal(a.queries, want) {
		t.Errorf("list asked %v, want %v", a.queries, want)
	}
}

func TestDeadLettersShowAsksForThePayloadOnlyWhenTold(t *testing.T) {
	a := newDeadLetterAPI(t)
	for _, payload := range []bool{false, true} {
		out, _, err := a.run("show", "l3/1/crm", fmt.Sprint("--payload=", payload))
		if err != nil || !strings.Contains(out, `"id": "l3/1/crm"`) || !strings.Contains(out, fmt.Sprint("payload=", payload)) {
			t.Errorf("show --payload=%v = %v %s, want the letter asked for with payload=%v", payload, err, out, payload)
		}
	}
}

func TestDeadLettersReplay(t *testing.T) {
	a := newDeadLetterAPI(t)
	if _, _, err := a.run("replay"); err == nil || !strings.Contains(err.Error(), "--all") {
		t.Errorf("replay of nothing = %v, want an error that names --all", err)
	}
	if _, _, err := a.run("replay", "--all", "--since", "soon"); err == nil || !strings.Contains(err.Error(), "2h") {
		t.Errorf("replay --since soon = %v, want an error that says what to write", err)
	}
	out, talk, err := a.run("replay", "--all")
	if out != "replayed l3/1/crm\nreplayed l2\n" || !strings.Contains(talk, "stuck does not hold the message") || err == nil || err.Error() != "1 of 3 were not replayed" {
		t.Errorf("replay --all = %q, %q, %v, want two replayed and one told", out, talk, err)
	}
	if !slices.Equal(a.replayed, []string{"l3/1/crm", "l2"}) {
		t.Errorf("replayed %v, want the first two", a.replayed)
	}
}
