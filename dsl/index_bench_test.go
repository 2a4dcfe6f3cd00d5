package dsl_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// ordered writes a policy of n rules over 12 fields; each lead that comes with it matches a
// rule about 60 % deep, and may match one before it.
func ordered(n int) (policy string, leads [][]byte) {
	rng := rand.New(rand.NewPCG(uint64(n), 3))
	var b strings.Builder
	b.WriteString("policy \"bench\" { timezone = \"UTC\" }\nschema \"lead\" {\n")
	for i := range 7 {
		fmt.Fprintf(&b, "  field \"t%d\" { type = string }\n", i)
	}
	for i := range 3 {
		fmt.Fprintf(&b, "  field \"n%d\" { type = number }\n", i)
	}
	b.WriteString("  field \"ok\" { type = bool }\n  field \"marks\" { type = list(string) }\n}\n")
	fmt.Fprintf(&b, "priority \"P0\" {}\nrep \"ana\" { email = \"ana@example.com\" }\npool \"all\" { members = [rep.ana] }\nqueue \"rest\" {}\n")
	text := func(f int) int { return rng.IntN([]int{8, 20, 50, 100, 200, 1000, 5}[f]) }
	deep := max(1, n/10)
	for i := range n {
		t := [7]int{}
		for f := range t {
			t[f] = text(f)
		}
		num, mark := rng.IntN(1000), rng.IntN(30)
		fmt.Fprintf(&b, "rule \"r%d\" {\n  when = lead.t%d == \"v%d\" && lead.t%d == \"v%d\" && lead.n%d >= %d", i, i%4, t[i%4], 3+i%3, t[3+i%3], i%3, num)
		if i%5 == 0 {
			fmt.Fprintf(&b, " && contains(lead.marks, \"m%d\")", mark)
		}
		if i%7 == 0 {
			b.WriteString(" && lead.ok")
		}
		b.WriteString("\n  to = [pool.all, queue.rest]\n}\n")
		if i >= n*6/10-deep/2 && i <= n*6/10+deep/2 {
			var l strings.Builder
			l.WriteString(`{"ok":true,`)
			for f := range 7 {
				fmt.Fprintf(&l, `"t%d":"v%d",`, f, t[f])
			}
			fmt.Fprintf(&l, `"n0":%d,"n1":%d,"n2":%d,"marks":["m%d","x"]}`, num, num, num, mark)
			leads = append(leads, []byte(l.String()))
		}
	}
	b.WriteString("rule \"last\" { to = [queue.rest] }\n")
	return b.String(), leads
}

// BenchmarkRules is Decide, its one allocation for the targets included, among n rules.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		src, leads := ordered(n)
		p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(src)})
		if p.Plan == nil {
			b.Fatal(diags[0])
		}
		at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			recs := make([]func(), 0)
			depth := 0
			for _, l := range leads {
				r, err := p.Plan.Record(&leadroute.Lead{ID: "l", Fields: l}, nil)
				if err != nil {
					b.Fatal(err)
				}
				k := slices.IndexFunc(p.Plan.Rules, func(rule plan.Rule) bool { return rule.When.Holds(r) })
				if k*100 < n*50 || len(recs) == 64 {
					continue // an earlier rule takes it
				}
				depth += k
				recs = append(recs, func() { p.Plan.Decide(r, nil, at) })
			}
			if len(recs) == 0 {
				b.Fatal("no lead matches deep enough")
			}
			defer func() { b.ReportMetric(float64(100*depth)/float64(n*len(recs)), "%deep") }()
			for b.Loop() {
				recs[i]()
				if i++; i == len(recs) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkLoad10000 is a policy of 10,000 rules from its source.
func BenchmarkLoad10000(b *testing.B) {
	src, _ := ordered(10000)
	files := map[string][]byte{"p.hcl": []byte(src)}
	var live uint64
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		kept, diags := dsl.CompileSource(files)
		if kept == nil {
			b.Fatal(diags[0])
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		live = after.HeapAlloc - before.HeapAlloc
		runtime.KeepAlive(kept)
	}
	b.ReportMetric(float64(live)/(1<<20), "live-MB")
}
