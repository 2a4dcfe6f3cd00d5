package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/embedded"
	"github.com/leadroute/leadroute/processors/policies"
	"github.com/leadroute/leadroute/sink"
)

// The policy is changed under load on two instances: another strategy and a destination, a
// priority, a canary that holds, one that is taken back, a policy that fails its tests, a
// plan that came too late, and a rollback. No lead is lost or doubled, and each is told under
// one plan alone.
func TestPolicyIsChanged(t *testing.T) {
	w := newWorld(t, 6000, crmsim.Faults{})
	if len(w.given) == 0 {
		b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{Dir: filepath.Join(w.dir, "broker")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		w.given = b.Addrs()
	}
	ch, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: filepath.Join(w.dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	a, b := w.process("a", "--clickhouse", ch.DSN()), w.process("b", "--clickhouse", ch.DSN())
	a.launch()
	b.launch()
	at := b.where()
	w.staff(at.Brokers, at.API)

	src, err := os.ReadFile(policy(t))
	if err != nil {
		t.Fatal(err)
	}
	first := b.policies().Current
	text := string(src)
	change := func(old, now string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the demo's policy has no %q", old)
		}
		text = strings.Replace(text, old, now, 1)
	}
	rollout := func(abort string) string {
		return "\nrollout {\n  mode = \"canary\"\n  percent = 40\n  hold = \"1s\"\n  abort_when {\n" + abort + "  }\n}\n"
	}
	follows := func(want func(policies.View) bool) {
		t.Helper()
		w.until("both instances follow", func() bool { return want(a.policies()) && want(b.policies()) })
	}
	inForce := func(plan leadroute.PlanID) func(policies.View) bool {
		return func(v policies.View) bool {
			return v.Running.Current == plan && v.Running.Candidate == "" && v.Running.Refused == ""
		}
	}
	var before, after, shadow leadroute.PlanID // around the changes that were taken back
	var stale string
	w.send(at.API, 150,
		act{0.05, func() {
			stale = b.plan(text + "\n# another\n")
			change(`strategy      = "round_robin"`, `strategy      = "least_loaded"`)
			text += "\ndestination \"warehouse\" {\n  kafka { topic = \"e2e-decisions\" }\n}\n"
			change(`concurrency = 32`, "concurrency = 16\n  primary     = true")
			follows(inForce(b.apply(text).Plan))
		}},
		act{0.12, func() {
			change(`priority "P0" {`, "priority \"Now\" {\n  when           = lead.score > 100\n  deliver_within = \"10s\"\n}\n\npriority \"P0\" {")
			follows(inForce(b.apply(text).Plan))
		}},
		act{0.2, func() {
			before = b.policies().Current
			bad := strings.Replace(text, `rule "enterprise" {`, "queue \"later\" {}\nrule \"small\" {\n  when = lead.company_size <= 500\n  to   = [territory.of_lead.pool, queue.later]\n}\n\nrule \"enterprise\" {", 1)
			bad = bad[:strings.Index(bad, "test \"a big German")] + bad[strings.Index(bad, "destination \"warehouse\""):]
			bad += strings.Replace(rollout("    moved_leads_above = 0.05\n"), `hold = "1s"`, `hold = "1h"`, 1)
			takenBack := func(plan leadroute.PlanID) {
				w.until("the plan is taken back", func() bool {
					v := b.policies()
					last := v.History[len(v.History)-1]
					return last.What == policies.Withdrawn && last.Plan == plan && strings.HasPrefix(last.Reason, "moved_leads")
				})
				follows(inForce(before))
			}
			after = b.apply(bad).Plan
			takenBack(after)
			bad = strings.Replace(bad, "mode = \"canary\"\n  percent = 40\n", "mode = \"shadow\"\n", 1)
			shadow = b.apply(bad).Plan
			takenBack(shadow)
		}},
		act{0.6, func() {
			change(`strategy      = "weighted"`, `strategy      = "round_robin"`)
			text += rollout("    sla_missed_above = 0.5\n")
			done := b.apply(text)
			if done.What != policies.Tried {
				t.Errorf("apply of a canary: %+v, want it tried", done)
			}
			before = done.Plan
			follows(inForce(before))
		}},
		act{0.8, func() {
			if _, err := b.change("apply", strings.Replace(text, "priority    = priority.P0", "priority    = priority.P2", 1)); err == nil || !strings.Contains(err.Error(), "a big German lead is enterprise") {
				t.Errorf("a policy that fails its test: %v, want that test named", err)
			}
			if err := b.leadroute("apply", b.file(text+"\n# another\n"), "--plan", stale); err == nil || !strings.Contains(err.Error(), "leadroute plan live") {
				t.Errorf("a plan of before: %v, want it refused", err)
			}
			follows(inForce(before))
		}},
		act{0.88, func() {
			if err := b.leadroute("policies", "rollback", string(first), "--reason", "enough"); err != nil {
				t.Error(err)
			}
			follows(inForce(first))
		}},
	)
	w.verdict(b)
	w.onePlanEach(ch.DSN(), after, shadow)
	w.explained(b)
}

// explained checks that a lead's decision comes out the same when it is taken again, and
// that the log of decisions can be played through a policy.
func (w *world) explained(p *process) {
	w.t.Helper()
	n := 0
	for id := range w.tally.Acknowledged() {
		if n++; n > 10 {
			break
		}
		out, err := p.command("explain", string(id))
		if err != nil || !strings.Contains(string(out), "taken again, it is the same, byte for byte") {
			w.t.Errorf("explain %s: %v\n%s", id, err, out)
		}
	}
	reps := filepath.Join(w.t.TempDir(), "reps.json")
	b, err := json.Marshal(w.reps)
	if err == nil {
		err = os.WriteFile(reps, b, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	planned, err := p.command("plan", policy(w.t), p.file(w.moved()), "--since", "1h", "--json")
	var change struct {
		Recorded struct {
			Leads  int `json:"leads"`
			Moved  int `json:"moved"`
			Broken int `json:"broken"`
		} `json:"recorded"`
	}
	if json.Unmarshal(planned, &change) != nil || change.Recorded.Leads != len(w.tally.Acknowledged()) || change.Recorded.Moved == 0 || change.Recorded.Broken > 0 {
		w.t.Errorf("plan over the decision log: %+v, %v; want all leads, and some of them moved", change.Recorded, err)
	}
	out, err := p.command("backtest", policy(w.t), "--since", "1h", "--reps", reps, "--json")
	var r struct {
		Leads int `json:"leads"`
		Moved struct {
			Compared int `json:"compared"`
		} `json:"moved"`
	}
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if want := len(w.tally.Acknowledged()); err != nil || r.Leads != want || r.Moved.Compared != want {
		w.t.Errorf("backtest of the decision log: %+v, %v; want all %d leads", r, err, want)
	}
}

// moved is the demo's policy with the leads of one region sent elsewhere.
func (w *world) moved() string {
	w.t.Helper()
	src, err := os.ReadFile(policy(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Replace(string(src), "pool = pool.emea\n", "pool = pool.apac\n", 1)
}

// onePlanEach checks in ClickHouse that a lead is told under one plan alone, that those in
// force had leads, that the tried one had some as well, and the shadow none.
func (w *world) onePlanEach(dsn string, tried, shadow leadroute.PlanID) {
	w.t.Helper()
	address, err := sink.ParseAddress(dsn)
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := sink.Connect(w.t.Context(), address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	plans, decided := map[leadroute.PlanID]int{}, map[leadroute.LeadID]leadroute.PlanID{}
	for d, err := range db.Recorded(w.t.Context(), time.Now().Add(-time.Hour), time.Now()) {
		if err != nil {
			w.t.Fatal(err)
		}
		plans[d.Plan]++
		decided[d.Lead] = d.Plan
	}
	acked := w.tally.Acknowledged()
	if len(decided) != len(acked) {
		w.t.Errorf("%d leads have a decision, want all %d", len(decided), len(acked))
	}
	looked := 0
	for id := range acked {
		if looked++; looked > 100 {
			break
		}
		trail, err := db.Trail(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range trail {
			e := &trail[i]
			if e.Plan != decided[id] && e.Step != leadroute.StepDuplicate && e.Step != leadroute.StepRejected {
				w.t.Errorf("lead %s was decided by %s, and step %s is told under %s", id, decided[id], e.Step, e.Plan)
			}
		}
	}
	w.t.Logf("leads by plan: %v", plans)
	if len(plans) < 5 || plans[tried] == 0 || plans[shadow] != 0 {
		w.t.Errorf("%d plans decided leads, want the five that there were, %s among them and not %s: %v", len(plans), tried, shadow, plans)
	}
}

// leadroute runs a command of the product against the process; the error holds what it said.
func (p *process) leadroute(args ...string) error {
	_, err := p.command(args...)
	return err
}

func (p *process) command(args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(bin, "leadroute"), append(args, "--data", p.data)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("leadroute %s: %w: %s", strings.Join(args, " "), err, &said)
	}
	return out.Bytes(), nil
}

// file writes a policy.
func (p *process) file(text string) string {
	p.t.Helper()
	name := filepath.Join(p.t.TempDir(), "policy.hcl")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return name
}

// plan is the hash of the way from the policy in force to another one.
func (p *process) plan(text string) string {
	p.t.Helper()
	out, err := p.command("plan", "live", p.file(text), "--json")
	var v struct {
		Hash string `json:"plan_hash"`
	}
	if json.Unmarshal(out, &v) != nil || v.Hash == "" { // the exit code says whether leads move
		p.t.Fatalf("plan: %v\n%s", err, out)
	}
	return v.Hash
}

// change plans and applies a policy.
func (p *process) change(what, text string) (done policies.Applied, err error) {
	p.t.Helper()
	out, err := p.command(what, p.file(text), "--plan", p.plan(text), "--json")
	if err == nil {
		err = json.Unmarshal(out, &done)
	}
	return done, err
}

func (p *process) apply(text string) policies.Applied {
	p.t.Helper()
	done, err := p.change("apply", text)
	if err != nil {
		p.t.Fatal(err)
	}
	return done
}

// policies is what the process says of the policies.
func (p *process) policies() (v policies.View) {
	p.t.Helper()
	out, err := p.command("policies", "list", "--json")
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}
