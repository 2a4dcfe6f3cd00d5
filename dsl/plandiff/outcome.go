package plandiff

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Outcome is what becomes of a lead, in the words of a policy.
type Outcome struct {
	Rejected  bool   `json:"rejected,omitempty"` // the door does not let it in
	Rule      string `json:"rule"`               // empty: none takes it
	Priority  string `json:"priority"`
	Territory string `json:"territory,omitempty"`
	Targets   string `json:"targets"` // pool.emea, queue.later
}

// First is where the lead goes when everybody is free.
func (o Outcome) First() string {
	switch {
	case o.Rejected:
		return "rejected"
	case o.Rule == "":
		return "no rule"
	}
	first, _, _ := strings.Cut(o.Targets, ", ")
	return first
}

// Moved is a kind of lead that fares differently now, with the smallest lead found that
// shows it.
type Moved struct {
	Old  Outcome         `json:"old"`
	New  Outcome         `json:"new"`
	Lead json.RawMessage `json:"lead"`
}

// at decides a lead under a plan; everybody is free.
func at(p *plan.Plan, raw json.RawMessage, when time.Time) (Outcome, error) {
	fields, problems, err := p.Check(raw)
	if err != nil {
		return Outcome{}, err
	}
	if len(problems) > 0 {
		return Outcome{Rejected: true}, nil
	}
	var envelope struct {
		ID leadroute.LeadID `json:"id"`
	}
	if err := json.Unmarshal(fields, &envelope); err != nil {
		return Outcome{}, err
	}
	r, err := p.Record(&leadroute.Lead{ID: envelope.ID, ReceivedAt: leadroute.At(when), Fields: fields}, nil)
	if err != nil {
		return Outcome{}, err
	}
	defer r.Free()
	d := p.Decide(r, everybody{}, when)
	names := make([]string, len(d.Targets))
	for i, t := range d.Targets {
		names[i] = dsl.TargetName(t)
	}
	return Outcome{Rule: d.Rule, Priority: string(d.Class), Territory: d.Territory, Targets: strings.Join(names, ", ")}, nil
}

type everybody struct{}

func (everybody) Available(leadroute.PoolID) int { return 1000 }

// alike tells whether two outcomes are the same for the lead: a rule's name alone changes nothing.
func alike(a, b Outcome) bool {
	a.Rule, b.Rule = present(a.Rule), present(b.Rule)
	return a == b
}

func present(rule string) string {
	if rule == "" {
		return ""
	}
	return "some"
}

// Semantics looks for leads that fare differently: at the bounds of both plans' conditions.
// What it shows was decided by both plans. That it finds nothing is no proof that nothing
// changed: what turns on a pattern, arithmetic or the time of day may be missed.
func Semantics(before, after *plan.Plan, when time.Time) ([]Moved, error) {
	found := map[[2]Outcome]json.RawMessage{}
	for _, raw := range append(before.NearLeads(), after.NearLeads()...) {
		a, err := at(before, raw, when)
		if err != nil {
			return nil, err
		}
		b, err := at(after, raw, when)
		if err != nil {
			return nil, err
		}
		if alike(a, b) {
			continue
		}
		if have, ok := found[[2]Outcome{a, b}]; !ok || len(raw) < len(have) {
			found[[2]Outcome{a, b}] = raw
		}
	}
	moved := make([]Moved, 0, len(found))
	for o, raw := range found {
		moved = append(moved, Moved{Old: o[0], New: o[1], Lead: raw})
	}
	slices.SortFunc(moved, func(a, b Moved) int {
		return cmp.Or(cmp.Compare(len(a.Lead), len(b.Lead)), cmp.Compare(string(a.Lead), string(b.Lead)),
			cmp.Compare(a.Old.Targets, b.Old.Targets))
	})
	return moved, nil
}

// Matrix counts recorded leads by where they went and where they would go.
type Matrix struct {
	Leads  int    `json:"leads"`
	Moved  int    `json:"moved"`
	Broken int    `json:"broken,omitempty"` // lines that hold no lead
	Cells  []Cell `json:"cells"`            // from the largest
}

// Cell is one way: from a pool to a pool.
type Cell struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Leads int    `json:"leads"`
}

// Recorded decides recorded leads under both plans, each at its own received_at (else
// when). next returns them one by one, and io.EOF at the end.
func Recorded(before, after *plan.Plan, when time.Time, next func() (json.RawMessage, error)) (Matrix, error) {
	var m Matrix
	cells := map[[2]string]int{}
	for {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, err
		}
		then := when
		var envelope struct {
			ReceivedAt time.Time `json:"received_at"`
		}
		if json.Unmarshal(raw, &envelope) == nil && !envelope.ReceivedAt.IsZero() {
			then = envelope.ReceivedAt
		}
		a, errA := at(before, raw, then)
		b, errB := at(after, raw, then)
		if errA != nil || errB != nil {
			m.Broken++
			continue
		}
		m.Leads++
		if !alike(a, b) {
			m.Moved++
		}
		cells[[2]string{a.First(), b.First()}]++
	}
	for way, n := range cells {
		m.Cells = append(m.Cells, Cell{way[0], way[1], n})
	}
	slices.SortFunc(m.Cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(b.Leads, a.Leads), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return m, nil
}
