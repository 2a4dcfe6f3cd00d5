package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// FieldProblem is one reason why the door refuses a lead. It names the field and never
// repeats what the sender wrote there.
type FieldProblem struct {
	Pointer string `json:"pointer"` // JSON pointer: /account/tier
	Code    string `json:"code"`    // type, value, min, max, required
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// ErrNotObject says that the raw lead is no JSON object.
var ErrNotObject = errors.New("a lead is one JSON object")

// Check is the door's: it normalises the raw lead (null and "" are missing and taken
// out, what is missing is derived, defaults are set) and lists everything that the schema refuses. Fields is nil when
// there are problems. The error says that raw is no JSON object at all.
func (p *Plan) Check(raw json.RawMessage) (fields json.RawMessage, problems []FieldProblem, err error) {
	lead, err := decodeObject(raw)
	if err != nil {
		return nil, nil, err
	}
	changed := prune(lead) || !utf8.Valid(raw) // what is not UTF-8 has become U+FFFD
	for i := range p.Fields {
		changed = p.Fields[i].blank(lead) || changed
	}
	derived, err := p.derive(lead)
	if err != nil {
		return nil, nil, err
	}
	changed = changed || derived
	for i := range p.Fields {
		for _, f := range p.Fields[i].check(lead, &changed) {
			if !slices.Contains(problems, f) { // a wrong object is told once, not for each of its members
				problems = append(problems, f)
			}
		}
	}
	if len(problems) > 0 {
		return nil, problems, nil
	}
	if !changed {
		return bytes.Clone(bytes.TrimSpace(raw)), nil, nil
	}
	fields, err = json.Marshal(lead)
	if err != nil {
		return nil, nil, fmt.Errorf("write the checked lead: %w", err)
	}
	return fields, nil, nil
}

func decodeObject(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a number stays as it was sent, however many digits it has
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read the lead: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w, and nothing after it", ErrNotObject)
	}
	lead, ok := v.(map[string]any)
	if !ok {
		return nil, ErrNotObject
	}
	return lead, nil
}

// prune takes out what is missing, null and "", and tells whether there was any.
func prune(object map[string]any) (changed bool) {
	for k, v := range object {
		if inner, ok := v.(map[string]any); ok {
			changed = prune(inner) || changed
		} else if v == nil || v == "" {
			delete(object, k)
			changed = true
		}
	}
	return changed
}

func (f *Field) check(lead map[string]any, changed *bool) []FieldProblem {
	object, name := lead, f.Name
	for {
		part, rest, nested := strings.Cut(name, ".")
		if !nested {
			break
		}
		outer := Field{Name: strings.TrimSuffix(f.Name, "."+rest)}
		name = rest
		switch inner := object[part].(type) {
		case map[string]any:
			object = inner
		case nil:
			if f.Default == nil {
				return f.missing()
			}
			made := map[string]any{}
			object[part], object = made, made
		default:
			return []FieldProblem{outer.problem("type", "must be an object", "send an object, or leave it out")}
		}
	}
	v, ok := object[name]
	if !ok {
		if f.Default == nil {
			return f.missing()
		}
		object[name], *changed = f.Default, true
		return nil
	}
	return f.value(v)
}

// blank takes out a text that stands for nothing.
func (f *Field) blank(lead map[string]any) (changed bool) {
	if len(f.Blank) == 0 {
		return false
	}
	object, name := hold(lead, f.Name)
	if s, ok := object[name].(string); ok && slices.Contains(f.Blank, Normal(strings.TrimSpace(s))) {
		delete(object, name)
		return true
	}
	return false
}

func (f *Field) missing() []FieldProblem {
	if !f.Required {
		return nil
	}
	return []FieldProblem{f.problem("required", "is required", "send "+f.kind()+f.bounds())}
}

func (f *Field) value(v any) []FieldProblem {
	switch v := v.(type) {
	case string:
		if f.Type == TypeString {
			return f.oneOf(v)
		}
	case bool:
		if f.Type == TypeBool {
			return nil
		}
	case json.Number:
		if f.Type == TypeNumber {
			return f.number(v)
		}
	case []any:
		if f.Type == TypeList {
			return f.list(v)
		}
	}
	return []FieldProblem{f.problem("type", "must be "+f.kind(), "send "+f.kind()+f.bounds())}
}

func (f *Field) oneOf(v string) []FieldProblem {
	if len(f.Values) == 0 || slices.Contains(f.Values, Normal(v)) {
		return nil
	}
	return []FieldProblem{f.problem("value", "is not one of the values that the policy knows", "send "+f.bounds())}
}

func (f *Field) number(v json.Number) []FieldProblem {
	n, err := v.Float64()
	switch {
	case err != nil:
		return []FieldProblem{f.problem("type", "is too large for a number", "send a number below 1e308")}
	case f.Min != nil && n < *f.Min:
		return []FieldProblem{f.problem("min", "must be at least "+FormatNumber(*f.Min), "send "+f.kind()+f.bounds())}
	case f.Max != nil && n > *f.Max:
		return []FieldProblem{f.problem("max", "must be at most "+FormatNumber(*f.Max), "send "+f.kind()+f.bounds())}
	}
	return nil
}

func (f *Field) list(v []any) []FieldProblem {
	for i, e := range v {
		s, ok := e.(string)
		if !ok {
			p := f.problem("type", "must be a string", "send a list of strings")
			p.Pointer += fmt.Sprintf("/%d", i)
			return []FieldProblem{p}
		}
		if problems := f.oneOf(s); problems != nil {
			problems[0].Pointer += fmt.Sprintf("/%d", i)
			return problems
		}
	}
	return nil
}

func (f *Field) problem(code, message, remedy string) FieldProblem {
	return FieldProblem{Pointer: f.Pointer(), Code: code, Message: f.Name + " " + message, Remedy: strings.ReplaceAll(remedy, "send  ", "send ")}
}

// Pointer is the field's JSON pointer.
func (f *Field) Pointer() string {
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(f.Name)
	return "/" + strings.ReplaceAll(escaped, ".", "/")
}

func (f *Field) kind() string {
	switch f.Type {
	case TypeList:
		return "a list of strings"
	case TypeBool:
		return "true or false"
	default:
		return "a " + f.Type
	}
}

// bounds says which values are allowed, with a leading blank; "" when all are.
func (f *Field) bounds() string {
	switch {
	case len(f.Values) > 0:
		return " one of " + quoteAll(f.Values)
	case f.Min != nil && f.Max != nil:
		return " from " + FormatNumber(*f.Min) + " to " + FormatNumber(*f.Max)
	case f.Min != nil:
		return " of at least " + FormatNumber(*f.Min)
	case f.Max != nil:
		return " of at most " + FormatNumber(*f.Max)
	default:
		return ""
	}
}
