package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
)

// A lead has twelve fields: eight texts of thirty values each, three numbers up to 1,000
// and a list of tags. A rule asks three of them: a text for a value, another for one of
// three values, a number for a bound; every fourth asks for a tag, too.
const (
	texts, values = 8, 30
	numbers, top  = 3, 1000
)

type rule struct {
	text, other, number int
	value               string
	oneOf               []string
	above               int
	tag                 string // empty: none
}

type lead map[string]any

func value(i int) string { return fmt.Sprintf("v%02d", i) }

func (r rule) matches(l lead) bool {
	return l[fmt.Sprintf("t%d", r.text)] == r.value &&
		slices.Contains(r.oneOf, l[fmt.Sprintf("t%d", r.other)].(string)) &&
		l[fmt.Sprintf("n%d", r.number)].(float64) > float64(r.above) &&
		(r.tag == "" || slices.Contains(l["tags"].([]string), r.tag))
}

// workload draws n rules, and leads whose first match lies some 60 % deep.
func workload(n int) ([]rule, []lead) {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	rules := make([]rule, n)
	for i := range rules {
		r := rule{text: rnd.IntN(texts), number: rnd.IntN(numbers), value: value(rnd.IntN(values)), above: rnd.IntN(top * 8 / 10)}
		r.other = (r.text + 1 + rnd.IntN(texts-1)) % texts
		for range 3 {
			r.oneOf = append(r.oneOf, value(rnd.IntN(values)))
		}
		if i%4 == 3 {
			r.tag = fmt.Sprintf("tag%d", rnd.IntN(10))
		}
		rules[i] = r
	}
	var leads []lead
	for try := 0; len(leads) < 64 && try < 1_000_000; try++ {
		l := lead{"tags": []string{fmt.Sprintf("tag%d", rnd.IntN(10))}}
		for i := range texts {
			l[fmt.Sprintf("t%d", i)] = value(rnd.IntN(values))
		}
		for i := range numbers {
			l[fmt.Sprintf("n%d", i)] = float64(rnd.IntN(top))
		}
		r := rules[n*6/10]
		l[fmt.Sprintf("t%d", r.text)] = r.value
		l[fmt.Sprintf("t%d", r.other)] = r.oneOf[0]
		l[fmt.Sprintf("n%d", r.number)] = float64(r.above + 1)
		if r.tag != "" {
			l["tags"] = []string{r.tag}
		}
		if at := first(rules, l); at >= n/2 {
			leads = append(leads, l)
		}
	}
	return rules, leads
}

func first(rules []rule, l lead) int {
	return slices.IndexFunc(rules, func(r rule) bool { return r.matches(l) })
}

func names(rules []rule) []string {
	all := make([]string, len(rules))
	for i := range rules {
		all[i] = fmt.Sprintf("r%d", i)
	}
	return all
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

// An engine prepares leads of its own kind, so that laying a lead out is nobody's time, and
// answers with the name of the first rule that matches.
type engine struct {
	name string
	make func(tb testing.TB, rules []rule, leads []lead) func(lead int) string
	most int // rules; above it, compiling takes minutes
}

var engines = []engine{
	{"leadroute", ours, 10_000}, {"expr", viaExpr, 10_000}, {"cel", viaCEL, 10_000}, {"opa", viaOPA, 1_000},
}

func ours(tb testing.TB, rules []rule, leads []lead) func(int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("policy \"bench\" {}\npriority \"P2\" {}\nqueue \"q\" {}\nschema \"lead\" {\n")
	for i := range texts {
		fmt.Fprintf(&b, "field \"t%d\" { type = string }\n", i)
	}
	for i := range numbers {
		fmt.Fprintf(&b, "field \"n%d\" { type = number }\n", i)
	}
	b.WriteString("}\n")
	for i, r := range rules {
		tag := ""
		if r.tag != "" {
			tag = fmt.Sprintf(" && contains(lead.tags, %q)", r.tag)
		}
		fmt.Fprintf(&b, "rule \"r%d\" {\nwhen = lead.t%d == %q && one_of(lead.t%d, [%s]) && lead.n%d > %d%s\nto = queue.q\n}\n",
			i, r.text, r.value, r.other, quoted(r.oneOf), r.number, r.above, tag)
	}
	b.WriteString("rule \"rest\" { to = queue.q }\n")
	p, diags := dsl.CompileSource(map[string][]byte{"bench.hcl": []byte(b.String())})
	if p == nil {
		tb.Fatal(diags[0])
	}
	at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
	decide := make([]func() string, len(leads))
	for i, l := range leads {
		raw, err := json.Marshal(l)
		if err != nil {
			tb.Fatal(err)
		}
		r, err := p.Record(&leadroute.Lead{ID: "l", Fields: raw}, nil)
		if err != nil {
			tb.Fatal(err)
		}
		decide[i] = func() string { return p.Decide(r, nil, at).Rule }
	}
	return func(i int) string { return decide[i]() }
}

func viaExpr(tb testing.TB, rules []rule, leads []lead) func(int) string {
	tb.Helper()
	names := names(rules)
	programs := make([]*vm.Program, len(rules))
	for i, r := range rules {
		src := fmt.Sprintf("t%d == %q && t%d in [%s] && n%d > %d", r.text, r.value, r.other, quoted(r.oneOf), r.number, r.above)
		if r.tag != "" {
			src += fmt.Sprintf(" && %q in tags", r.tag)
		}
		p, err := expr.Compile(src, expr.Env(map[string]any(leads[0])), expr.AsBool())
		if err != nil {
			tb.Fatal(err)
		}
		programs[i] = p
	}
	return func(at int) string {
		for i, p := range programs {
			v, err := expr.Run(p, map[string]any(leads[at]))
			if err != nil {
				tb.Fatal(err)
			}
			if v.(bool) {
				return names[i]
			}
		}
		return ""
	}
}

func viaCEL(tb testing.TB, rules []rule, leads []lead) func(int) string {
	tb.Helper()
	vars := []cel.EnvOption{cel.Variable("tags", cel.ListType(cel.StringType))}
	for i := range texts {
		vars = append(vars, cel.Variable(fmt.Sprintf("t%d", i), cel.StringType))
	}
	for i := range numbers {
		vars = append(vars, cel.Variable(fmt.Sprintf("n%d", i), cel.DoubleType))
	}
	env, err := cel.NewEnv(vars...)
	if err != nil {
		tb.Fatal(err)
	}
	names := names(rules)
	programs := make([]cel.Program, len(rules))
	for i, r := range rules {
		src := fmt.Sprintf("t%d == %q && t%d in [%s] && n%d > %d.0", r.text, r.value, r.other, quoted(r.oneOf), r.number, r.above)
		if r.tag != "" {
			src += fmt.Sprintf(" && %q in tags", r.tag)
		}
		ast, issues := env.Compile(src)
		if issues.Err() != nil {
			tb.Fatal(issues.Err())
		}
		if programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
			tb.Fatal(err)
		}
	}
	return func(at int) string {
		for i, p := range programs {
			v, _, err := p.Eval(map[string]any(leads[at]))
			if err != nil {
				tb.Fatal(err)
			}
			if v.Value().(bool) {
				return names[i]
			}
		}
		return ""
	}
}

// viaOPA leaves the search to OPA's own rule index, and takes the least rule that holds.
func viaOPA(tb testing.TB, rules []rule, leads []lead) func(int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("package bench\n\nfirst := min(hit)\n\n")
	for i, r := range rules {
		fmt.Fprintf(&b, "hit contains %d if {\n\tinput.t%d == %q\n\tinput.t%d in {%s}\n\tinput.n%d > %d\n", i, r.text, r.value, r.other, quoted(r.oneOf), r.number, r.above)
		if r.tag != "" {
			fmt.Fprintf(&b, "\t%q in input.tags\n", r.tag)
		}
		b.WriteString("}\n\n")
	}
	names, ctx := names(rules), context.Background()
	q, err := rego.New(rego.Query("data.bench.first"), rego.Module("bench.rego", b.String())).PrepareForEval(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	inputs := make([]rego.EvalOption, len(leads))
	for i, l := range leads {
		input := map[string]any(l)
		inputs[i] = rego.EvalInput(input)
	}
	return func(at int) string {
		rs, err := q.Eval(ctx, inputs[at])
		if err != nil {
			tb.Fatal(err)
		}
		if len(rs) == 0 {
			return ""
		}
		n, err := rs[0].Expressions[0].Value.(json.Number).Int64()
		if err != nil {
			tb.Fatal(err)
		}
		return names[n]
	}
}

// Every engine gives the same answers; else a comparison of their speed says nothing.
func TestEnginesAgree(t *testing.T) {
	rules, leads := workload(100)
	if len(leads) == 0 {
		t.Fatal("no lead matches that deep")
	}
	for _, e := range engines {
		answer := e.make(t, rules, leads)
		for i, l := range leads {
			if got, want := answer(i), names(rules)[first(rules, l)]; got != want {
				t.Errorf("%s: lead %d takes rule %s, want %s", e.name, i, got, want)
			}
		}
	}
}

// BenchmarkFirstMatch is the time to find the first of N ordered rules that matches a lead,
// some 60 % deep, in each engine; for ours it is the whole decision. x-leadroute is how many
// times longer an engine takes than ours in the same run.
func BenchmarkFirstMatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		rules, leads := workload(n)
		if len(leads) == 0 {
			b.Fatalf("%d rules: no lead matches that deep", n)
		}
		var base float64
		for _, e := range engines {
			if n > e.most {
				continue
			}
			b.Run(fmt.Sprintf("%d/%s", n, e.name), func(b *testing.B) {
				answer := e.make(b, rules, leads)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					answer(i)
					if i++; i == len(leads) {
						i = 0
					}
				}
				each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
				if e.name == "leadroute" {
					base = each
				} else {
					b.ReportMetric(each/base, "x-leadroute")
				}
			})
		}
	}
}
