package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/loadgen"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	forged = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
)

// delivery is one webhook that a product would send.
type delivery struct {
	lead     leadroute.LeadID
	rev      int
	owner    leadroute.RepID
	ownerCRM string
	queue    string
	email    string
	class    leadroute.Class
	id       string // webhook id
	secret   string
}

// run is a small run on paper: a product that does everything right, whose work a plant
// may spoil before the CRM sees it.
type run struct {
	gen        *loadgen.Generator
	reps       []leadroute.Rep
	deliveries []delivery // the nth is of the nth accepted lead
	caps       map[leadroute.RepID]int
	faults     crmsim.Faults
	e          *Evidence
}

func perfect(t *testing.T) *run {
	t.Helper()
	reps := loadgen.Reps(1, 60, loadgen.ThreeRegions)
	gen, err := loadgen.New(loadgen.Options{
		Seed: 11, Leads: 500, DuplicateRate: 0.1, MalformedRate: 0.05, WrongTypeRate: 0.02,
		FreeMailRate: 0.2, KnownAccountRate: 0.3, Accounts: loadgen.Accounts(1, 100, reps),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{gen: gen, reps: reps, caps: make(map[leadroute.RepID]int)}
	judge := loadgen.NewJudge(reps)
	started := time.Now().Add(-time.Second)
	r.e = &Evidence{
		Generator: gen, Judge: judge,
		Tally:  &loadgen.Tally{Results: make([]loadgen.Result, gen.Len()), Started: started},
		Ledger: make(map[leadroute.LeadID]Final),
		Log:    &Log{Assigned: make(map[leadroute.LeadID]Assignment), DeadLetters: make(map[leadroute.LeadID][]string)},
	}
	for _, rep := range reps {
		r.caps[rep.ID] = 500
	}
	open := make(map[leadroute.RepID]int)
	for it := range gen.All() {
		res := &r.e.Tally.Results[it.Index]
		if it.Flaw != "" {
			res.Status, res.Code = loadgen.Rejected, "schema"
			continue
		}
		truth := gen.Truth(it.Index)
		if it.Label == loadgen.Duplicate {
			*res = r.e.Tally.Results[it.Original]
			res.Status = loadgen.AnsweredDuplicate
			continue
		}
		id := leadroute.LeadID(fmt.Sprintf("L%d", it.Index))
		*res = loadgen.Result{ID: id, Class: truth.Class, Status: loadgen.Accepted, AcceptedAt: started.UnixMicro() + int64(it.Index)}
		var owner *leadroute.Rep
		for i := range reps {
			if judge.Allows(truth, reps[i].ID) && (owner == nil || open[reps[i].ID] < open[owner.ID]) {
				owner = &reps[i]
			}
		}
		open[owner.ID]++
		r.deliveries = append(r.deliveries, delivery{
			lead: id, rev: 1, owner: owner.ID, ownerCRM: owner.CRMID, email: truth.Person, class: truth.Class, secret: secret,
		})
		r.e.Ledger[id] = Final{State: StateDelivered, Owner: owner.ID, Revision: 1}
		r.e.Log.Assigned[id] = Assignment{Revision: 1, Rep: owner.ID}
		r.e.Log.Events += 5
	}
	r.e.InClickHouse = r.e.Log.Events
	return r
}

// verify lets the CRM see the deliveries, in order, and judges.
func (r *run) verify(t *testing.T) *Report {
	t.Helper()
	sim, err := crmsim.New(crmsim.Options{Secret: secret, Seed: 1, Faults: r.faults})
	if err != nil {
		t.Fatal(err)
	}
	sim.SetCaps(r.caps)
	h := sim.Handler()
	for _, d := range r.deliveries {
		if d.id == "" {
			d.id = fmt.Sprintf("%s/%d", d.lead, d.rev)
		}
		body, err := json.Marshal(map[string]any{"type": "lead.assigned", "data": map[string]any{
			"id": d.lead, "revision": d.rev, "owner": d.owner, "owner_crm_id": d.ownerCRM, "priority": d.class, "queue": d.queue,
			"lead": map[string]any{"email": d.email},
		}})
		if err != nil {
			t.Fatal(err)
		}
		hook, err := standardwebhooks.NewWebhook(d.secret)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		sig, err := hook.Sign(d.id, now, body)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, crmsim.WebhookPath, bytes.NewReader(body))
		req.Header.Set("Webhook-Id", d.id)
		req.Header.Set("Webhook-Timestamp", fmt.Sprint(now.Unix()))
		req.Header.Set("Webhook-Signature", sig)
		func() {
			defer func() { _ = recover() }() // a dropped connection
			h.ServeHTTP(httptest.NewRecorder(), req)
		}()
	}
	r.e.Records, r.e.CRM = sim.Records(), sim.Stats()
	return Verify(r.e)
}

func (r *run) drop(i int) delivery {
	d := r.deliveries[i]
	r.deliveries = slices.Delete(r.deliveries, i, i+1)
	return d
}

// other returns a rep who may own neither d's lead nor another of its company.
func (r *run) other(t *testing.T, d delivery) leadroute.Rep {
	t.Helper()
	at, ok := r.gen.Find(d.email)
	if !ok {
		t.Fatalf("no such person: %+v", d)
	}
	truth := r.gen.Truth(at)
	for _, rep := range r.reps {
		if !r.e.Judge.Allows(truth, rep.ID) && !claimed(r.e, truth, rep.ID) {
			return rep
		}
	}
	return leadroute.Rep{}
}

// restricted finds a delivery whose lead not everybody may own.
func (r *run) restricted(t *testing.T) (int, leadroute.Rep) {
	t.Helper()
	for i, d := range r.deliveries {
		if rep := r.other(t, d); rep.ID != "" {
			return i, rep
		}
	}
	t.Fatal("everybody may own every lead")
	return 0, leadroute.Rep{}
}

// Each figure can be made to fail by one misdeed, and by itself alone.
func TestPlantedMisdeeds(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(t *testing.T, r *run)
		want  map[string]int // failures, by the name of the figure; nil: none
	}{
		"none": {func(*testing.T, *run) {}, nil},

		"a lead vanishes": {func(_ *testing.T, r *run) {
			delete(r.e.Ledger, r.drop(3).lead)
		}, map[string]int{"lost": 1}},
		"the ledger says delivered, the CRM has nothing": {func(_ *testing.T, r *run) {
			r.drop(3)
		}, map[string]int{"lost": 1}},
		"the ledger says dead, there is no dead letter": {func(_ *testing.T, r *run) {
			r.e.Ledger[r.drop(3).lead] = Final{State: StateDeadLettered}
		}, map[string]int{"lost": 1}},
		"a lead is still on its way": {func(_ *testing.T, r *run) {
			r.e.Ledger[r.drop(3).lead] = Final{State: StateOpen, Revision: 1}
		}, map[string]int{"lost": 1}},
		"the CRM never acknowledged": {func(_ *testing.T, r *run) {
			r.deliveries = r.deliveries[:1]
			for _, id := range sortedIDs(r.e.Ledger) {
				if id != r.deliveries[0].lead {
					r.e.Ledger[id] = Final{State: StateQueued}
				}
			}
			r.faults = crmsim.Faults{Drop: 1}
		}, map[string]int{"lost": 1}},

		"one person under two lead ids": {func(_ *testing.T, r *run) {
			d := r.deliveries[3]
			d.lead, d.email = "twin", " "+strings.ToUpper(d.email)
			r.deliveries = append(r.deliveries, d)
			r.e.Ledger["twin"] = Final{State: StateDelivered, Owner: d.owner, Revision: 1}
		}, map[string]int{"duplicate_records": 1}},
		"one revision under two webhook ids": {func(_ *testing.T, r *run) {
			d := r.deliveries[3]
			d.id = "again"
			r.deliveries = append(r.deliveries, d)
		}, map[string]int{"duplicate_records": 1}},
		"one revision with two owners": {func(_ *testing.T, r *run) {
			d := r.deliveries[3]
			d.owner = r.reps[0].ID
			if d.owner == r.deliveries[3].owner {
				d.owner = r.reps[1].ID
			}
			r.deliveries = append(r.deliveries, d)
		}, map[string]int{"duplicate_records": 1}},

		"a forged delivery": {func(_ *testing.T, r *run) {
			d := r.deliveries[3]
			d.secret = forged
			r.deliveries = append(r.deliveries, d)
		}, map[string]int{"bad_signatures": 1}},
		"a delivery signed with the wrong secret": {func(_ *testing.T, r *run) {
			r.deliveries[3].secret = forged
		}, map[string]int{"bad_signatures": 1, "lost": 1}},

		"the CRM's owner is not the ledger's": {func(_ *testing.T, r *run) {
			id := r.deliveries[3].lead
			f := r.e.Ledger[id]
			f.Owner = r.reps[0].ID
			if f.Owner == r.deliveries[3].owner {
				f.Owner = r.reps[1].ID
			}
			r.e.Ledger[id] = f
		}, map[string]int{"wrong_owner": 1}},
		"nor that of the log where the ledger keeps none": {func(_ *testing.T, r *run) {
			for id, f := range r.e.Ledger {
				f.Owner, f.Revision = "", 0
				r.e.Ledger[id] = f
			}
			a := r.e.Log.Assigned[r.deliveries[3].lead]
			a.Rep = "somebody"
			r.e.Log.Assigned[r.deliveries[3].lead] = a
		}, map[string]int{"wrong_owner": 1}},
		"ledger and CRM agree on somebody who may not": {func(t *testing.T, r *run) {
			t.Helper()
			i, rep := r.restricted(t)
			d := &r.deliveries[i]
			d.owner, d.ownerCRM = rep.ID, rep.CRMID
			r.e.Ledger[d.lead] = Final{State: StateDelivered, Owner: rep.ID, Revision: 1}
		}, map[string]int{"wrong_owner": 1}},
		"the owner's id in the CRM is another's": {func(_ *testing.T, r *run) {
			r.deliveries[3].ownerCRM = "005999999999"
		}, map[string]int{"wrong_owner": 1}},
		"the last revision never came": {func(_ *testing.T, r *run) {
			id := r.deliveries[3].lead
			f := r.e.Ledger[id]
			f.Revision = 2
			r.e.Ledger[id] = f
		}, map[string]int{"wrong_owner": 1}},

		"a desk overflows": {func(_ *testing.T, r *run) {
			n := 0
			for _, d := range r.deliveries {
				if d.owner == r.deliveries[0].owner {
					n++
				}
			}
			r.caps[r.deliveries[0].owner] = n - 1
		}, map[string]int{"over_capacity": 1}},

		"ClickHouse misses an event":  {func(_ *testing.T, r *run) { r.e.InClickHouse-- }, map[string]int{"events": 1}},
		"ClickHouse has one too many": {func(_ *testing.T, r *run) { r.e.InClickHouse++ }, map[string]int{"events": 1}},
		"no event at all":             {func(_ *testing.T, r *run) { r.e.Log.Events, r.e.InClickHouse = 0, 0 }, map[string]int{"events": 1}},
		"every lead is rejected": {func(_ *testing.T, r *run) {
			for i := range r.e.Tally.Results {
				r.e.Tally.Results[i] = loadgen.Result{Status: loadgen.Rejected}
			}
			r.deliveries, r.e.Log.Events, r.e.InClickHouse = nil, 0, 0
		}, map[string]int{"accepted": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := perfect(t)
			c.plant(t, r)
			rep := r.verify(t)
			got := make(map[string]int)
			for _, f := range Failures(&rep.Summary) {
				figure, _, _ := strings.Cut(f, ":")
				got[figure]++
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("failures %v, want %v\nexamples %v\nnotes %v", Failures(&rep.Summary), c.want, rep.Examples, rep.Notes)
			}
			s := rep.Summary
			if sum := s.Outcome.Delivered + s.Outcome.Queued + s.Outcome.DeadLettered + s.Outcome.Lost; sum != s.Leads.Accepted {
				t.Errorf("the outcomes %+v add up to %d, accepted are %d", s.Outcome, sum, s.Leads.Accepted)
			}
			for _, figure := range []string{"lost", "wrong_owner"} {
				if c.want[figure] > 0 && len(rep.Examples[figure]) == 0 {
					t.Errorf("%s failed without an example", figure)
				}
			}
			if c.want == nil && len(rep.Notes)+len(rep.Examples) > 0 {
				t.Errorf("a perfect run has notes %v and examples %v", rep.Notes, rep.Examples)
			}
		})
	}
}

// What is allowed is not a failure.
func TestLegitimateOutcomes(t *testing.T) {
	r := perfect(t)
	n := len(r.deliveries)
	// One waits, and the CRM holds it under the queue; one waits unseen by the CRM.
	r.deliveries[0].owner, r.deliveries[0].queue, r.deliveries[0].ownerCRM = "", "backlog", "00G1"
	r.e.Ledger[r.deliveries[0].lead] = Final{State: StateQueued, Revision: 1}
	r.e.Ledger[r.drop(1).lead] = Final{State: StateQueued, Revision: 1}
	// One is dead, with a letter.
	dead := r.drop(2).lead
	r.e.Ledger[dead] = Final{State: StateDeadLettered, Revision: 1}
	r.e.Log.DeadLetters[dead] = []string{"410"}
	// One moved to another rep who may have it; one the ledger has let go of.
	moved := r.deliveries[3]
	at, _ := r.gen.Find(moved.email)
	for _, rep := range r.reps {
		if rep.ID != moved.owner && r.e.Judge.Allows(r.gen.Truth(at), rep.ID) {
			moved.owner, moved.ownerCRM, moved.rev = rep.ID, rep.CRMID, 2
		}
	}
	r.deliveries = append(r.deliveries, moved)
	r.e.Ledger[moved.lead] = Final{State: StateDelivered, Owner: moved.owner, Revision: 2}
	delete(r.e.Ledger, r.deliveries[4].lead)
	// An answer was lost and the delivery came again.
	r.deliveries = append(r.deliveries, r.deliveries[5])

	rep := r.verify(t)
	if f := Failures(&rep.Summary); len(f) > 0 {
		t.Errorf("failures %v, want none; examples %v", f, rep.Examples)
	}
	if got, want := rep.Summary.Outcome, (Outcome{Delivered: n - 3, Queued: 2, DeadLettered: 1}); got != want {
		t.Errorf("outcome %+v, want %+v", got, want)
	}
}

func TestLatencyAndSLA(t *testing.T) {
	r := perfect(t)
	for i := range r.e.Tally.Results { // accepted two seconds before the CRM acknowledges
		if res := &r.e.Tally.Results[i]; res.AcceptedAt != 0 {
			res.AcceptedAt = time.Now().Add(-2 * time.Second).UnixMicro()
		}
	}
	var p0, late int
	for i, d := range slices.Backward(r.deliveries) {
		if d.class == "P0" {
			if p0++; p0 == 1 {
				r.drop(i) // never arrives: not within
				late++
			}
		}
	}
	r.e.SLA = map[leadroute.Class]time.Duration{"P0": time.Minute, "P1": time.Millisecond, "P2": 0}
	r.e.Usage = Usage{CPU: time.Second, RSS: 300 << 20, Wall: 90 * time.Second}
	rep := r.verify(t)
	for class, within := range map[leadroute.Class]float64{"P0": round(100*float64(p0-late)/float64(p0), 3), "P1": 0, "P2": 100} {
		l := rep.Summary.LatencyMS[class]
		if l.P50 < 1999 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > 10_000 || l.WithinSLAPct != within {
			t.Errorf("%s: %+v, want about 2000 ms and %v %% within", class, l, within)
		}
	}
	s := rep.Summary
	if want := round(1e6/float64(s.Leads.Accepted), 1); s.CPUMicrosLead != want || s.RSSMB != 300 || s.WallS != 90 || s.ThroughputPS <= 0 {
		t.Errorf("cost %+v, want %v us a lead, 300 MB, 90 s and a throughput", s, want)
	}
}

func TestNotes(t *testing.T) {
	r := perfect(t)
	var valid, broken, dup, silent int
	for it := range r.gen.All() {
		res := &r.e.Tally.Results[it.Index]
		switch {
		case it.Flaw != "" && broken == 0:
			res.Status, res.ID, broken = loadgen.Accepted, "broken", 1
			r.e.Ledger["broken"] = Final{State: StateQueued}
		case it.Flaw != "" && silent == 0:
			res.Status, silent = loadgen.Unanswered, 1
		case it.Label == loadgen.Duplicate && dup == 0:
			res.Status, res.ID, dup = loadgen.Accepted, "other", 1
			r.e.Ledger["other"] = Final{State: StateQueued}
		case it.Label == loadgen.Duplicate && valid == 0:
			res.Status, valid = loadgen.Rejected, 1
		}
	}
	r.deliveries[0].class = "P9"
	rep := r.verify(t)
	all := strings.Join(rep.Notes, "\n")
	for _, want := range []string{"1 leads were never answered", "1 valid leads were rejected", "1 broken leads", "1 duplicates were answered", "1 leads were delivered in another class"} {
		if !strings.Contains(all, want) {
			t.Errorf("notes %q lack %q", rep.Notes, want)
		}
	}
}

// The object of `leadroute demo --json`: its members are a contract with scripts.
func TestSummaryJSON(t *testing.T) {
	s := Summary{
		Leads: Leads{1, 2, 3, 4}, Outcome: Outcome{5, 6, 7, 8}, CRM: CRM{9, 10, 11, 12}, Reps: Reps{13}, Events: Events{14, 15},
		LatencyMS:    map[leadroute.Class]Latency{"P0": {1.5, 2.5, 3.5, 99.9}},
		ThroughputPS: 16, CPUMicrosLead: 17, RSSMB: 18, WallS: 19,
		TableBytes: map[leadroute.Topic]Sizes{leadroute.TopicReps: {20, 21, 22, 23}},
	}
	want := `{"leads":{"sent":1,"accepted":2,"rejected":3,"duplicates":4},"outcome":{"delivered":5,"queued":6,"dead_lettered":7,"lost":8},` +
		`"crm":{"records":9,"duplicate_records":10,"bad_signatures":11,"wrong_owner":12},"reps":{"over_capacity":13},"events":{"produced":14,"in_clickhouse":15},` +
		`"latency_ms":{"P0":{"p50":1.5,"p95":2.5,"p99":3.5,"within_sla_pct":99.9}},"throughput_per_s":16,"cpu_us_per_lead":17,"rss_mb":18,"wall_s":19,` +
		`"table_bytes":{"reps":{"writes":20,"p50":21,"p99":22,"max":23}}}`
	if got, err := s.JSON(); err != nil || string(got) != want {
		t.Errorf("JSON() = %s, %v, want %s", got, err, want)
	}
}

func TestTable(t *testing.T) {
	r := perfect(t)
	r.drop(0)
	rep := r.verify(t)
	var b strings.Builder
	if err := rep.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dead lettered", "wrong owner", "P0", "in SLA", "FAILED lost: 1", "lost: L"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	t.Log("\n" + b.String())
}

func TestProcessUsage(t *testing.T) {
	u, err := ProcessUsage(pid())
	if err != nil || u.RSS < 1<<20 {
		t.Fatalf("ProcessUsage of this process = %+v, %v", u, err)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		v, err := ProcessUsage(pid())
		if err != nil {
			t.Fatal(err)
		}
		if v.Since(u).CPU > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("ten seconds of work took no CPU")
		}
	}
	if _, err := ProcessUsage(1 << 30); err == nil {
		t.Error("ProcessUsage of a process that is not there gave no error")
	}
}
