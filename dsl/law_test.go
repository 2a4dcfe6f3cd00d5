package dsl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// verdict3 is the three-valued logic as the language defines it, worked out the slow way.
type verdict3 func(lead map[string]any) plan.Verdict

// drawCondition draws a condition's source and its meaning.
func drawCondition(t *rapid.T, depth int) (string, verdict3) {
	kind := rapid.IntRange(0, 10).Draw(t, "kind")
	if depth == 0 {
		kind %= 7
	}
	switch kind {
	case 0:
		op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
		n := float64(rapid.IntRange(0, 3).Draw(t, "n"))
		return fmt.Sprintf("lead.size %s %v", op, n), func(l map[string]any) plan.Verdict {
			v, ok := l["size"].(float64)
			return decided3(ok, map[string]bool{"<": v < n, "<=": v <= n, ">": v > n, ">=": v >= n, "==": v == n, "!=": v != n}[op])
		}
	case 1:
		op := rapid.SampledFrom([]string{"==", "!="}).Draw(t, "op")
		s := rapid.SampledFrom([]string{"NA", "EMEA"}).Draw(t, "s")
		return fmt.Sprintf("lead.region %s %q", op, s), func(l map[string]any) plan.Verdict {
			v, ok := l["region"].(string)
			return decided3(ok, (v == s) == (op == "=="))
		}
	case 2:
		return "lead.vip", func(l map[string]any) plan.Verdict { v, ok := l["vip"].(bool); return decided3(ok, v) }
	case 3:
		f := rapid.SampledFrom([]string{"size", "region", "vip", "tags"}).Draw(t, "f")
		return "has(lead." + f + ")", func(l map[string]any) plan.Verdict { _, ok := l[f]; return decided3(true, ok) }
	case 4:
		return `one_of(lead.region, ["NA", "APAC"])`, func(l map[string]any) plan.Verdict {
			v, ok := l["region"].(string)
			return decided3(ok, v == "NA" || v == "APAC")
		}
	case 5:
		return `contains(lead.tags, "a")`, func(l map[string]any) plan.Verdict {
			v, ok := l["tags"].([]any)
			return decided3(ok, len(v) > 0)
		}
	case 6:
		return "coalesce(lead.size, 2) * 2 > 3", func(l map[string]any) plan.Verdict {
			v, ok := l["size"].(float64)
			return decided3(true, !ok || v*2 > 3)
		}
	case 7:
		s, f := drawCondition(t, depth-1)
		return "!(" + s + ")", func(l map[string]any) plan.Verdict { return not3(f(l)) }
	case 8:
		c, fc := drawCondition(t, depth-1)
		a, fa := drawCondition(t, depth-1)
		b, fb := drawCondition(t, depth-1)
		return "((" + c + ") ? (" + a + ") : (" + b + "))", func(l map[string]any) plan.Verdict {
			switch fc(l) {
			case plan.Matched:
				return fa(l)
			case plan.False:
				return fb(l)
			default:
				return plan.Undecided
			}
		}
	default:
		a, fa := drawCondition(t, depth-1)
		b, fb := drawCondition(t, depth-1)
		if kind == 9 {
			return "((" + a + ") && (" + b + "))", func(l map[string]any) plan.Verdict { return and3(fa(l), fb(l)) }
		}
		return "((" + a + ") || (" + b + "))", func(l map[string]any) plan.Verdict { return not3(and3(not3(fa(l)), not3(fb(l)))) }
	}
}

func decided3(ok, v bool) plan.Verdict {
	switch {
	case !ok:
		return plan.Undecided
	case v:
		return plan.Matched
	default:
		return plan.False
	}
}

func not3(v plan.Verdict) plan.Verdict {
	switch v {
	case plan.Matched:
		return plan.False
	case plan.False:
		return plan.Matched
	default:
		return v
	}
}

func and3(a, b plan.Verdict) plan.Verdict {
	switch {
	case a == plan.False || b == plan.False:
		return plan.False
	case a == plan.Matched && b == plan.Matched:
		return plan.Matched
	default:
		return plan.Undecided
	}
}

// Compiling each condition twice, to definitely true and definitely false, is the same
// as three-valued logic at run time.
func TestCompiledConditionsAreThreeValuedLogic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source, meaning := drawCondition(t, 4)
		p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
schema "lead" {
  field "region" { type = string }
  field "size" { type = number }
  field "vip" { type = bool }
}
priority "P0" {}
rule "r" {
  when = ` + source + `
  to   = queue.unassigned
}`)})
		if p == nil {
			t.Fatalf("CompileSource(%s) = %v", source, diags.Error())
		}
		for range 8 {
			lead := map[string]any{}
			for name, values := range map[string][]any{
				"size": {0.0, 1.0, 2.0, 3.0}, "region": {"NA", "EMEA", "APAC"}, "vip": {true, false}, "tags": {[]any{}, []any{"a"}},
			} {
				if i := rapid.IntRange(0, len(values)).Draw(t, name); i < len(values) {
					lead[name] = values[i]
				}
			}
			raw, err := json.Marshal(lead)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Record(&leadroute.Lead{Fields: raw}, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := meaning(lead)
			trace := p.Explain(r, nil, time.Time{}).Rules[0]
			if trace.Verdict != want {
				t.Fatalf("%s with %s = %s, want %s", source, raw, trace.Verdict, want)
			}
			if len(trace.Because) == 0 || !strings.Contains(source, trace.Because[0].Subject) {
				t.Fatalf("%s with %s: because %v, want the atoms that decided it", source, raw, trace.Because)
			}
			r.Free()
		}
	})
}
