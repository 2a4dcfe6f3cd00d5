package dsl

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

func webhookBlock() *blockSpec {
	return &blockSpec{name: "webhook", once: true, attrs: words("url method headers body sign key"), required: words("url")}
}

// webhook reads the block into a webhook and the shape of what it sends; in is the shape
// that the destination has begun, nil where none has.
func (c *compiler) webhook(b body, in *shaping) (*plan.Webhook, *plan.Shape) {
	w := &plan.Webhook{URL: c.link(b, "url"), Sign: c.word(b, "sign", "standard-webhooks")}
	key, hasKey := c.secret(b, "key")
	w.Key = key
	switch {
	case w.Sign != "" && b.attr("key") == nil && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.attr("sign").NameRange, `Signing needs a key: key = secret("NAME").`)
	case hasKey && b.attr("sign") == nil:
		c.report(missingAttribute, b.attr("key").NameRange, `The key is not used: add sign = "standard-webhooks".`)
	case hasKey && key.Name == "":
		if !strings.HasPrefix(key.Literal, "whsec_") {
			c.report(invalidValue, b.attr("key").Expr.Range(), `A key begins with "whsec_".`)
		}
		c.report(secretInPolicy, b.attr("key").Expr.Range(), `Everybody who reads the policy reads the key. Write secret("NAME"), and set NAME in the environment of leadroute run.`)
	}
	if in == nil {
		in = c.newShaping()
	}
	if m := c.word(b, "method", http.MethodPost, http.MethodPut, http.MethodPatch); m != "" {
		in.used, in.shape.Method = true, m
	}
	if a := b.attr("headers"); a != nil {
		in.used, in.shape.Headers = true, in.headers(a.Expr)
	}
	if a := b.attr("body"); a != nil {
		in.used, in.shape.Body = true, in.object(a.Expr, "body")
	}
	return w, in.done()
}

// shaping compiles a plan.Shape; its expressions share one layout.
type shaping struct {
	*scope
	shape *plan.Shape
	used  bool
}

func (c *compiler) newShaping() *shaping {
	s := c.shapeScope()
	return &shaping{scope: s, shape: plan.NewShape(s.layout)}
}

// done is the shape, nil where the policy says nothing of it.
func (s *shaping) done() *plan.Shape {
	if !s.used {
		return nil
	}
	return s.shape
}

// object compiles { Field = lead.field, ... }.
func (s *shaping) object(e hclsyntax.Expression, name string) plan.Value {
	o, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.c.report(wrongType, e.Range(), "%s is an object: %s = { email = lead.email }.", name, name)
		return nil
	}
	return s.value(o)
}

// value compiles any JSON value: objects and lists of such values, and expressions.
func (s *shaping) value(e hclsyntax.Expression) plan.Value {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return s.value(e.Expression)
	case *hclsyntax.ObjectConsExpr:
		fields := map[string]plan.Value{}
		for _, it := range e.Items {
			key, ok := s.c.key(it.KeyExpr)
			if !ok {
				continue
			}
			if fields[key] != nil {
				s.c.report(duplicateName, it.KeyExpr.Range(), "%q stands here twice.", key)
			}
			fields[key] = s.value(it.ValueExpr)
		}
		return plan.ObjectValue(fields)
	case *hclsyntax.TupleConsExpr:
		items := make([]plan.Value, len(e.Exprs))
		for i, x := range e.Exprs {
			items[i] = s.value(x)
		}
		return plan.TupleValue(items)
	default:
	}
	switch t := s.check(e); t.kind {
	case text:
		return plan.TextValue(t.text)
	case number:
		return plan.NumberValue(t.num)
	case truth:
		return plan.TruthValue(t.cond)
	case list:
		return plan.ListValue(t.list)
	default:
		return plan.FixedValue(nil)
	}
}

// headers compiles { Name = "text", Authorization = "Bearer ${secret("TOKEN")}" }.
func (s *shaping) headers(e hclsyntax.Expression) []plan.Header {
	o, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.c.report(wrongType, e.Range(), `headers is an object: headers = { Authorization = "Bearer ${secret("TOKEN")}" }.`)
		return nil
	}
	var headers []plan.Header
	for _, it := range o.Items {
		name, ok := s.c.key(it.KeyExpr)
		if !ok {
			continue
		}
		h := plan.Header{Name: http.CanonicalHeaderKey(name), Parts: s.parts(it.ValueExpr)}
		switch {
		case name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
			s.c.report(invalidValue, it.KeyExpr.Range(), "%q is no name of a header.", name)
		case slices.Contains(ownHeaders, h.Name):
			s.c.report(invalidValue, it.KeyExpr.Range(), "%s is written by leadroute itself.", h.Name)
		case slices.ContainsFunc(headers, func(o plan.Header) bool { return o.Name == h.Name }):
			s.c.report(duplicateName, it.KeyExpr.Range(), "The header %s stands here twice.", h.Name)
		}
		headers = append(headers, h)
	}
	return headers
}

// ownHeaders are those that a policy cannot set.
var ownHeaders = []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Content-Length", "Content-Type", "Host", "Connection", "Transfer-Encoding"}

// parts compiles a text in which secrets may stand.
func (s *shaping) parts(e hclsyntax.Expression) []plan.Part {
	if w, ok := e.(*hclsyntax.TemplateWrapExpr); ok {
		return s.parts(w.Wrapped)
	}
	if call, ok := e.(*hclsyntax.FunctionCallExpr); ok && call.Name == "secret" {
		k, _ := s.c.secretCall(call)
		if v, ok := k.v.(plan.Secret); ok {
			return []plan.Part{{Secret: &v}}
		}
		return nil
	}
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || t.IsStringLiteral() || len(t.Parts) == 0 {
		switch v := s.check(e); v.kind {
		case text:
			return []plan.Part{{Text: v.text}}
		case number:
			return []plan.Part{{Text: plan.Format(v.num)}}
		case bad:
		default:
			s.c.report(wrongType, v.rng, "A header is a text; this is %s.", v.kind)
		}
		return nil
	}
	var parts []plan.Part
	for _, p := range t.Parts {
		parts = append(parts, s.parts(p)...)
	}
	return parts
}
