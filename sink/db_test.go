package sink

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		"ch:9001":                      {Host: "ch:9001", Database: "leadroute", User: "default"},
		"ch":                           {Host: "ch:9000", Database: "leadroute", User: "default"},
		"clickhouse://u:p%40@ch:1/d":   {Host: "ch:1", Database: "d", User: "u", Password: "p@"},
		"clickhouse://ch?secure=true":  {Host: "ch:9440", Database: "leadroute", User: "default", Secure: true},
		"clickhouse://u:p@[::1]:9/d_1": {Host: "[::1]:9", Database: "d_1", User: "u", Password: "p"},
	} {
		got, err := ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("ParseAddress(%q) = %+v, %v; want %+v", in, got, err, want)
		}
		if again, err := ParseAddress(got.String()); err != nil || again != got {
			t.Errorf("ParseAddress(%q.String()) = %+v, %v; want the same", in, again, err)
		}
	}
	for _, in := range []string{"", "http://u:secret@ch:8123", "clickhouse://u:secret@:1/d", "clickhouse://u:secret@ch:x"} {
		if got, err := ParseAddress(in); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseAddress(%q) = %+v, %v; want an error without the password", in, got, err)
		}
	}
}

func TestOpenMigratesOnce(t *testing.T) {
	a := address(t)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs { // four processes start at once on a new database
		wg.Go(func() {
			db, err := Open(t.Context(), a)
			if err == nil {
				err = db.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	db := open(t, a) // and once more later
	all, err := readMigrations()
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := db.conn.QueryRow(t.Context(), "SELECT uniqExact(version) FROM migrations").Scan(&n); err != nil || n != uint64(len(all)) {
		t.Errorf("migrations noted = %d, %v; want %d", n, err, len(all))
	}
	// Nothing of a migration may fail when it is run again, by a version that knows fewer steps, too.
	if err := db.conn.Exec(t.Context(), "TRUNCATE TABLE migrations"); err != nil {
		t.Fatal(err)
	}
	if err := db.migrate(t.Context()); err != nil {
		t.Errorf("second run of the migrations = %v", err)
	}
	newer := strings.TrimSuffix(stepType(), ")") + ", 'of tomorrow' = 100)"
	if err := db.conn.Exec(t.Context(), "ALTER TABLE lead_events MODIFY COLUMN step "+newer); err != nil {
		t.Fatal(err)
	}
	if err := db.migrate(t.Context()); err != nil {
		t.Errorf("a start beside a newer version = %v", err)
	}
}

func TestOpenRefusedLogin(t *testing.T) {
	a := address(t)
	a.Password = "guessed-wrong"
	_, err := Open(t.Context(), a)
	if !isLogin(err) {
		t.Fatalf("Open with a wrong password = %v, want a LoginError", err)
	}
	if msg := err.Error(); strings.Contains(msg, "\n") || strings.Contains(msg, a.Password) || !strings.Contains(msg, "--clickhouse") {
		t.Errorf("error %q, want one line that says what to do and holds no password", msg)
	}
	// The embedded engine ends at a refused login and is started again.
	a.Password = address(t).Password
	deadline := time.Now().Add(15 * time.Second)
	for {
		db, err := Open(t.Context(), a)
		if err == nil {
			_ = db.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestOpenUnreachable(t *testing.T) {
	a := address(t)
	a.Host = "127.0.0.1:1"
	_, err := Open(t.Context(), a)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("Open where nobody listens = %v, want one line that names the address", err)
	}
}

// store writes events as the sink does, without Kafka.
func store(t testing.TB, db *DB, events ...leadroute.LatencyEvent) {
	t.Helper()
	b := newBatch()
	for i := range events {
		if err := b.add(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestTrail(t *testing.T) {
	db := open(t, address(t))
	base := leadroute.At(time.Now().Add(-time.Hour))
	var trail []leadroute.LatencyEvent
	for i, step := range leadroute.Steps { // each step has its number in the table
		trail = append(trail, leadroute.LatencyEvent{
			Lead: "L'1\\", Rev: i, Step: step, N: 1<<63 + uint64(i), Class: "P0", Source: "web", Rule: "r", Territory: "emea",
			Pool: "p", Queue: "q", Rep: "ana", Destination: "crm", Attempt: i, Outcome: "200", Reason: "because", Plan: "abc",
			EmittedAt: base, ReceivedAt: base + 1, At: base + leadroute.Millis(i), SinceEmit: int64(i), SincePrev: 1, SLA: 60_000, Cost: 1 << 40,
		})
	}
	trail[0].EmittedAt, trail[0].Class, trail[0].Pool = 0, "", ""
	store(t, db, trail...)
	store(t, db, sample(100)...)
	store(t, db, trail[3:7]...) // written again, not seen again
	got, err := db.Trail(t.Context(), "L'1\\")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(trail, got); d != "" {
		t.Errorf("Trail (-want +got):\n%s", d)
	}
	if got, err := db.Trail(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("Trail(nobody) = %v, %v; want none", got, err)
	}
}

// story is the events of one lead: received at, then steps at times since the emit.
type story struct {
	lead  leadroute.LeadID
	class leadroute.Class
	at    time.Duration // of the receipt, after the base
	sla   int64
	steps []chapter
}

type chapter struct {
	step  leadroute.Step // "duplicate dropped" is a step and its outcome
	rev   int
	dest  leadroute.DestinationID
	since int64 // ms
	sla   int64 // -1: that of the story
}

func (s story) events(base leadroute.Millis) []leadroute.LatencyEvent {
	from := base.Add(s.at)
	var out []leadroute.LatencyEvent
	if len(s.steps) == 0 || s.steps[0].rev > 0 { // what the door turned away was never received
		out = append(out, leadroute.LatencyEvent{Lead: s.lead, Rev: 1, Step: leadroute.StepReceived, Class: s.class, SLA: s.sla, At: from, EmittedAt: from, ReceivedAt: from})
	}
	for _, c := range s.steps {
		sla := c.sla
		if sla < 0 {
			sla = s.sla
		}
		step, outcome, _ := strings.Cut(string(c.step), " ")
		out = append(out, leadroute.LatencyEvent{
			Lead: s.lead, Rev: c.rev, Step: leadroute.Step(step), Outcome: outcome, N: 1, Class: s.class, Destination: c.dest, Attempt: 1, SLA: sla, Cost: 1_000_000,
			At: from + leadroute.Millis(c.since), EmittedAt: from, ReceivedAt: from, SinceEmit: c.since,
		})
	}
	return out
}

// stories is a set small enough to work out by hand: base is a full hour, the question is
// asked two hours later.
var stories = []story{
	{"in-time", "P0", time.Minute, 60_000, []chapter{{leadroute.StepDelivered, 1, "crm", 1000, -1}}},
	{"in-time-too", "P0", time.Minute, 60_000, []chapter{{leadroute.StepDelivered, 1, "crm", 2000, -1}}},
	{"late", "P0", 2 * time.Minute, 60_000, []chapter{{leadroute.StepDelivered, 1, "crm", 61_000, -1}}},
	{"never", "P0", 3 * time.Minute, 60_000, nil},
	{"given-up", "P0", 4 * time.Minute, 60_000, []chapter{{leadroute.StepDeadLettered, 1, "crm", 5000, -1}}},
	{"second-first", "P0", 5 * time.Minute, 60_000, []chapter{{leadroute.StepDelivered, 1, "log", 500, 0}, {leadroute.StepDelivered, 1, "crm", 2000, -1}}},
	{"moved-on", "P0", 6 * time.Minute, 60_000, []chapter{{leadroute.StepDelivered, 1, "crm", 3000, -1}, {leadroute.StepDelivered, 2, "crm", 100_000, -1}}},
	{"in-time", "P2", 7 * time.Minute, 0, []chapter{{leadroute.StepDuplicate, 0, "", 0, -1}}},
	{"dropped", "P0", 7 * time.Minute, 0, []chapter{{leadroute.StepDuplicate + " dropped", 1, "", 0, -1}}},
	{"bad", "P0", 7 * time.Minute, 60_000, []chapter{{leadroute.StepRejected, 0, "", 0, -1}}},
	{"open", "P0", 2*time.Hour - 30*time.Second, 60_000, nil},
	{"given-up-now", "P0", 2*time.Hour - 20*time.Second, 60_000, []chapter{{leadroute.StepDeadLettered, 1, "crm", 5000, -1}}},
	{"no-sla", "P2", 10 * time.Minute, 0, []chapter{{leadroute.StepDelivered, 1, "crm", 5000, -1}}},
}

func told(t *testing.T) (db *DB, base time.Time) {
	t.Helper()
	db = open(t, address(t))
	base = time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Hour)
	for _, s := range stories {
		store(t, db, s.events(leadroute.At(base))...)
	}
	return db, base
}

func TestSLA(t *testing.T) {
	db, base := told(t)
	asOf := base.Add(2 * time.Hour)
	pct := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		bucket time.Duration
		want   []SLARow
	}{
		{time.Hour, []SLARow{
			{Class: "P0", From: base, Leads: 7, Delivered: 5, P50: 2000, Max: 61_000, WithSLA: 7, InSLA: 4, Breaches: 3, Compliance: pct(400.0 / 7)},
			{Class: "P0", From: base.Add(time.Hour), Leads: 2, WithSLA: 2, DeadLettered: 1, Open: 1, Compliance: pct(0)},
			{Class: "P2", From: base, Leads: 1, Delivered: 1, P50: 5000, Max: 5000},
		}},
		{0, []SLARow{
			{Class: "P0", From: base, Leads: 9, Delivered: 5, P50: 2000, Max: 61_000, WithSLA: 9, InSLA: 4, Breaches: 3, DeadLettered: 1, Open: 1, Compliance: pct(50)},
			{Class: "P2", From: base, Leads: 1, Delivered: 1, P50: 5000, Max: 5000},
		}},
	} {
		got, err := db.slaAsOf(t.Context(), base, asOf, asOf, tt.bucket)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if r := got[i]; r.Delivered > 0 && !(r.P50 <= r.P95 && r.P95 <= r.P99 && r.P99 <= float64(r.Max)) {
				t.Errorf("percentiles out of order: %+v", r)
			}
			got[i].P95, got[i].P99 = 0, 0
		}
		near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })
		if d := cmp.Diff(tt.want, got, near); d != "" {
			t.Errorf("SLA by %v (-want +got):\n%s", tt.bucket, d)
		}
	}
}

func TestKPIViews(t *testing.T) {
	db, base := told(t)
	span := "from = " + timestamp(base) + ", to = " + timestamp(base.Add(2*time.Hour))
	asof := ", asof = " + timestamp(base.Add(2*time.Hour))
	since := "from = " + timestamp(base) + asof
	for query, want := range map[string]string{
		"SELECT sum(breaches), sum(never_delivered) FROM kpi_breaches(" + span + asof + ")":                                      "3 2",
		"SELECT sum(delivered), max(max_ms) FROM kpi_latency(" + span + ", bucket = 3600)":                                       "6 61000",
		"SELECT delivered, dead_lettered, round(delivery_success_pct) FROM kpi_delivery(" + span + ") WHERE destination = 'crm'": "7 2 78",
		"SELECT dead_lettered, ended FROM kpi_dead_letters(" + span + ") ORDER BY hour LIMIT 1":                                  "1 9",
		"SELECT cost, delivered, cost_per_delivered FROM kpi_cost(" + span + ") WHERE class = 'P2'":                              "2 1 2",
		"SELECT leads, round(pct_of_received) FROM kpi_funnel(" + span + ") WHERE step = 'delivered'":                            "6 55",
		"SELECT count() FROM kpi_reps(" + span + ")":                                                                             "0",
		"SELECT burn_1h FROM kpi_burn(" + since + ")":                                                                            "",
		"SELECT count() FROM lead_trail(lead = 'moved-on')":                                                                      "3",
	} {
		var got []string
		rows, err := db.conn.Query(t.Context(), "SELECT arrayStringConcat(arrayMap(x -> toString(x), [tuple(*)]), '') FROM ("+query+")")
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.NewReplacer("(", "", ")", "", ",", " ").Replace(s))
		}
		if err := rows.Err(); err != nil || strings.Join(got, ";") != want {
			t.Errorf("%s = %q (%v), want %q", query, got, err, want)
		}
	}
}
