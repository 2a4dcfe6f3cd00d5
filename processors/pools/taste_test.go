package pools

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// tastePlan has a pool of everybody with the given attributes.
func tastePlan(t testing.TB, attrs string) *plan.Plan {
	t.Helper()
	p, found := dsl.CompileSource(map[string][]byte{"policy.hcl": fmt.Appendf(nil, `
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
schema "lead" {
  field "language" {
    type   = string
    values = ["de", "en", "fr"]
  }
}
priority "P0" { when = lead.language == "fr" }
priority "P1" {}
hours "day" {
  timezone = "UTC"
  week     = { "mon-fri" = "09:00-17:00" }
}
pool "all" {
  members_where = rep.team == "sales"
  %s
}
rule "all" { to = [pool.all, queue.wait] }
queue "wait" {}
`, attrs)})
	if err := found.Error(); err != nil {
		t.Fatal(err)
	}
	return p
}

var noon = leadroute.At(time.Date(2026, 1, 14, 12, 0, 0, 0, time.UTC))

// floorOf is a pool with its roster.
type floorOf struct {
	t    testing.TB
	p    *plan.Plan
	r    *Roster
	s    *State
	next int
}

func newFloorOf(t testing.TB, p *plan.Plan, reps ...leadroute.Rep) *floorOf {
	t.Helper()
	f := &floorOf{t: t, p: p, r: NewRoster()}
	for _, rep := range reps {
		rep.Team = "sales"
		f.r.Update(rep.ID, &desk.State{Profile: rep, Status: leadroute.StatusAvailable})
	}
	return f
}

// offer offers a lead and returns who was asked, or why nobody was. The rep takes it and
// is done with it at once, unless the test keeps it.
func (f *floorOf) offer(class leadroute.Class, fields string, at leadroute.Millis) string {
	f.t.Helper()
	f.next++
	lead := leadroute.Lead{ID: leadroute.LeadID(fmt.Sprint("l", f.next)), Fields: []byte(fields)}
	pool := f.p.Pools["all"]
	m := &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: lead.ID, Rev: 1, Try: 1, Pool: "all", Class: class, About: pool.About(&lead, nil, "")}}
	var out []leadroute.Effect
	f.s, out = Apply(Env{Plan: func(leadroute.PlanID) *plan.Plan { return f.p }, Roster: f.r}, "all", f.s, m, at)
	switch v := out[0].Value.(type) {
	case *leadroute.RepMessage:
		rep := v.Claim.ID.Rep
		f.r.Said(&leadroute.Answer{Claim: v.Claim.ID})
		return string(rep)
	case *leadroute.LedgerMessage:
		return v.NoCandidate.Reason
	}
	f.t.Fatalf("answered with %T", out[0].Value)
	return ""
}

func rep(id string, languages ...string) leadroute.Rep {
	return leadroute.Rep{ID: leadroute.RepID(id), Languages: languages}
}

func TestRequireAndPrefer(t *testing.T) {
	p := tastePlan(t, `require = contains(rep.languages, lead.language)`)
	f := newFloorOf(t, p, rep("ana", "de", "en"), rep("ben", "en"), rep("cy"))
	var german, english []string
	for range 4 {
		german = append(german, f.offer("P1", `{"language":"de"}`, noon))
	}
	for range 4 {
		english = append(english, f.offer("P1", `{"language":"en"}`, noon))
	}
	if slices.ContainsFunc(german, func(s string) bool { return s != "ana" }) {
		t.Errorf("German leads went to %v, want ana", german)
	}
	slices.Sort(english)
	if got := slices.Compact(english); !slices.Equal(got, []string{"ana", "ben"}) {
		t.Errorf("English leads went to %v, want ana and ben", got)
	}
	if got := f.offer("P1", `{"language":"fr"}`, noon); got != "nobody_fits" {
		t.Errorf("a French lead: %s, want that nobody fits", got)
	}
	if got := f.offer("P1", `{}`, noon); got != "nobody_fits" {
		t.Errorf("a lead without a language: %s, want that nobody fits", got)
	}

	p = tastePlan(t, `prefer = contains(rep.languages, lead.language)`)
	f = newFloorOf(t, p, rep("ana", "de"), rep("ben", "en"))
	for _, c := range [][2]string{{`{"language":"de"}`, "ana"}, {`{"language":"de"}`, "ana"}, {`{"language":"en"}`, "ben"}} {
		if got := f.offer("P1", c[0], noon); got != c[1] {
			t.Errorf("%s went to %s, want %s", c[0], got, c[1])
		}
	}
	f.r.Update("ana", &desk.State{Profile: leadroute.Rep{ID: "ana", Team: "sales"}, Status: leadroute.StatusAway})
	if got := f.offer("P1", `{"language":"de"}`, noon); got != "ben" {
		t.Errorf("with ana away a German lead went to %s, want ben", got)
	}
}

func TestMinPresent(t *testing.T) {
	p := tastePlan(t, `min_present = 2`)
	busy := leadroute.Rep{ID: "ben", Team: "sales", Caps: leadroute.Caps{Open: 1}}
	f := newFloorOf(t, p, rep("ana"))
	if got := f.offer("P1", `{}`, noon); got != "too_few_present" {
		t.Errorf("one of two is there: %s, want too_few_present", got)
	}
	f.r.Update("ben", &desk.State{Profile: busy, Status: leadroute.StatusAvailable, Held: desk.Held{{Lead: "x", Rev: 1, Try: 1}}})
	if got := f.offer("P1", `{}`, noon); got != "ana" {
		t.Errorf("two are there, one of them full: %s, want ana", got)
	}
	f.r.Update("ben", &desk.State{Profile: busy, Status: leadroute.StatusAway})
	if got := f.r.Available(p, p.Pools["all"], noon); got != 0 {
		t.Errorf("available = %d with one of two there, want 0", got)
	}
}

func TestCost(t *testing.T) {
	p := tastePlan(t, "capacity {\n    open = 4\n    cost = { P0 = 3 }\n  }")
	f := newFloorOf(t, p, rep("ana"))
	held := func(cost ...int) {
		s := &desk.State{Profile: leadroute.Rep{ID: "ana", Team: "sales"}, Status: leadroute.StatusAvailable}
		for i, c := range cost {
			s.Held = append(s.Held, desk.Claim{Lead: leadroute.LeadID(fmt.Sprint("h", i)), Rev: 1, Try: 1, Pool: "all", Cost: c})
		}
		f.r.Update("ana", s)
	}
	for _, c := range []struct {
		class leadroute.Class
		held  []int
		want  string
	}{
		{"P0", nil, "ana"},
		{"P0", []int{1}, "ana"},
		{"P0", []int{1, 1}, "nobody_available"},
		{"P1", []int{3}, "ana"},
		{"P1", []int{3, 1}, "nobody_available"},
		{"P1", []int{0, 0, 0}, "ana"},
	} {
		held(c.held...)
		if got := f.offer(c.class, `{}`, noon); got != c.want {
			t.Errorf("a %s with %v on the desk: %s, want %s", c.class, c.held, got, c.want)
		}
	}
}

// TestRampLaw: of many leads a new rep gets the share that the ramp says, within one lead.
func TestRampLaw(t *testing.T) {
	p := tastePlan(t, `ramp = { weeks = 4, from = 0.25 }`)
	rapid.Check(t, func(rt *rapid.T) {
		days := rapid.IntRange(0, 42).Draw(rt, "days since the start")
		others := rapid.IntRange(1, 6).Draw(rt, "others")
		fresh := rep("new")
		fresh.StartedOn = noon.Time().AddDate(0, 0, -days).Format(time.DateOnly)
		weeks := float64(days) / 7
		reps := []leadroute.Rep{fresh}
		for i := range others {
			reps = append(reps, rep(fmt.Sprint("old", i)))
		}
		f := newFloorOf(t, p, reps...)
		share := min(0.25+0.75*weeks/4, 1)
		const leads = 400
		got := map[string]int{}
		for range leads {
			got[f.offer("P1", `{}`, noon)]++
		}
		want := leads * share / (share + float64(others))
		if d := float64(got["new"]) - want; d < -1.5 || d > 1.5 {
			rt.Fatalf("%v weeks in, beside %d others: %d of %d leads, want %.1f", weeks, others, got["new"], leads, want)
		}
	})
}

func TestBestFitAndTheTargetsStrategy(t *testing.T) {
	p := tastePlan(t, "strategy = \"best_fit\"\n  prefer   = contains(rep.languages, lead.language)")
	f := newFloorOf(t, p, rep("ana", "de"), rep("ben", "de"), rep("cy"))
	f.r.Update("ana", &desk.State{Profile: leadroute.Rep{ID: "ana", Team: "sales", Languages: []string{"de"}}, Status: leadroute.StatusAvailable, Held: desk.Held{{Lead: "x", Rev: 1, Try: 1}}})
	if got := f.offer("P1", `{"language":"de"}`, noon); got != "ben" {
		t.Errorf("best fit: %s, want ben, who speaks German and holds less than ana", got)
	}
	if got := strategyOf(p.Pools["all"], &leadroute.Offer{Strategy: string(plan.Weighted)}).Name(); got != plan.Weighted {
		t.Errorf("a target's strategy: %s, want weighted", got)
	}
}

// TestExplore: the share of leads that the policy says is given out evenly among all who
// fit, the others to the best; which lead is which is the lead's own.
func TestExplore(t *testing.T) {
	p := tastePlan(t, "strategy = \"best_fit\"\n  prefer   = contains(rep.languages, lead.language)\n  explore  = 0.25")
	pool := p.Pools["all"]
	f := newFloorOf(t, p, rep("ana", "de"), rep("ben", "de"), rep("cy"), rep("dan"))
	const leads = 4000
	even, got := 0, map[string]int{}
	for range leads {
		who := f.offer("P1", `{"language":"de"}`, noon)
		if !pool.Explores(leadroute.LeadID(fmt.Sprint("l", f.next))) {
			if who != "ana" && who != "ben" {
				t.Fatalf("lead %d went to %s, who does not fit best", f.next, who)
			}
			continue
		}
		even++
		got[who]++
	}
	if even < leads*22/100 || even > leads*28/100 {
		t.Errorf("%d of %d leads were given out evenly, want a quarter", even, leads)
	}
	for _, who := range []string{"ana", "ben", "cy", "dan"} {
		if d := got[who] - even/4; d < -1 || d > 1 {
			t.Errorf("of %d leads that are given out evenly reps had %v", even, got)
		}
	}
	list := f.r.Standings(p, pool, f.s, &leadroute.Offer{Lead: explored(pool, true), About: pool.About(&leadroute.Lead{Fields: []byte(`{"language":"de"}`)}, nil, "")}, noon)
	if len(list) != 4 || !list[0].Even {
		t.Errorf("the standings of a lead that is given out evenly are %+v", list)
	}
}

// explored is a lead that the pool gives out evenly, or does not.
func explored(pool *plan.Pool, even bool) leadroute.LeadID {
	for i := 0; ; i++ {
		if id := leadroute.LeadID(fmt.Sprint("x", i)); pool.Explores(id) == even {
			return id
		}
	}
}

// TestModelRanks: the rep with the best score is picked, of equals the one who holds less,
// of whom the pool prefers if there is one; and the standings show the scores.
func TestModelRanks(t *testing.T) {
	source := map[string][]byte{
		"policy.hcl": []byte(`
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P1" {}
pool "all" {
  members_where = rep.team == "sales"
  strategy      = "best_fit"
  model         = "m.json"
}
rule "all" { to = [pool.all, queue.wait] }
queue "wait" {}
`),
		"m.json": []byte(`{"version": 1, "kind": "logistic", "features": [{"name": "rate", "value": "rep.rate", "weight": 4}, {"name": "held", "value": "rep.held", "weight": -1}]}`),
	}
	p, found := dsl.CompileSource(source)
	if err := found.Error(); err != nil {
		t.Fatal(err)
	}
	rated := func(id string, rate float64) leadroute.Rep {
		r := rep(id)
		r.Attrs = map[string]any{"rate": rate}
		return r
	}
	f := newFloorOf(t, p, rated("ana", 0.5), rated("ben", 1), rated("cy", 0.5))
	held := func(id string, rate float64, n int) {
		s := &desk.State{Profile: rated(id, rate), Status: leadroute.StatusAvailable}
		s.Profile.Team = "sales"
		for i := range n {
			s.Held = append(s.Held, desk.Claim{Lead: leadroute.LeadID(fmt.Sprint("h", i)), Rev: 1, Try: 1, Pool: "all"})
		}
		f.r.Update(s.Profile.ID, s)
	}
	if got := f.offer("P1", `{}`, noon); got != "ben" {
		t.Errorf("the first lead went to %s, want ben, whose rate is best", got)
	}
	held("ben", 1, 3)
	if got := []string{f.offer("P1", `{}`, noon), f.offer("P1", `{}`, noon)}; !slices.Equal(got, []string{"cy", "ana"}) {
		t.Errorf("while ben is busy leads went to %v, want cy and ana in turn", got)
	}
	list := f.r.Standings(p, p.Pools["all"], f.s, &leadroute.Offer{Lead: "l9"}, noon)
	if len(list) != 3 || list[2].Rep != "ben" || list[2].Score == nil || *list[2].Score < 0.72 || *list[2].Score > 0.74 {
		t.Errorf("standings %+v, want ben last, with the probability of 4 - 3", list)
	}
}
