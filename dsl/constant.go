package dsl

import (
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/leadroute/leadroute/dsl/plan"
)

// constant is a value that is known when the policy is loaded: string, float64, bool,
// nil, []constant, *object, ref or plan.Secret.
type constant struct {
	v   any
	rng hcl.Range
}

// object is { name = value, ... } in the order of the source.
type object struct{ items []item }

type item struct {
	key    string
	keyRng hcl.Range
	constant
}

// get returns the item of that name, or nil.
func (o *object) get(key string) *item {
	for i := range o.items {
		if o.items[i].key == key {
			return &o.items[i]
		}
	}
	return nil
}

// ref is a static reference: pool.emea, territory.of_lead.pool, local.x.
type ref struct {
	path []string
	rng  hcl.Range
}

func (r ref) String() string { return strings.Join(r.path, ".") }

// constant evaluates an expression that must be known at load; ok is false when it is
// not, which is reported.
func (c *compiler) constant(e hclsyntax.Expression) (constant, bool) {
	k := constant{rng: e.Range()}
	if n, negative := e.(*hclsyntax.UnaryOpExpr); computed(e) && (!negative || n.Op != hclsyntax.OpNegate) {
		return c.evaluate(e)
	}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return c.literal(e)
	case *hclsyntax.TemplateExpr:
		s, ok := c.plainTemplate(e)
		k.v = s
		return k, ok
	case *hclsyntax.TemplateWrapExpr:
		return c.constant(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return c.constant(e.Expression)
	case *hclsyntax.UnaryOpExpr:
		v, ok := c.constant(e.Val)
		n, isNumber := v.v.(float64)
		if ok && e.Op == hclsyntax.OpNegate && isNumber {
			k.v = -n
			return k, true
		}
		if !ok {
			return k, false
		}
	case *hclsyntax.TupleConsExpr:
		list := make([]constant, 0, len(e.Exprs))
		good := true
		for _, x := range e.Exprs {
			v, ok := c.constant(x)
			good = good && ok
			list = append(list, v)
		}
		k.v = list
		return k, good
	case *hclsyntax.ObjectConsExpr:
		return c.object(e)
	case *hclsyntax.ScopeTraversalExpr:
		r, ok := c.traversal(e.Traversal)
		if ok && len(r.path) == 2 && r.path[0] == "local" {
			return c.local(r)
		}
		if ok && len(r.path) == 2 && r.path[0] == "var" {
			return c.variable(r)
		}
		if ok && r.path[0] == "row" && c.row != nil {
			return c.cell(r)
		}
		k.v = r
		return k, ok
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "secret" {
			return c.secretCall(e)
		}
		if e.Name == "split" {
			return c.splitText(e)
		}
	case *hclsyntax.ExprSyntaxError:
		return k, false // told already
	}
	c.report(wrongType, e.Range(), "This must be known when the policy is loaded: write a plain value.")
	return k, false
}

func (c *compiler) literal(e *hclsyntax.LiteralValueExpr) (constant, bool) {
	k := constant{rng: e.Range()}
	switch {
	case e.Val.IsNull():
	case e.Val.Type() == cty.String:
		k.v = plan.Normal(e.Val.AsString())
	case e.Val.Type() == cty.Bool:
		k.v = e.Val.True()
	case e.Val.Type() == cty.Number:
		f, acc := e.Val.AsBigFloat().Float64()
		if acc != big.Exact && (f > 1e308 || f < -1e308) {
			c.report(invalidValue, e.Range(), "The number is too large.")
			return k, false
		}
		k.v = f
	default:
		return k, false
	}
	return k, true
}

// maxText bounds a text that is put together from others, which may be so themselves.
const maxText = 64 << 10

// plainTemplate is the text of a quoted string without ${...}.
func (c *compiler) plainTemplate(e *hclsyntax.TemplateExpr) (string, bool) {
	var b strings.Builder
	for _, p := range e.Parts {
		k, ok := c.constant(p)
		if !ok {
			return "", false
		}
		switch v := k.v.(type) {
		case string:
			b.WriteString(v)
		case float64:
			b.WriteString(plan.FormatNumber(v))
		default:
			c.report(wrongType, p.Range(), "Only texts and numbers can be put into a text here.")
			return "", false
		}
		if b.Len() > maxText {
			c.report(invalidValue, e.Range(), "The text is longer than %d kB.", maxText>>10)
			return "", false
		}
	}
	return plan.Normal(b.String()), true
}

func (c *compiler) object(e *hclsyntax.ObjectConsExpr) (constant, bool) {
	o, good := &object{}, true
	for _, it := range e.Items {
		key, ok := c.key(it.KeyExpr)
		if !ok {
			good = false
			continue
		}
		v, ok := c.constant(it.ValueExpr)
		good = good && ok
		if o.get(key) != nil {
			c.report(duplicateName, it.KeyExpr.Range(), "%q stands here twice.", key)
			good = false
		}
		o.items = append(o.items, item{key: key, keyRng: it.KeyExpr.Range(), constant: v})
	}
	return constant{v: o, rng: e.Range()}, good
}

// key is an object's key: a bare word, or a quoted text.
func (c *compiler) key(e hclsyntax.Expression) (string, bool) {
	if w := hcl.ExprAsKeyword(e); w != "" {
		return w, true
	}
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		e = k.Wrapped
	}
	if t, ok := e.(*hclsyntax.ScopeTraversalExpr); ok {
		c.report(invalidValue, t.Range(), "A key is a word or a quoted text.")
		return "", false
	}
	k, ok := c.constant(e)
	s, isText := k.v.(string)
	if ok && !isText {
		c.report(invalidValue, e.Range(), "A key is a word or a quoted text.")
	}
	return s, ok && isText
}

// traversal turns a.b.c into a reference.
func (c *compiler) traversal(t hcl.Traversal) (ref, bool) {
	r := ref{rng: t.SourceRange()}
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			r.path = append(r.path, step.Name)
		case hcl.TraverseAttr:
			r.path = append(r.path, step.Name)
		default:
			c.report(notAllowedHere, r.rng, "A reference has names and dots alone; [...] is not allowed.")
			return r, false
		}
	}
	return r, true
}

func (c *compiler) secretCall(e *hclsyntax.FunctionCallExpr) (constant, bool) {
	k := constant{rng: e.Range()}
	if len(e.Args) != 1 {
		c.report(wrongArguments, e.Range(), `secret takes the name of one environment variable: secret("CRM_KEY").`)
		return k, false
	}
	name, ok := c.constant(e.Args[0])
	if !ok {
		return k, false
	}
	s, isText := name.v.(string)
	if !isText || s == "" || strings.ContainsAny(s, "= \t\n\x00") {
		c.report(wrongArguments, e.Args[0].Range(), `secret takes the name of one environment variable: secret("CRM_KEY").`)
		return k, false
	}
	k.v = plan.Secret{Name: s}
	return k, true
}

// local evaluates local.x, once.
func (c *compiler) local(r ref) (constant, bool) {
	k := constant{rng: r.rng}
	name := r.path[1]
	if known, ok := c.localValues[name]; ok {
		known.rng = r.rng
		return known, true
	}
	var names []string
	for _, b := range c.blocks["locals"] {
		for _, a := range attributes(b.hcl) {
			if a.Name != name {
				names = append(names, a.Name)
				continue
			}
			if c.locals[name] {
				c.report(definitionCycle, r.rng, "local.%s is defined by itself. Write one of the locals in the circle as a plain value.", name)
				return k, false
			}
			c.locals[name] = true
			defer delete(c.locals, name)
			v, ok := c.constant(a.Expr)
			if ok {
				c.localValues[name] = v
			}
			v.rng = r.rng
			return v, ok
		}
	}
	c.report(unknownReference, r.rng, "No local %q is declared.%s", name, didYouMean(name, names, func(s string) string { return "local." + s }))
	return k, false
}
