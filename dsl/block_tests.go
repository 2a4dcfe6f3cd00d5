package dsl

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Test is one case of a test block: a lead, what holds at that moment, and what must
// come of it.
type Test struct {
	Name   string // of the block, and of its case if it has any: "hot leads/Brazil"
	File   string
	Line   int
	Lead   json.RawMessage
	At     time.Time // in the policy's zone
	Live   Situation
	Expect Expect
}

// Situation is what the live tables say in a test. What it does not name is staffed and free.
type Situation struct {
	Available map[leadroute.PoolID]int
	Status    map[leadroute.RepID]leadroute.RepStatus
}

// Expect is what a test wants; a nil member is not checked, and an empty text is null.
type Expect struct {
	Rule, Priority, Territory *string
	AssignedTo                *string // pool.x, queue.x or rep.x
}

// DefaultAt is the time of a test that names none: 10:00 on Wednesday 2026-01-14.
func DefaultAt(zone *time.Location) time.Time { return time.Date(2026, 1, 14, 10, 0, 0, 0, zone) }

// test "..." { ... } is checked by leadroute test, through the same decisions as run.
func testBlock() *blockSpec {
	expect := &blockSpec{name: "expect", once: true, attrs: words("rule priority territory assigned_to")}
	kase := &blockSpec{name: "case", labels: 1, freeName: true, attrs: words("lead live at")}
	return &blockSpec{
		name: "test", labels: 1, freeName: true, attrs: words("lead live at"), nested: []*blockSpec{kase, expect},
		build: (*compiler).test,
	}
}

func (c *compiler) test(b *block) {
	base := Test{Name: b.name, File: b.rng.Filename, Line: b.rng.Start.Line, At: DefaultAt(c.plan.Zone)}
	before := len(c.diags)
	lead := c.testLead(b.body)
	base.Live = c.situation(b.body, Situation{})
	if at, ok := c.instant(b.body, "at"); ok {
		base.At = at
	}
	if e := b.only("expect"); e != nil {
		base.Expect = c.expect(e.body)
	} else if !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "A test needs an expect block: expect { rule = rule.name }.")
	}
	cases := b.blocks("case")
	if len(c.diags) > before {
		return
	}
	if len(cases) == 0 {
		if b.attr("lead") == nil && !c.brokenWithin(b.full) {
			c.report(missingAttribute, b.rng, "A test needs a lead: lead = { score = 50 }.")
			return
		}
		c.addTest(base, lead, b.body)
		return
	}
	for _, k := range cases {
		t := base
		t.Name, t.Line = b.name+"/"+k.name, k.rng.Start.Line
		t.Live = c.situation(k.body, base.Live)
		if at, ok := c.instant(k.body, "at"); ok {
			t.At = at
		}
		in := k.body
		if k.attr("lead") == nil {
			in = b.body
		}
		c.addTest(t, merge(lead, c.testLead(k.body)), in)
	}
}

func (c *compiler) addTest(t Test, lead map[string]any, in body) {
	if t.Lead = c.admissible(lead, in); t.Lead != nil {
		c.tests = append(c.tests, t)
	}
}

// admissible puts the lead before the door, which must let it in; nil if it is not fit to be put there.
func (c *compiler) admissible(lead map[string]any, in body) json.RawMessage {
	raw, err := json.Marshal(lead)
	untyped := slices.ContainsFunc(c.plan.Fields, func(f plan.Field) bool { return f.Type == "" })
	if err != nil || lead == nil || untyped {
		return nil
	}
	fields, problems, err := c.plan.Check(raw)
	if err != nil {
		problems = append(problems, plan.FieldProblem{Message: err.Error()})
	}
	for _, p := range problems {
		rng := in.rng
		if a := in.attr("lead"); a != nil {
			rng = a.NameRange
		}
		c.report(rejectedTestLead, rng, "%s: %s.", capital(p.Message), p.Remedy)
	}
	return fields
}

// testLead reads lead = { ... }; a field that no lead has is a typing error.
func (c *compiler) testLead(b body) map[string]any {
	k, ok := c.value(b, "lead")
	if !ok {
		return nil
	}
	o, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, "The lead of a test is an object: lead = { score = 50 }.")
		return nil
	}
	s := c.leadScope(decided{})
	return c.leadObject(s, o, "")
}

func (c *compiler) leadObject(s *scope, o *object, prefix string) map[string]any {
	out := map[string]any{}
	for _, it := range o.items {
		name := prefix + it.key
		if inner, ok := it.v.(*object); ok {
			out[it.key] = c.leadObject(s, inner, name+".")
			continue
		}
		f := c.plan.Field(name)
		if f == nil {
			s.unknownField(name, ref{path: append([]string{"lead"}, strings.Split(name, ".")...), rng: it.keyRng})
			continue
		}
		if v, isText := it.v.(string); isText && len(f.Values) > 0 && v != "" {
			s.value(f, v, it.rng)
		}
		out[it.key] = c.plainValue(it.constant)
	}
	return out
}

func (c *compiler) plainValue(k constant) any {
	switch v := k.v.(type) {
	case nil, string, bool, float64:
		return v
	case []constant:
		list := make([]any, 0, len(v))
		for _, e := range v {
			if _, nested := e.v.([]constant); nested {
				c.report(wrongType, k.rng, "A list in a lead holds texts.")
				return nil
			}
			list = append(list, c.plainValue(e))
		}
		return list
	default:
		c.report(wrongType, k.rng, "A field of a lead is a text, a number, true or false, or a list; this is %s.", kindOf(v))
		return nil
	}
}

// merge lays b's fields over a's.
func merge(a, b map[string]any) map[string]any {
	if a == nil {
		return b
	}
	out := maps.Clone(a)
	for k, v := range b {
		x, isA := out[k].(map[string]any)
		if y, isB := v.(map[string]any); isA && isB {
			v = merge(x, y)
		}
		out[k] = v
	}
	return out
}

// situation reads live = { pool = { emea = { available = 2 } }, rep = { ana = { status = "away" } } }.
func (c *compiler) situation(b body, base Situation) Situation {
	out := Situation{Available: map[leadroute.PoolID]int{}, Status: map[leadroute.RepID]leadroute.RepStatus{}}
	maps.Copy(out.Available, base.Available)
	maps.Copy(out.Status, base.Status)
	k, ok := c.value(b, "live")
	if !ok {
		return out
	}
	kinds, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, "live is an object: live = { pool = { emea = { available = 2 } } }.")
		return out
	}
	for _, it := range kinds.items {
		rows, isObject := it.v.(*object)
		if !isObject || it.key != "pool" && it.key != "rep" {
			c.report(invalidValue, it.keyRng, "live has pool = { name = { available = 2 } } and rep = { name = { status = \"away\" } }.")
			continue
		}
		for _, row := range rows.items {
			c.liveRow(it.key, row, &out)
		}
	}
	return out
}

func (c *compiler) liveRow(typ string, row item, out *Situation) {
	figures, ok := row.v.(*object)
	if !ok {
		c.report(wrongType, row.rng, "This is an object: { available = 2 }.")
		return
	}
	if typ == "pool" && !c.exists("pool", row.key, row.keyRng) {
		return
	}
	for _, f := range figures.items {
		switch v := f.v.(type) {
		case float64:
			if typ == "pool" && f.key == "available" && v >= 0 && v == float64(int(v)) {
				out.Available[leadroute.PoolID(row.key)] = int(v)
				continue
			}
		case string:
			statuses := []string{string(leadroute.StatusAvailable), string(leadroute.StatusBusy), string(leadroute.StatusAway), string(leadroute.StatusOff)}
			if typ == "rep" && f.key == "status" && slices.Contains(statuses, v) {
				out.Status[leadroute.RepID(row.key)] = leadroute.RepStatus(v)
				continue
			}
		}
		c.report(invalidValue, f.keyRng, "A pool has available = 2 (a whole number), a rep has status = \"available\", \"busy\", \"away\" or \"off\".")
	}
}

func (c *compiler) expect(b body) Expect {
	var e Expect
	e.Rule = c.expected(b, "rule", "rule")
	e.Priority = c.expected(b, "priority", "priority")
	e.Territory = c.expected(b, "territory", "territory")
	if k, ok := c.value(b, "assigned_to"); ok {
		if t, ok := c.fixedTarget(k); ok {
			e.AssignedTo = new(TargetName(t))
		}
	}
	if len(b.hcl.Attributes) == 0 && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "An expect block says what must come out: rule, priority, territory or assigned_to.")
	}
	return e
}

// expected reads a reference to a block of the type, or null for "none".
func (c *compiler) expected(b body, name, typ string) *string {
	k, ok := c.value(b, name)
	if !ok {
		return nil
	}
	if k.v == nil {
		return new(string)
	}
	if s, isText := k.v.(string); isText && typ == "rule" && isTableRow(s) {
		return c.rowNamed(s, k)
	}
	if r, isRef := k.v.(ref); isRef && typ == "rule" && len(r.path) == 2 {
		switch {
		case r.path[0] == "override":
			if c.exists("override", r.path[1], r.rng) {
				return new(plan.OverridePrefix + r.path[1])
			}
			return nil
		case r.path[0] == "rule" && c.declared["rule"][r.path[1]] == nil:
			c.report(unknownRule, r.rng, "No rule %q is declared.%s", r.path[1], didYouMean(r.path[1], c.names("rule"), func(s string) string { return inQuotes("rule." + s) }))
			return nil
		}
	}
	if s, ok := c.blockNamed(k, typ); ok {
		return &s
	}
	return nil
}

// rowNamed is the rule of a table's row: "territories.csv:812".
func (c *compiler) rowNamed(name string, k constant) *string {
	if slices.ContainsFunc(c.plan.Rules, func(r plan.Rule) bool { return r.Name == name }) {
		return &name
	}
	file, _, _ := strings.Cut(name, ":")
	var hint string
	if rows := c.rowsOf(file); len(rows) > 0 {
		hint = fmt.Sprintf(" The rules of %s are those of its lines %s to %s; the header is line 1.", file, rows[0], rows[len(rows)-1])
	} else {
		hint = fmt.Sprintf(" No rules_from makes rules of %s.", file)
	}
	c.report(unknownRule, k.rng, "No rule is called %q.%s", name, hint)
	return nil
}

// rowsOf are the lines of the table's file that are rules.
func (c *compiler) rowsOf(file string) []string {
	var lines []string
	for _, r := range c.plan.Rules {
		if line, ok := strings.CutPrefix(r.Name, file+":"); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

func isTableRow(s string) bool { return strings.Contains(s, ".csv:") || strings.Contains(s, ".json:") }

// TargetName is pool.x, queue.x or rep.x.
func TargetName(t plan.Target) string {
	switch {
	case t.Pool != "":
		return fmt.Sprintf("pool.%s", t.Pool)
	case t.Queue != "":
		return fmt.Sprintf("queue.%s", t.Queue)
	case t.Rep != "":
		return fmt.Sprintf("rep.%s", t.Rep)
	default:
		return ""
	}
}
