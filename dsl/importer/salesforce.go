package importer

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The metadata of AssignmentRules, as Salesforce's Metadata API writes it
// (leads.assignmentRules-meta.xml).
type assignmentRules struct {
	XMLName xml.Name         `xml:"AssignmentRules"`
	Rules   []assignmentRule `xml:"assignmentRule"`
}

type assignmentRule struct {
	Name    string      `xml:"fullName"`
	Active  bool        `xml:"active"`
	Entries []ruleEntry `xml:"ruleEntry"`
}

type ruleEntry struct {
	AssignedTo string     `xml:"assignedTo"`
	Type       string     `xml:"assignedToType"` // User or Queue
	Filter     string     `xml:"booleanFilter"`  // 1 AND (2 OR 3); empty: all
	Criteria   []criteria `xml:"criteriaItems"`
	Formula    string     `xml:"formula"`
}

type criteria struct {
	Field      string `xml:"field"`
	Operation  string `xml:"operation"`
	Value      string `xml:"value"`
	ValueField string `xml:"valueField"`
}

// Salesforce reads assignment-rule metadata and returns the policy that routes as the
// rule of that name does; with name empty, as the active one. Salesforce compares texts
// without regard to case, and its "not equal" takes a record without the field: the
// conditions written here do the same.
func Salesforce(r io.Reader, name string) (*Result, error) {
	var doc assignmentRules
	if err := xml.NewDecoder(r).Decode(&doc); err != nil {
		if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
			return nil, fmt.Errorf("line %d: this is no assignment-rule metadata (%s); retrieve AssignmentRules with the Metadata API, such as leads.assignmentRules-meta.xml", syntax.Line, syntax.Msg)
		}
		return nil, fmt.Errorf("this is no assignment-rule metadata: %w; retrieve AssignmentRules with the Metadata API, such as leads.assignmentRules-meta.xml", err)
	}
	rule, err := doc.pick(name)
	if err != nil {
		return nil, err
	}
	s := &salesforce{draft: newDraft(), out: &Result{}, desks: map[string]string{}}
	for i, e := range rule.Entries {
		s.entry(i+1, e)
	}
	s.out.Rules = len(rule.Entries)
	s.out.Files = map[string][]byte{
		"policy.hcl": s.draft.file(identifier(rule.Name), "Imported from the Salesforce assignment rule "+rule.Name, ""),
	}
	return s.out, nil
}

func (doc assignmentRules) pick(name string) (assignmentRule, error) {
	var names []string
	for _, r := range doc.Rules {
		if name == r.Name || name == "" && r.Active {
			return r, nil
		}
		names = append(names, strconv.Quote(r.Name))
	}
	switch {
	case len(names) == 0:
		return assignmentRule{}, errors.New("the file holds no assignment rule")
	case name == "":
		return assignmentRule{}, fmt.Errorf("none of the assignment rules is active; choose one with --rule: %s", strings.Join(names, ", "))
	default:
		return assignmentRule{}, fmt.Errorf("there is no assignment rule %q; there are %s", name, strings.Join(names, ", "))
	}
}

type salesforce struct {
	draft *draft
	out   *Result
	desks map[string]string // assignedTo: pool
}

// entry writes one rule entry as a rule.
func (s *salesforce) entry(n int, e ruleEntry) {
	local, _, _ := strings.Cut(e.AssignedTo, "@")
	name := s.draft.unique("rule", fmt.Sprintf("entry %d %s", n, local))
	when, err := s.when(e)
	var b strings.Builder
	if err != nil {
		s.out.Disabled++
		s.out.note("rule %s is disabled: %v", name, err)
		b.WriteString(comment(fmt.Sprintf("Rule entry %d could not be imported: %v.\n%s", n, err, e.original())))
	}
	fmt.Fprintf(&b, "rule %s {\n", quote(name))
	if err != nil {
		b.WriteString("enabled = false\n")
	} else if when != "" {
		fmt.Fprintf(&b, "when = %s\n", when)
	} else {
		s.draft.closed = true
	}
	to := "queue.unrouted"
	if desk := s.desk(e); desk != "" {
		to = "[pool." + desk + ", queue.unrouted]"
	} else {
		s.out.note("rule %s: the entry assigns to nobody, so that its leads wait in queue.unrouted", name)
	}
	fmt.Fprintf(&b, "to = %s\n}\n\n", to)
	s.draft.rules.WriteString(b.String())
}

// desk is the pool that stands for the entry's user or queue.
func (s *salesforce) desk(e ruleEntry) string {
	if e.AssignedTo == "" {
		return ""
	}
	key := e.Type + " " + e.AssignedTo
	if pool, ok := s.desks[key]; ok {
		return pool
	}
	local, _, isMail := strings.Cut(e.AssignedTo, "@")
	t := target{name: s.draft.unique("pool", local)}
	switch {
	case e.Type == "User" && isMail:
		t.email = e.AssignedTo
	case e.Type == "User":
		t.member = "rep.crm_id == " + quote(e.AssignedTo)
		t.comment = "The user " + e.AssignedTo + ": set the crm_id of that rep in the rep table."
	default:
		t.member = "contains(rep.queues, " + quote(e.AssignedTo) + ")"
		t.comment = "The members of the queue " + e.AssignedTo + ": reps whose attribute \"queues\" lists it."
	}
	s.desks[key] = t.name
	s.draft.pools = append(s.draft.pools, t)
	return t.name
}

func (e ruleEntry) original() string {
	if e.Formula != "" {
		return "formula: " + e.Formula
	}
	var b strings.Builder
	if e.Filter != "" {
		fmt.Fprintf(&b, "filter: %s\n", e.Filter)
	}
	for i, c := range e.Criteria {
		fmt.Fprintf(&b, "%d: %s %s %q\n", i+1, c.Field, c.Operation, c.Value)
	}
	return b.String()
}

// when is the entry's condition; "" takes every lead.
func (s *salesforce) when(e ruleEntry) (string, error) {
	switch {
	case e.Formula != "":
		return "", errors.New("a formula has no counterpart; write its condition by hand")
	case len(e.Criteria) == 0:
		return "", nil
	}
	filter := e.Filter
	if filter == "" {
		numbers := make([]string, len(e.Criteria))
		for i := range numbers {
			numbers[i] = strconv.Itoa(i + 1)
		}
		filter = strings.Join(numbers, " AND ")
	}
	f := &filterParser{tokens: filterTokens(filter), leaf: func(n int, negated bool) (string, error) {
		if n < 1 || n > len(e.Criteria) {
			return "", fmt.Errorf("its filter %q names criterion %d of %d", filter, n, len(e.Criteria))
		}
		return s.criterion(e.Criteria[n-1], negated)
	}}
	cond, err := f.parse()
	if err != nil {
		return "", err
	}
	return cond, nil
}

// criterion is one line of an entry, or its opposite. In Salesforce the opposite of a
// comparison takes a record without the field, too.
func (s *salesforce) criterion(c criteria, negated bool) (string, error) {
	if c.ValueField != "" {
		return "", fmt.Errorf("%s is compared with another field", c.Field)
	}
	object, path, ok := strings.Cut(c.Field, ".")
	if !ok || object != "Lead" {
		return "", fmt.Errorf("%s is no field of a lead", c.Field)
	}
	field := identifier(strings.TrimSuffix(path, "__c"))
	ref := "lead." + field
	values := splitValues(c.Value)
	opposites := map[string]string{"notEqual": "equals", "notContain": "contains", "excludes": "includes"}
	op := c.Operation
	if positive, ok := opposites[op]; ok {
		op, negated = positive, !negated
	}
	if op == "equals" && len(values) == 0 {
		s.draft.field(field, s.typeOf(field, c))
		if negated {
			return "has(" + ref + ")", nil
		}
		return "!has(" + ref + ")", nil
	}
	cond, err := s.positive(field, ref, op, c, values)
	if err != nil || !negated {
		return cond, err
	}
	return "(!has(" + ref + ") || !(" + cond + "))", nil
}

func (s *salesforce) typeOf(field string, c criteria) string {
	if t, ok := s.draft.fields[field]; ok {
		return t
	}
	if _, ok := numberFields[strings.TrimPrefix(c.Field, "Lead.")]; ok {
		return "number"
	}
	return "string"
}

// numberFields are the standard number fields of a lead.
var numberFields = map[string]bool{"AnnualRevenue": true, "NumberOfEmployees": true, "Latitude": true, "Longitude": true}

// positive writes one comparison; of several values, any.
func (s *salesforce) positive(field, ref, op string, c criteria, values []string) (string, error) {
	orders := map[string]string{"lessThan": "<", "lessOrEqual": "<=", "greaterThan": ">", "greaterOrEqual": ">="}
	if sign, ok := orders[op]; ok {
		if len(values) != 1 {
			return "", fmt.Errorf("%s %s needs one value", c.Field, op)
		}
		n, err := strconv.ParseFloat(values[0], 64)
		if err != nil {
			return "", fmt.Errorf("%s is compared by order with %q, which is no number (dates are not compared in conditions)", c.Field, values[0])
		}
		s.draft.field(field, "number")
		return fmt.Sprintf("%s %s %s", ref, sign, strconv.FormatFloat(n, 'f', -1, 64)), nil
	}
	if len(values) == 0 {
		return "", fmt.Errorf("%s %s has no value", c.Field, op)
	}
	switch op {
	case "equals":
		return s.equals(field, ref, c, values), nil
	case "contains", "startsWith":
		s.draft.field(field, "string")
		function := map[string]string{"contains": "contains", "startsWith": "startswith"}[op]
		return anyOf(values, func(v string) string {
			return fmt.Sprintf("%s(lower(%s), %s)", function, ref, quote(strings.ToLower(v)))
		}), nil
	case "includes":
		s.draft.field(field, "list(string)")
		return anyOf(values, func(v string) string { return fmt.Sprintf("contains(%s, %s)", ref, quote(v)) }), nil
	default:
		return "", fmt.Errorf("%s: the operation %q has no counterpart", c.Field, op)
	}
}

func (s *salesforce) equals(field, ref string, c criteria, values []string) string {
	if v := strings.ToLower(values[0]); len(values) == 1 && (v == "true" || v == "false") {
		s.draft.field(field, "bool")
		return ref + " == " + v
	}
	if s.typeOf(field, c) == "number" && allNumbers(values) {
		s.draft.field(field, "number")
		return anyOf(values, func(v string) string { return ref + " == " + v })
	}
	s.draft.field(field, "string")
	lower := make([]string, len(values))
	for i, v := range values {
		lower[i] = strings.ToLower(v)
	}
	if len(lower) == 1 {
		return fmt.Sprintf("lower(%s) == %s", ref, quote(lower[0]))
	}
	return fmt.Sprintf("one_of(lower(%s), %s)", ref, quoteList(lower))
}

func allNumbers(values []string) bool {
	for _, v := range values {
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return false
		}
	}
	return true
}

func anyOf(values []string, f func(string) string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = f(v)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

// splitValues splits a criterion's value: commas part values, quotes keep them together.
func splitValues(s string) []string {
	var values []string
	var b strings.Builder
	quoted := false
	flush := func() {
		if v := strings.TrimSpace(b.String()); v != "" {
			values = append(values, v)
		}
		b.Reset()
	}
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case (r == ',' || r == ';') && !quoted:
			flush()
		default:
			b.WriteRune(r)
		}
	}
	flush()
	return values
}
