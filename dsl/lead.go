package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// value reports a text that is not among the field's values.
func (s *scope) value(f *plan.Field, v string, rng hcl.Range) {
	if slices.Contains(f.Values, v) {
		return
	}
	if strings.HasPrefix(f.Name, "route.") {
		s.c.report(unknownValue, rng, "%s is never %q: it is %s.%s", f.Name, v, enumerate(f.Values, "or"), nearHint(v, f.Values))
		return
	}
	s.c.report(unknownValue, rng, "lead.%s is never %q: its schema has the values %s.%s", f.Name, v, quoteList(f.Values), nearHint(v, f.Values))
}

func nearHint(v string, known []string) string {
	if near := nearest(v, known); near != "" {
		return " Did you mean " + inQuotes(near) + "?"
	}
	return ""
}

func quoteList(list []string) string {
	const most = 12
	quoted := make([]string, 0, most)
	for i, v := range list {
		if i == most {
			return strings.Join(quoted, ", ") + ", ..."
		}
		quoted = append(quoted, inQuotes(v))
	}
	return enumerate(quoted, "and")
}

// reference compiles lead.x, rep.x, pool.x.available, priority.P0 and local.x.
func (s *scope) reference(e *hclsyntax.ScopeTraversalExpr) typed {
	t := typed{rng: e.Range()}
	r, ok := s.c.traversal(e.Traversal)
	if !ok {
		return t
	}
	switch root := r.path[0]; {
	case root == s.root && root == "lead":
		return s.leadField(r)
	case root == s.root:
		return s.repField(r)
	case s.facts[root] != nil:
		return s.facts[root](s, r)
	case root == "pool" && s.root == "lead" && (!s.assigned || len(r.path) != 2):
		return s.poolFigure(r)
	case (root == "priority" || root == "territory") && len(r.path) == 2:
		if !s.c.exists(root, r.path[1], r.rng) {
			return t
		}
		t.kind, t.block, t.text = text, root, plan.Literal(r.path[1], r.String())
		return t
	case root == "local" && len(r.path) == 2:
		if k, ok := s.c.local(r); ok {
			return s.constant(k)
		}
		return t
	case root == "var" && len(r.path) == 2:
		if k, ok := s.c.variable(r); ok {
			return s.constant(k)
		}
		return t
	case root == "row":
		return s.cellValue(r)
	case root == "response" && s.answer:
		return s.answerField(r)
	case root == "assigned" && s.assigned:
		return s.assignedField(r)
	case (root == "pool" || root == "queue" || root == "rep") && s.assigned && len(r.path) == 2:
		if s.c.exists(root, r.path[1], r.rng) {
			t.kind, t.block, t.text = text, root, plan.Literal(r.path[1], r.String())
		}
		return t
	default:
		s.strange(r)
		return t
	}
}

// strange reports a reference that a condition cannot read.
func (s *scope) strange(r ref) {
	root := r.path[0]
	switch {
	case root == "lead" || root == "rep":
		s.c.report(notAllowedHere, r.rng, "This condition is about a %s, not about a %s.", s.root, root)
	case len(r.path) == 1 && slices.Contains([]string{"True", "TRUE", "yes"}, root):
		s.c.report(unknownReference, r.rng, "HCL writes true.")
	case len(r.path) == 1 && slices.Contains([]string{"False", "FALSE", "no"}, root):
		s.c.report(unknownReference, r.rng, "HCL writes false.")
	case len(r.path) == 1 && slices.Contains([]string{"nil", "NULL", "None", "none", "undefined"}, root):
		s.c.report(unknownReference, r.rng, "HCL writes null.")
	case len(r.path) == 1 && s.root == "lead" && s.c.plan.Field(root) != nil:
		s.c.report(unknownReference, r.rng, "A field of the lead is written lead.%s.", root)
	case root == "table":
		s.c.report(notAllowedHere, r.rng, "A table is read by its key: lookup(%s, lead.field, null).", r)
	case root == "response":
		s.c.report(notAllowedHere, r.rng, "%s is the answer of an enrichment; it is read in the enrichment's set alone.", r)
	case root == "assigned":
		s.c.report(notAllowedHere, r.rng, "%s is not decided yet at this point; the expect of an invariant can read it.", r)
	case root == "live":
		s.c.report(notAllowedHere, r.rng, "Live figures are read as pool.name.available.")
	case len(r.path) == 1:
		s.c.report(unknownReference, r.rng, "%q is no value. Write a text in quotes, and a field as lead.%s.", root, root)
	default:
		hint := nearHint(root, []string{"lead", "rep", "pool", "priority", "territory", "local"})
		s.c.report(unknownReference, r.rng, "A condition cannot read %s.%s", r, hint)
	}
}

func (s *scope) leadField(r ref) typed {
	t := typed{rng: r.rng}
	name := strings.Join(r.path[1:], ".")
	switch name {
	case "":
		s.c.report(unknownLeadField, r.rng, "Write a field of the lead: lead.company_size.")
		return t
	case plan.DecidedPriority, plan.DecidedTerritory:
		return s.decidedField(name, r)
	}
	f := s.c.plan.Field(name)
	if f == nil {
		s.unknownField(name, r)
		return t
	}
	if f.Type == "" {
		return t // its declaration is wrong
	}
	if name == "email_domain" {
		s.layout.Slot("email", plan.TypeString) // it is derived from the address where the sender gave none
	}
	if f.PII && s.discreet {
		s.c.report(personalData, r.rng, "lead.%s is personal data, and everybody who is told would read it. Take it out, or say that it may be: allow_pii = true.", name)
		return t
	}
	t = s.slot(s.layout.Slot(name, f.Type), r.rng)
	t.field = f
	return t
}

func (s *scope) unknownField(name string, r ref) {
	var names []string
	for i := range s.c.plan.Fields {
		names = append(names, s.c.plan.Fields[i].Name)
	}
	shown := func(n string) string { return inQuotes("lead." + n) }
	if a, b, ok := strings.Cut(name, "-"); ok && slices.Contains(names, a) {
		s.c.report(unknownLeadField, r.rng, "A lead has no field %q: a name may hold a dash. To subtract, put blanks around it: lead.%s - %s.", name, a, b)
		return
	}
	var inner []string
	for _, n := range names {
		if strings.HasPrefix(n, name+".") {
			inner = append(inner, shown(n))
		}
	}
	switch {
	case len(inner) > 0:
		s.c.report(unknownLeadField, r.rng, "lead.%s is not a field itself; it has %s.", name, enumerate(inner, "and"))
	case strings.HasPrefix(name, "account.") && s.c.plan.Accounts == nil && slices.Contains([]string{"account.owner", "account.name", "account.domain"}, name):
		s.c.report(unknownLeadField, r.rng, "lead.%s is known when the policy looks the account up: add an account_match block.", name)
	default:
		hint := ` Declare it in schema "lead", or use one that is there.`
		if near := nearest(name, names); near != "" {
			hint = " Did you mean " + shown(near) + "?"
		}
		s.c.report(unknownLeadField, r.rng, "A lead has no field %q.%s", name, hint)
	}
}

// decidedField is lead.priority and lead.territory, which the plan decides before the rules.
func (s *scope) decidedField(name string, r ref) typed {
	t := typed{rng: r.rng}
	known := s.priority
	if name == plan.DecidedTerritory {
		known = s.territory
	}
	if !known {
		s.c.report(notAllowedHere, r.rng, "lead.%s is not decided yet at this point: priorities come first, then territories, then rules.", name)
		return t
	}
	t = s.slot(s.layout.Decided(name), r.rng)
	t.block = name
	return t
}

func (s *scope) repField(r ref) typed {
	t := typed{rng: r.rng}
	name := strings.Join(r.path[1:], ".")
	switch typ, ok := plan.RepFields[name]; {
	case name == "":
		s.c.report(unknownReference, r.rng, "Write an attribute of the rep: rep.region.")
	case name == "status":
		s.c.report(notAllowedHere, r.rng, "Membership does not depend on the status: only available reps take leads, whatever the pool says.")
	case ok:
		return s.repSlot(name, typ, r.rng)
	default:
		t.kind, t.attr = open, name
		if use, seen := s.c.repFields[name]; seen {
			return s.repSlot(name, use.typ, r.rng)
		}
	}
	return t
}

// poolFigure is pool.x.available.
func (s *scope) poolFigure(r ref) typed {
	t := typed{rng: r.rng}
	if len(r.path) < 2 || !s.c.exists("pool", r.path[1], r.rng) {
		return t
	}
	if len(r.path) != 3 || r.path[2] != "available" {
		s.c.report(unknownReference, r.rng, "Of a pool a condition can read pool.%s.available, the number of members who are free.", r.path[1])
		return t
	}
	s.c.report(liveRead, r.rng, "What is free changes by the moment: the decision cannot be replayed from the lead alone. A list says it better: to = [pool.%s, queue.name] goes on to the next when nobody is free.", r.path[1])
	pool := leadroute.PoolID(r.path[1])
	if at, found := slices.BinarySearch(s.c.plan.LiveReads, pool); !found {
		s.c.plan.LiveReads = slices.Insert(s.c.plan.LiveReads, at, pool)
	}
	t.kind, t.num = number, plan.Available(pool)
	return t
}
