package plan

import (
	"strings"

	"github.com/leadroute/leadroute"
)

// Shape is how a delivery is written for those who take it. Its expressions read the lead,
// who has it (assigned.x) and what was decided (decision.x).
type Shape struct {
	Method  string // empty: POST
	Headers []Header
	Body    Value // nil: the connector's own
	Map     Value // in place of the lead's fields; nil: those as they came
	// Key is the idempotency key, the same on every attempt; nil: lead/revision.
	Key *Text
	// Site is the address of the API, which decision.url begins with; run sets it.
	Site   string
	layout *Layout
}

// Header is one line of a request's head: its parts one after the other.
type Header struct {
	Name  string
	Parts []Part
}

// Value is one JSON value made of a record, nil where something is missing.
type Value func(*Record) any

// NewShape returns an empty shape over a layout.
func NewShape(l *Layout) *Shape { return &Shape{layout: l} }

// ShapeFacts are what a shape reads besides the lead, with their types.
var ShapeFacts = map[string]string{
	"assigned.rep.id": TypeString, "assigned.rep.crm_id": TypeString, "assigned.pool": TypeString, "assigned.queue": TypeString,
	"decision.rule": TypeString, "decision.priority": TypeString, "decision.territory": TypeString, "decision.plan": TypeString,
	"decision.revision": TypeNumber, "decision.url": TypeString,
}

// Record lays a delivery out.
func (s *Shape) Record(d *leadroute.Delivery) (*Record, error) {
	r, err := s.layout.Lead(&leadroute.Lead{
		ID: d.Lead, Source: d.Source, EmittedAt: d.EmittedAt, ReceivedAt: d.ReceivedAt, Fields: d.Fields,
	}, nil)
	if err != nil {
		return nil, err
	}
	r.decided(DecidedPriority, string(d.Class))
	r.decided(DecidedTerritory, d.Territory)
	r.facts(func(name string) any { return shapeFact(d, name, s.Site) })
	return r, nil
}

func shapeFact(d *leadroute.Delivery, name, site string) any {
	switch name {
	case "assigned.rep.id":
		return string(d.Owner)
	case "assigned.rep.crm_id":
		if d.OwnerCRM == "" {
			return string(d.Owner)
		}
		return d.OwnerCRM
	case "assigned.pool":
		return string(d.Pool)
	case "assigned.queue":
		return string(d.Queue)
	case "decision.rule":
		return d.Rule
	case "decision.priority":
		return string(d.Class)
	case "decision.territory":
		return d.Territory
	case "decision.plan":
		return string(d.Plan)
	case "decision.revision":
		return d.Rev
	case "decision.url":
		return site + "/v1/leads/" + string(d.Lead)
	default:
		return nil
	}
}

// Of writes the header's value; ok is false where a part of it is missing.
func (h *Header) Of(r *Record) (value string, ok bool) {
	var b strings.Builder
	for _, p := range h.Parts {
		var s string
		if p.Secret != nil {
			s = p.Secret.Literal
		} else {
			s = p.Text.Of(r)
		}
		if s == "" {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// FixedValue is the same for every delivery.
func FixedValue(v any) Value { return func(*Record) any { return v } }

// TextValue is a text.
func TextValue(t Text) Value {
	return func(r *Record) any {
		if s := t.Of(r); s != "" {
			return s
		}
		return nil
	}
}

// NumberValue is a number.
func NumberValue(n Number) Value {
	return func(r *Record) any {
		if f := n.Of(r); !missingNumber(f) {
			return f
		}
		return nil
	}
}

// ListValue is a list of texts.
func ListValue(l List) Value {
	return func(r *Record) any {
		if v := l.Of(r); v != nil {
			return v
		}
		return nil
	}
}

// TruthValue is true or false, and nil where the condition is undecided.
func TruthValue(c Cond) Value {
	t, f := sides(c)
	return func(r *Record) any {
		switch {
		case t(r):
			return true
		case f(r):
			return false
		default:
			return nil
		}
	}
}

// ObjectValue is an object; what is missing is left out.
func ObjectValue(fields map[string]Value) Value {
	return func(r *Record) any {
		out := make(map[string]any, len(fields))
		for name, of := range fields {
			if v := of(r); v != nil {
				out[name] = v
			}
		}
		return out
	}
}

// TupleValue is a list of values; what is missing is null.
func TupleValue(items []Value) Value {
	return func(r *Record) any {
		out := make([]any, len(items))
		for i, of := range items {
			out[i] = of(r)
		}
		return out
	}
}
