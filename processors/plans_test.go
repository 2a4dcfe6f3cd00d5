package processors

import (
	"fmt"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

func version(t *testing.T, n int, rollout string) *plan.Plan {
	t.Helper()
	p, found := dsl.CompileSource(map[string][]byte{"policy.hcl": fmt.Appendf(nil, `# version %d
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" { deliver_within = "1m" }
rep "ana" { email = "ana@example.com" }
pool "all" { members = [rep.ana] }
rule "all" { to = [pool.all, queue.wait] }
queue "wait" {}
%s`, n, rollout)})
	if err := found.Error(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlansOf(t *testing.T) {
	v := make([]*plan.Plan, keptPlans+3)
	for i := range v {
		v[i] = version(t, i, "")
	}
	asked := map[leadroute.PlanID]int{}
	plans := NewPlans(v[0], func(id leadroute.PlanID) *plan.Plan {
		asked[id]++
		for _, p := range v {
			if p.ID == id {
				return p
			}
		}
		return nil
	})
	for _, p := range v[1:] {
		plans.Set(p, nil)
	}
	last := v[len(v)-1]
	if got := plans.Current(); got != last {
		t.Errorf("current = %s, want %s", got.ID, last.ID)
	}
	if plans.Have(v[0].ID) != nil || asked[v[0].ID] != 0 {
		t.Error("the first plan is still kept, or was asked for")
	}
	for range 3 {
		if got := plans.Of(v[0].ID); got != v[0] {
			t.Errorf("Of(first) = %s, want it loaded", got.ID)
		}
		if got := plans.Of("nobody's"); got != last {
			t.Errorf("Of(unknown) = %s, want the current one", got.ID)
		}
	}
	if asked[v[0].ID] != 1 || asked["nobody's"] != 1 {
		t.Errorf("asked for %v, want each once", asked)
	}
	if got := plans.Of(""); got != last || asked[""] != 0 {
		t.Error("no id at all is the current plan, and nobody is asked")
	}
}

func TestPlansWhileAChangeIsTried(t *testing.T) {
	current := version(t, 1, "")
	canary := version(t, 2, "rollout {\n  mode = \"canary\"\n  percent = 30\n}\n")
	shadow := version(t, 3, "rollout {\n  mode = \"shadow\"\n}\n")
	plans := NewPlans(current, nil)
	if plans.Beside(current.ID) != nil {
		t.Error("something stands beside the current plan while nothing is tried")
	}

	plans.Set(current, canary)
	picked := 0
	const leads = 2000
	for i := range leads {
		l := &leadroute.Lead{ID: leadroute.LeadID(fmt.Sprint("lead-", i)), Fields: []byte(`{}`)}
		got := plans.For(l)
		if got == canary {
			picked++
		}
		if again := plans.For(l); again != got {
			t.Fatalf("%s is decided by %s, and asked again by %s", l.ID, got.ID, again.ID)
		}
	}
	if share := float64(picked) / leads; share < 0.27 || share > 0.33 {
		t.Errorf("the canary decides %.3f of the leads, want some 0.3", share)
	}
	if plans.Beside(canary.ID) != current || plans.Beside(current.ID) != nil {
		t.Error("beside a canary's decision stands that of the current plan, and beside the current plan's none")
	}

	plans.Set(current, shadow)
	if got := plans.For(&leadroute.Lead{ID: "l", Fields: []byte(`{}`)}); got != current {
		t.Errorf("a shadow decides a lead: %s", got.ID)
	}
	if plans.Beside(current.ID) != shadow {
		t.Error("beside the current plan's decision stands that of the shadow")
	}
	if plans.Of(canary.ID) != canary {
		t.Error("the leads of a canary that was taken back end under it")
	}
}
