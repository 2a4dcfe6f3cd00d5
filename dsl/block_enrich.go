package dsl

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// enrich "firmographics" { ... } asks another service for what a lead does not say.
func enrichBlock() *blockSpec {
	call := &blockSpec{name: "http", once: true, attrs: words("url method query headers body"), required: words("url")}
	return &blockSpec{
		name: "enrich", labels: 1,
		attrs:    words("when timeout cache_for on_error batch budget cost_per_call skip set"),
		required: words("set"), nested: []*blockSpec{call},
		build: (*compiler).enrich,
	}
}

func (c *compiler) enrich(b *block) {
	e := plan.Enrich{
		Name: b.name, Timeout: c.duration(b.body, "timeout"), CacheFor: c.duration(b.body, "cache_for"), OnError: plan.OnErrorContinue,
		Batch: c.whole(b.body, "batch", 1), Budget: c.cost(b.body, "budget"), CostPerCall: c.cost(b.body, "cost_per_call"),
		Layout: plan.NewLayout(),
	}
	if w := c.word(b.body, "on_error", string(plan.OnErrorContinue), string(plan.OnErrorFail), string(plan.OnErrorQueue)); w != "" {
		e.OnError = plan.OnError(w)
	}
	for _, p := range c.refs(b.body, "skip", "priority") {
		e.Skip = append(e.Skip, leadroute.Class(p))
	}
	s := &scope{c: c, layout: e.Layout, root: "lead"}
	if a := b.attr("when"); a != nil {
		e.When = s.condition(a.Expr)
	}
	switch call := b.only("http"); {
	case call != nil:
		e.HTTP = s.request(call.body)
	case !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, `An enrichment says whom it asks: http { url = "https://..." }, on lines of its own.`)
	}
	if a := b.attr("set"); a != nil {
		e.Set = c.answers(s, a)
	}
	c.plan.Enrichments = append(c.plan.Enrichments, e)
}

// answers reads set = { field = response.member }.
func (c *compiler) answers(s *scope, a *hclsyntax.Attribute) []plan.Derive {
	o, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok || len(o.Items) == 0 {
		c.report(wrongType, a.Expr.Range(), "set gives the fields that the answer fills: set = { company_size = response.employees }.")
		return nil
	}
	in := *s
	in.answer = true
	var set []plan.Derive
	for _, it := range o.Items {
		name, ok := c.key(it.KeyExpr)
		if !ok {
			continue
		}
		f := c.plan.Field(name)
		if f == nil || f.Type == "" {
			continue // declared by declareAnswers, else told
		}
		if d, ok := in.filled(f, in.layout, it.ValueExpr); ok {
			set = append(set, d)
		}
	}
	return set
}

// declareAnswers declares the fields that an enrichment fills and no schema declares: of
// texts, or of numbers where it computes.
func (c *compiler) declareAnswers() {
	for _, b := range c.blocks["enrich"] {
		a := b.attr("set")
		if a == nil {
			continue
		}
		o, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			continue
		}
		for _, it := range o.Items {
			name, ok := c.key(it.KeyExpr)
			if !ok || c.plan.Field(name) != nil {
				continue
			}
			if name == plan.DecidedPriority || name == plan.DecidedTerritory {
				c.report(duplicateName, it.KeyExpr.Range(), "lead.%s is what the policy decides; no answer can set it.", name)
				continue
			}
			f := plan.Field{Name: name, Type: plan.TypeString}
			if _, sum := it.ValueExpr.(*hclsyntax.BinaryOpExpr); sum {
				f.Type = plan.TypeNumber
			}
			c.plan.Fields = append(c.plan.Fields, f)
		}
	}
}

// answerField is response.member, whose type its use says.
func (s *scope) answerField(r ref) typed {
	if len(r.path) < 2 {
		s.c.report(unknownReference, r.rng, "Write a member of the answer: response.name.")
		return typed{rng: r.rng}
	}
	name := strings.Join(r.path, ".")
	return typed{kind: open, rng: r.rng, use: func(want kind) typed {
		types := map[kind]string{text: plan.TypeString, number: plan.TypeNumber, truth: plan.TypeBool, list: plan.TypeList}
		slot := s.layout.Slot(name, types[want])
		if slot.Type != types[want] {
			s.c.report(wrongType, r.rng, "%s is used as a %s here, and as a %s elsewhere.", r, types[want], slot.Type)
			return typed{rng: r.rng}
		}
		t := s.slot(slot, r.rng)
		switch t.kind { // not lead.response.x
		case text:
			t.text.Source, t.text.Field = r.String(), ""
		case number:
			t.num.Source, t.num.Field = r.String(), ""
		case list:
			t.list.Source, t.list.Field = r.String(), ""
		default:
		}
		return t
	}}
}

// request reads url, method, query, headers and body.
func (s *scope) request(b body) *plan.Request {
	c := s.c
	r := &plan.Request{Method: http.MethodGet}
	if b.attr("body") != nil {
		r.Method = http.MethodPost
	}
	if m := c.word(b, "method", http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch); m != "" {
		r.Method = m
	}
	if a := b.attr("url"); a != nil {
		r.URL, _ = s.content(a.Expr)
		if len(r.URL) > 0 && r.URL[0].Text.Const { // what stands before the first field
			head := r.URL[0].Text.Value()
			u, err := url.Parse(head)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				c.report(invalidValue, a.Expr.Range(), `url is an address with http:// or https://, or secret("NAME").`)
			}
		}
	}
	r.Query, r.Headers, r.Body = s.members(b, "query"), s.headers(b), s.members(b, "body")
	if r.Method == http.MethodGet && b.attr("body") != nil {
		c.report(invalidValue, b.attr("body").NameRange, `A GET has no body. Write method = "POST", or query = { ... }.`)
	}
	return r
}

func (s *scope) headers(b body) []plan.Named {
	headers := s.members(b, "headers")
	for _, h := range headers {
		if strings.ContainsAny(h.Name, " :\t\n") {
			s.c.report(invalidValue, b.attr("headers").Expr.Range(), "%q is no name of a header.", h.Name)
		}
	}
	return headers
}

// members reads { name = text, ... }, whose texts may hold fields of the lead and secrets.
func (s *scope) members(b body, name string) []plan.Named {
	a := b.attr(name)
	if a == nil {
		return nil
	}
	o, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.c.report(wrongType, a.Expr.Range(), "%s is an object: %s = { name = lead.field }.", name, name)
		return nil
	}
	var out []plan.Named
	for _, it := range o.Items {
		key, ok := s.c.key(it.KeyExpr)
		if !ok {
			continue
		}
		if slices.ContainsFunc(out, func(n plan.Named) bool { return n.Name == key }) {
			s.c.report(duplicateName, it.KeyExpr.Range(), "%q stands here twice.", key)
			continue
		}
		if v, ok := s.content(it.ValueExpr); ok {
			out = append(out, plan.Named{Name: key, Value: v})
		}
	}
	return out
}

// content reads a text with fields of the lead and secrets in it.
func (s *scope) content(e hclsyntax.Expression) (plan.Content, bool) {
	switch e := e.(type) {
	case *hclsyntax.TemplateWrapExpr:
		return s.content(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return s.content(e.Expression)
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "secret" {
			k, ok := s.c.secretCall(e)
			if !ok {
				return nil, false
			}
			return plan.Content{{Secret: new(k.v.(plan.Secret))}}, true
		}
	case *hclsyntax.TemplateExpr:
		if len(e.Parts) > 1 {
			var whole plan.Content
			for _, p := range e.Parts {
				if lit, ok := p.(*hclsyntax.LiteralValueExpr); ok {
					if k, _ := s.c.literal(lit); k.v != nil {
						if v, isText := k.v.(string); isText {
							whole = append(whole, plan.Part{Text: plan.Literal(v, inQuotes(v))})
							continue
						}
					}
				}
				part, ok := s.content(p)
				if !ok {
					return nil, false
				}
				whole = append(whole, part...)
			}
			return whole, true
		}
	}
	t := s.check(e)
	switch t.kind {
	case number:
		return plan.Content{{Text: plan.Format(t.num)}}, true
	case truth:
		return plan.Content{{Text: plan.Choose(s.c.source(t.rng), t.cond, plan.Literal("true", "true"), plan.Literal("false", "false"), "")}}, true
	default:
		t = s.as(text, t)
		return plan.Content{{Text: t.text}}, t.kind == text
	}
}
