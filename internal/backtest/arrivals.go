package backtest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Arrivals are synthetic leads: they come at random, at a steady mean rate, and fill the
// fields that the policy's schema declares.
type Arrivals struct {
	Rate  float64 // leads a second
	For   time.Duration
	Start time.Time
	Seed  uint64
}

// missingShare is how often a field that a lead may leave out is left out.
const missingShare = 0.1

// leads makes them one after the other; the same seed makes the same leads.
func (a Arrivals) leads(p *plan.Plan) func() (Lead, bool) {
	d := rand.New(rand.NewPCG(a.Seed, 0x6c656164))
	end := float64(a.For)
	at, n := 0.0, 0
	return func() (Lead, bool) {
		at += d.ExpFloat64() / a.Rate * float64(time.Second)
		if at >= end {
			return Lead{}, false
		}
		n++
		received := leadroute.At(a.Start.Add(time.Duration(at)))
		l := Lead{Lead: leadroute.Lead{ID: leadroute.LeadID(fmt.Sprint("sim-", n)), Source: "simulate", ReceivedAt: received}}
		l.Fields = synthetic(p, d, n)
		return l, true
	}
}

// synthetic fills the declared fields.
func synthetic(p *plan.Plan, d *rand.Rand, n int) json.RawMessage {
	lead := map[string]any{}
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Envelope && !f.Required && f.Name != "email" || f.Derived {
			continue
		}
		left, v := d.Float64() < missingShare, value(f, d, n)
		if v != nil && (f.Required || !left) {
			put(lead, f.Name, v)
		}
	}
	b, err := json.Marshal(lead)
	if err != nil {
		panic(err) // texts, numbers, booleans and lists of texts
	}
	return b
}

func value(f *plan.Field, d *rand.Rand, n int) any {
	switch f.Type {
	case plan.TypeNumber:
		return number(f, d)
	case plan.TypeBool:
		return d.IntN(2) == 0
	case plan.TypeList:
		if len(f.Values) == 0 {
			return nil
		}
		some := []string{}
		for _, v := range f.Values {
			if d.IntN(3) == 0 {
				some = append(some, v)
			}
		}
		return some
	default:
		k := d.IntN(1 << 20)
		switch {
		case len(f.Values) > 0:
			return f.Values[k%len(f.Values)]
		case f.Name == "email":
			return fmt.Sprintf("lead%d@company%d.example", n, k%5000)
		default:
			return fmt.Sprintf("%s %d", strings.ReplaceAll(f.Name, ".", " "), k%100)
		}
	}
}

// number is spread evenly over a range that has both ends; without an upper one the sizes
// are, as those of companies and of deals: each power of ten is as likely as the next.
func number(f *plan.Field, d *rand.Rand) float64 {
	const most = 6 // powers of ten
	share := d.Float64()
	switch {
	case f.Min != nil && f.Max != nil:
		lo := math.Ceil(*f.Min)
		if n := math.Floor(*f.Max) - lo + 1; n > 2 {
			return lo + math.Floor(share*n)
		}
		return *f.Min + share*(*f.Max-*f.Min)
	case f.Max != nil:
		return *f.Max - math.Floor(math.Pow(10, share*most)) + 1
	case f.Min != nil:
		return *f.Min + math.Floor(math.Pow(10, share*most)) - 1
	default:
		return math.Floor(math.Pow(10, share*most))
	}
}

// put stores a value under a dotted name.
func put(lead map[string]any, name string, v any) {
	for {
		head, rest, nested := strings.Cut(name, ".")
		if !nested {
			lead[name] = v
			return
		}
		inner, ok := lead[head].(map[string]any)
		if !ok {
			inner = map[string]any{}
			lead[head] = inner
		}
		lead, name = inner, rest
	}
}
