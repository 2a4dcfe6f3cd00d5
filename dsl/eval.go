package dsl

import (
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Value is what an expression is worth for a lead, in words: Text is "undecided" for a
// condition and "missing" for anything else that a missing field leaves open.
type Value struct {
	Type string `json:"type"` // "a text", "a number", "true or false", "a list"
	Text string `json:"text"`
	// Because are the parts of a condition that made it so.
	Because []plan.Reason `json:"because,omitempty"`
}

// Eval compiles an expression as a rule's when would be, within the policy of those source
// files, and evaluates it for a lead that the policy has decided. The diagnostics say what is
// wrong with the expression; a policy with errors evaluates nothing.
func Eval(source map[string][]byte, expression string, lead *leadroute.Lead, live plan.Live, at time.Time) (Value, Diagnostics, error) {
	c, files := fromSource(source)
	p := c.compile(files)
	if p.Plan == nil {
		return Value{}, c.done(), nil
	}
	c.diags = nil // the policy's warnings are not the expression's
	const name = "expression"
	in := file{name: name, path: name, src: []byte("when = " + expression + "\n")}
	c.sources[name], c.lines[name] = in.src, strings.Split(string(in.src), "\n")
	body := c.parse(in)
	if body == nil || body.Attributes["when"] == nil || c.diags.HasErrors() {
		if !c.diags.HasErrors() {
			c.report(syntaxError, c.anywhere(), "Write one expression, such as lead.score > 50.")
		}
		return Value{}, c.done(), nil
	}
	s := c.leadScope(decided{priority: true, territory: true})
	e := body.Attributes["when"].Expr
	var t typed
	if !s.targetLike(e) {
		t = s.check(e)
	}
	if t.kind == bad || c.diags.HasErrors() {
		return Value{}, c.done(), nil
	}
	r, err := p.Plan.Record(lead, nil)
	if err != nil {
		return Value{}, nil, err
	}
	defer r.Free()
	p.Plan.Decide(r, live, at)
	return t.value(r), nil, nil
}

// targetLike reports references that are no values, such as pool.emea.
func (s *scope) targetLike(e hclsyntax.Expression) bool {
	t, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return false
	}
	r, ok := s.c.traversal(t.Traversal)
	if !ok || len(r.path) != 2 {
		return false
	}
	switch r.path[0] {
	case "pool", "queue", "rep", "rule", "destination", "channel", "hours":
		if s.c.exists(r.path[0], r.path[1], r.rng) {
			s.c.report(notAllowedHere, r.rng, "%s is a block of the policy, not a value.", r)
		}
		return true
	default:
		return false
	}
}

// value evaluates a checked expression.
func (t typed) value(r *plan.Record) Value {
	v := Value{Type: t.kind.String()}
	switch t.kind {
	case text:
		if s := t.text.Of(r); s != "" {
			v.Text = strconv.Quote(s)
		}
	case number:
		v.Text = plan.FormatNumber(t.num.Of(r))
	case list:
		if l := t.list.Of(r); l != nil {
			v.Text = "[" + quoteList(l) + "]"
		}
	case truth:
		v.Text, v.Because = plan.Judge(t.cond, r)
		return v
	case null:
		v.Text = "null"
	case bad, open:
	}
	if v.Text == "" {
		v.Text = "missing"
	}
	return v
}
