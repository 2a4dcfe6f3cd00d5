package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/leadroute/leadroute"
)

// Record is a lead (or a rep) laid out for the conditions, typed. What is missing needs
// no mark of its own: it is "" as a text, NaN as a number, nil as a list. A record
// belongs to one goroutine at a time: Decide writes the class and territory into it.
type Record struct {
	layout *Layout
	strs   []string
	nums   []float64
	bools  []tri
	lists  [][]string
	spare  [][]string // the lists' backing, kept between uses

	live      Live
	at        time.Time
	territory *Territory
	assigned  Target
	scratch   scratch
}

// tri is a truth value; the zero value is missing.
type tri uint8

const (
	triFalse tri = iota + 1
	triTrue
)

// Record lays a lead and its account (nil: none) out for deciding. A field of another
// type than declared is missing: the door refuses such leads, and a lead that an older
// plan let in must not stop the stream. The error says that the fields are no JSON object.
//
// Call Free when done with it, to spare the garbage collector; not calling it is no fault.
func (p *Plan) Record(lead *leadroute.Lead, account *leadroute.Account) (*Record, error) {
	layout := p.Layout
	if layout == nil {
		layout = NewLayout() // a plan that was put together by hand and reads no field
	}
	r := layout.New()
	if len(lead.Fields) > 0 {
		if !json.Valid(lead.Fields) {
			return nil, fmt.Errorf("lay out lead %s: its fields are not valid JSON", lead.ID)
		}
		s := scanner{text: string(lead.Fields)}
		if s.peek() != '{' {
			return nil, fmt.Errorf("lay out lead %s: its fields are not a JSON object", lead.ID)
		}
		s.object(r, &layout.root)
	}
	r.setText("id", string(lead.ID))
	r.setText("source", string(lead.Source))
	r.instant("emitted_at", lead.EmittedAt)
	r.instant("received_at", lead.ReceivedAt)
	if slot, ok := layout.slots["email_domain"]; ok && r.strs[slot.index] == "" {
		if email, ok := layout.slots["email"]; ok {
			r.strs[slot.index] = DomainOf(r.strs[email.index])
		}
	}
	if account != nil {
		r.account(account)
	}
	return r, nil
}

// Free gives the record back; it must not be used afterwards.
func (r *Record) Free() { r.layout.free.Put(r) }

func (r *Record) setText(name, v string) {
	if v == "" {
		return
	}
	if s, ok := r.layout.slots[name]; ok && s.Type == TypeString {
		r.strs[s.index] = Normal(v)
	}
}

func (r *Record) instant(name string, v leadroute.Millis) {
	if v == 0 {
		return
	}
	if _, ok := r.layout.slots[name]; ok {
		r.setText(name, v.Time().Format(time.RFC3339Nano))
	}
}

// account replaces everything below lead.account with the row of the account table. A row
// that a lead made says who the owner is, and else leaves what the lead says.
func (r *Record) account(a *leadroute.Account) {
	if a.Claimed() {
		if s, ok := r.layout.slots["account.owner"]; ok && s.Type == TypeString && r.strs[s.index] == "" {
			r.set(s, string(a.Owner))
		}
		return
	}
	for _, s := range r.layout.account {
		r.unset(s)
		switch name := strings.TrimPrefix(s.Name, "account."); name {
		case "domain":
			r.set(s, a.Domain)
		case "name":
			r.set(s, a.Name)
		case "owner":
			r.set(s, string(a.Owner))
		default:
			r.set(s, Attribute(a.Attrs, name))
		}
	}
}

func (r *Record) unset(s Slot) {
	switch s.Type {
	case TypeNumber:
		r.nums[s.index] = math.NaN()
	case TypeBool:
		r.bools[s.index] = 0
	case TypeList:
		r.lists[s.index] = nil
	default:
		r.strs[s.index] = ""
	}
}

// set stores a value of the JSON or Go kind that fits the slot; any other leaves it missing.
func (r *Record) set(s Slot, v any) {
	switch v := v.(type) {
	case string:
		if s.Type == TypeString {
			r.strs[s.index] = Normal(v)
		}
	case bool:
		if s.Type == TypeBool {
			r.bools[s.index] = triOf(v)
		}
	case float64:
		r.number(s, v)
	case int:
		r.number(s, float64(v))
	case json.Number:
		if f, err := v.Float64(); err == nil {
			r.number(s, f)
		}
	case []string:
		if s.Type == TypeList && v != nil {
			l := r.spare[s.index][:0]
			for _, e := range v {
				l = append(l, Normal(e))
			}
			r.list(s, l)
		}
	case []any:
		if s.Type != TypeList {
			return
		}
		l := r.spare[s.index][:0]
		for _, e := range v {
			t, ok := e.(string)
			if !ok {
				return
			}
			l = append(l, Normal(t))
		}
		r.list(s, l)
	}
}

func (r *Record) number(s Slot, v float64) {
	if s.Type == TypeNumber {
		r.nums[s.index] = v
	}
}

// list stores l, whose backing becomes the slot's spare; an empty list is present.
func (r *Record) list(s Slot, l []string) {
	if l == nil {
		l = make([]string, 0, 4)
	}
	r.spare[s.index], r.lists[s.index] = l, l
}

func triOf(b bool) tri {
	if b {
		return triTrue
	}
	return triFalse
}

// Attribute finds a dotted name in nested objects, nil if it is not there.
func Attribute(attrs map[string]any, name string) any {
	if v, ok := attrs[name]; ok {
		return v
	}
	head, tail, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	inner, _ := attrs[head].(map[string]any)
	return Attribute(inner, tail)
}

// Normal is the form in which texts are compared: Unicode NFC.
func Normal(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return norm.NFC.String(s)
		}
	}
	return s
}

// Text is the value of a text field, "" when it is missing or no condition reads it.
func (r *Record) Text(name string) string {
	if s, ok := r.layout.slots[name]; ok && s.Type == TypeString {
		return r.strs[s.index]
	}
	return ""
}
