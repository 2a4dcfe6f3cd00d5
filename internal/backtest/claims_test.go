package backtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

const claimPolicy = `
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" { deliver_within = "1h" }
rep "ana" { email = "ana@example.com" }
rep "ben" { email = "ben@example.com" }
rep "cleo" {
  email = "cleo@example.com"
  capacity { open = 1 }
}
rep "dan" { email = "dan@example.com" }
pool "desk" {
  members  = [rep.ana, rep.ben, rep.cleo]
  strategy = "claim"
}
pool "duty" { members = [rep.dan] }
rule "all" {
  assign {
    to     = pool.desk
    accept = "1m"
  }
  assign { to = pool.duty }
  assign { to = queue.wait }
}
queue "wait" {}
`

// played returns who first had each lead, and after how long.
func playedClaims(t *testing.T, o Options, leads string) map[leadroute.LeadID]owner {
	t.Helper()
	o.Plan, o.Handle = compile(t, claimPolicy), 1000*time.Hour
	r := newRun(o)
	got := map[leadroute.LeadID]owner{}
	heard := r.floor.heard
	r.floor.heard = func(n int, e *leadroute.LatencyEvent) {
		if _, again := got[e.Lead]; e.Step == leadroute.StepAssigned && !again {
			got[e.Lead] = owner{e.Rep, e.At - e.ReceivedAt}
		}
		heard(n, e)
	}
	src := jsonLines(leads)
	r.span(leadroute.At(time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)), leadroute.At(time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)))
	if _, err := r.play(t.Context(), func() (Lead, bool) { l, err := src.Next(); return l, err == nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestClaims: who had a lead claims it when that was, else somebody of the pool after a time
// that is drawn; what nobody claims in time goes on.
func TestClaims(t *testing.T) {
	got := playedClaims(t, Options{}, `
{"id":"l1","received_at":"2026-01-14T10:00:00Z","assigned_to":"cleo","assigned_at":"2026-01-14T10:00:42Z"}
{"id":"l2","received_at":"2026-01-14T10:10:00Z","assigned_to":"cleo","assigned_at":"2026-01-14T10:10:05Z"}
{"id":"l3","received_at":"2026-01-14T10:20:00Z","assigned_to":"ben","assigned_at":"2026-01-14T10:25:00Z"}
{"id":"l4","received_at":"2026-01-14T10:30:00Z","assigned_to":"eve"}
`)
	if got["l1"] != (owner{"cleo", 42_000}) {
		t.Errorf("l1 = %+v, want cleo after 42s, as recorded", got["l1"])
	}
	if o := got["l2"]; o.Rep != "ana" && o.Rep != "ben" || o.At != 5000 {
		t.Errorf("l2 = %+v, want another one after 5s: cleo has her hands full", o)
	}
	if got["l3"] != (owner{"dan", 60_000}) {
		t.Errorf("l3 = %+v, want dan after 1m: nobody claimed it in time", got["l3"])
	}
	if o := got["l4"]; o.Rep == "dan" || o.Rep == "" || o.At > 60_000 {
		t.Errorf("l4 = %+v, want one of the pool within a minute", o)
	}

	var leads strings.Builder
	for i := range 300 {
		fmt.Fprintf(&leads, `{"id":"m%d","received_at":"2026-01-14T10:%02d:%02dZ"}`+"\n", i, i/30, i%30*2)
	}
	took, late := map[leadroute.RepID]int{}, 0
	var sum leadroute.Millis
	for _, o := range playedClaims(t, Options{Claim: 20 * time.Second}, leads.String()) {
		took[o.Rep]++
		sum += o.At
		if o.At > 40_000 {
			late++
		}
	}
	if took["dan"] > 0 || took["ana"] < 100 || took["ben"] < 100 || late > 0 {
		t.Errorf("of 300 leads reps claimed %v, %d of them after more than twice the average", took, late)
	}
	if mean := sum / 300; mean < 17_000 || mean > 23_000 {
		t.Errorf("leads were claimed after %d ms on average, want some 20 s", mean)
	}
}
