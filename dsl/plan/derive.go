package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/leadroute/leadroute"
)

// Derive fills a field that the sender left out, from the fields that were sent and the
// policy's tables. It is done once, at the door, and the value stored in the lead: so
// every later decision, and every replay of it, reads the same.
type Derive struct {
	Field string
	slot  Slot
	value func(*Record) any // nil: missing
}

// DeriveText fills a text field. The slot is of the plan's Derived layout.
func DeriveText(s Slot, t Text) Derive {
	return Derive{s.Name, s, func(r *Record) any {
		if v := t.Of(r); v != "" {
			return v
		}
		return nil
	}}
}

// DeriveNumber fills a number field.
func DeriveNumber(s Slot, n Number) Derive {
	return Derive{s.Name, s, func(r *Record) any {
		if v := FormatNumber(n.Of(r)); v != "" && !strings.HasSuffix(v, "Inf") {
			return json.Number(v)
		}
		return nil
	}}
}

// DeriveBool fills a true-or-false field.
func DeriveBool(s Slot, c Cond) Derive {
	return Derive{s.Name, s, func(r *Record) any {
		switch {
		case c.Holds(r):
			return true
		case c.Fails(r):
			return false
		default:
			return nil
		}
	}}
}

// DeriveList fills a list field.
func DeriveList(s Slot, l List) Derive {
	return Derive{s.Name, s, func(r *Record) any {
		v := l.Of(r)
		if v == nil {
			return nil
		}
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list
	}}
}

// derive fills the fields that are missing, in an order in which each stands behind what
// it reads. A value that the schema refuses is left out: the sender could not mend it.
func (p *Plan) derive(lead map[string]any) (changed bool, err error) {
	if len(p.Derives) == 0 {
		return false, nil
	}
	raw, err := json.Marshal(lead)
	if err != nil {
		return false, fmt.Errorf("derive fields: %w", err)
	}
	r, err := (&Plan{Layout: p.Derived}).Record(&leadroute.Lead{Fields: raw}, nil)
	if err != nil {
		return false, fmt.Errorf("derive fields: %w", err)
	}
	defer r.Free()
	for i := range p.Derives {
		d := &p.Derives[i]
		object, name := hold(lead, d.Field)
		if object == nil || object[name] != nil {
			continue
		}
		v := d.value(r)
		if f := p.Field(d.Field); v == nil || f != nil && f.value(v) != nil {
			continue
		}
		if object, name = makeRoom(lead, d.Field); object == nil {
			continue
		}
		object[name], changed = v, true
		r.set(d.slot, v)
	}
	return changed, nil
}

// hold finds the object in which a dotted field stands, or would stand if it were made;
// nil where something else is in its place.
func hold(lead map[string]any, field string) (object map[string]any, name string) {
	object, name = lead, field
	for {
		part, rest, nested := strings.Cut(name, ".")
		if !nested {
			return object, name
		}
		switch inner := object[part].(type) {
		case map[string]any:
			object, name = inner, rest
		case nil:
			return map[string]any{}, rest
		default:
			return nil, ""
		}
	}
}

// makeRoom is hold that makes the objects.
func makeRoom(lead map[string]any, field string) (object map[string]any, name string) {
	object, name = lead, field
	for {
		part, rest, nested := strings.Cut(name, ".")
		if !nested {
			return object, name
		}
		inner, ok := object[part].(map[string]any)
		if !ok {
			if object[part] != nil {
				return nil, ""
			}
			inner = map[string]any{}
			object[part] = inner
		}
		object, name = inner, rest
	}
}
