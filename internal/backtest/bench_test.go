package backtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/loadgen"
)

// demo is the policy of leadroute demo with its sixty reps.
func demo(tb testing.TB) Options {
	tb.Helper()
	policy, found := dsl.Load(filepath.Join("..", "..", "examples", "demo.hcl"))
	if err := found.Error(); err != nil {
		tb.Fatal(err)
	}
	return Options{Plan: policy.Plan, Reps: loadgen.Reps(1, 60, loadgen.ThreeRegions), Handle: 30 * time.Minute}
}

// recorded writes n leads of a month to a file, a JSON object a line.
func recorded(tb testing.TB, p *plan.Plan, n int) string {
	tb.Helper()
	start := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
	next := Arrivals{Rate: float64(n) / (30 * 24 * time.Hour).Seconds(), For: 60 * 24 * time.Hour, Start: start, Seed: 1}.leads(p)
	name := filepath.Join(tb.TempDir(), "leads.ndjson")
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for range n {
		l, ok := next()
		if !ok {
			tb.Fatal("too few leads arrive")
		}
		line := fmt.Appendf(nil, `{"id":%q,"received_at":%q,"rule":"by_territory",`, l.ID, l.ReceivedAt.Time().Format(time.RFC3339Nano))
		if _, err := w.Write(append(append(line, bytes.TrimPrefix(l.Fields, []byte("{"))...), '\n')); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return name
}

// open reads a file's lines.
func open(tb testing.TB, name string) Source {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	in := bufio.NewReaderSize(f, 1<<20)
	return Lines(func() (json.RawMessage, error) {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && len(line) > 0 {
			err = nil
		}
		return line, err
	})
}

// BenchmarkMillion plays 1,000,000 recorded leads from a file: sixty reps, three pools, an
// month of arrivals. s/run is the figure to look at.
func BenchmarkMillion(b *testing.B) {
	o := demo(b)
	name := recorded(b, o.Plan, 1_000_000)
	for b.Loop() {
		r, err := Run(b.Context(), o, open(b, name))
		if err != nil {
			b.Fatal(err)
		}
		if r.Leads != 1_000_000 || r.AtOnce+r.Waited+r.Unassigned+r.NoRule != r.Leads {
			b.Fatalf("of %d leads %d were assigned at once, %d later, %d not, %d have no rule", r.Leads, r.AtOnce, r.Waited, r.Unassigned, r.NoRule)
		}
		b.ReportMetric(float64(r.AtOnce), "at-once")
		b.ReportMetric(float64(r.Waited), "waited")
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
}
