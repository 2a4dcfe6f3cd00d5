package dsl

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// The readers take an attribute's value out of a block. Each returns ok=false when the
// attribute is not there or is wrong, which is reported.

func (b body) attr(name string) *hclsyntax.Attribute { return b.hcl.Attributes[name] }

func (c *compiler) value(b body, name string) (constant, bool) {
	a := b.attr(name)
	if a == nil {
		return constant{}, false
	}
	return c.constant(a.Expr)
}

func (c *compiler) mistyped(k constant, b body, name, want string) {
	c.report(wrongType, k.rng, "%s of the block %q is %s, not %s.", name, b.spec.name, want, kindOf(k.v))
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case []constant:
		return "a list"
	case *object:
		return "an object"
	case plan.Secret:
		return "a secret"
	case ref:
		return v.String()
	default:
		return "something else"
	}
}

func (c *compiler) text(b body, name string) (string, bool) {
	k, ok := c.value(b, name)
	if !ok {
		return "", false
	}
	s, ok := k.v.(string)
	if !ok {
		c.mistyped(k, b, name, "a text")
	}
	return s, ok
}

func (c *compiler) number(b body, name string) (float64, bool) {
	k, ok := c.value(b, name)
	if !ok {
		return 0, false
	}
	f, ok := k.v.(float64)
	if !ok {
		c.mistyped(k, b, name, "a number")
	}
	return f, ok
}

// whole reads a whole number from least up.
func (c *compiler) whole(b body, name string, least int) int {
	f, ok := c.number(b, name)
	if !ok {
		return 0
	}
	if f != float64(int(f)) || int(f) < least || f > 1e9 {
		c.report(invalidValue, b.attr(name).Expr.Range(), "%s is a whole number of at least %d.", name, least)
		return 0
	}
	return int(f)
}

func (c *compiler) flag(b body, name string) bool {
	k, ok := c.value(b, name)
	if !ok {
		return false
	}
	v, ok := k.v.(bool)
	if !ok {
		c.mistyped(k, b, name, "true or false")
	}
	return v
}

// word reads a text that is one of a few, "" when it is not there.
func (c *compiler) word(b body, name string, allowed ...string) string {
	s, ok := c.text(b, name)
	if !ok {
		return ""
	}
	if !slices.Contains(allowed, s) {
		quoted := make([]string, len(allowed))
		for i, a := range allowed {
			quoted[i] = inQuotes(a)
		}
		hint := ""
		if near := nearest(s, allowed); near != "" {
			hint = " Did you mean " + inQuotes(near) + "?"
		}
		c.report(invalidValue, b.attr(name).Expr.Range(), "%s is %s, not %q.%s", name, enumerate(quoted, "or"), s, hint)
		return ""
	}
	return s
}

func (c *compiler) texts(b body, name string) ([]string, bool) {
	k, ok := c.value(b, name)
	if !ok {
		return nil, false
	}
	return c.textList(k, name)
}

func (c *compiler) textList(k constant, name string) ([]string, bool) {
	list, ok := k.v.([]constant)
	if !ok {
		c.report(wrongType, k.rng, "%s is a list of texts: [\"a\", \"b\"].", name)
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, ok := e.v.(string)
		if !ok {
			c.report(wrongType, e.rng, "%s is a list of texts; this is %s.", name, kindOf(e.v))
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// duration reads "1m", 0 when it is not there.
func (c *compiler) duration(b body, name string) time.Duration {
	k, ok := c.value(b, name)
	if !ok {
		return 0
	}
	s, ok := k.v.(string)
	if !ok {
		c.report(invalidDuration, k.rng, `%s is a duration in quotes, such as "90s", "5m", "1h30m" or "7d".`, name)
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil || d <= 0 {
		c.report(invalidDuration, k.rng, `%q is no duration above zero. Write a number and a unit (ms, s, m, h, d, w), such as "90s", "1h30m" or "7d".`, s)
		return 0
	}
	return d
}

// durations reads "250ms..2m".
func (c *compiler) durations(b body, name string) (from, to time.Duration) {
	s, ok := c.text(b, name)
	if !ok {
		return 0, 0
	}
	lo, hi, two := strings.Cut(s, "..")
	from, err1 := ParseDuration(strings.TrimSpace(lo))
	to, err2 := ParseDuration(strings.TrimSpace(hi))
	if !two || err1 != nil || err2 != nil || from <= 0 || to < from {
		c.report(invalidDuration, b.attr(name).Expr.Range(), `%s is a range of two durations, the shorter one first: "500ms..1m".`, name)
		return 0, 0
	}
	return from, to
}

// rate reads "50/s" as calls per second.
func (c *compiler) rate(b body, name string) float64 {
	s, ok := c.text(b, name)
	if !ok {
		return 0
	}
	r, err := ParseRate(s)
	if err != nil {
		c.report(invalidValue, b.attr(name).Expr.Range(), `%s is a rate above zero: "50/s", "600/m" or "10000/h".`, name)
	}
	return r
}

// secret reads a text that may come from the environment.
func (c *compiler) secret(b body, name string) (plan.Secret, bool) {
	k, ok := c.value(b, name)
	if !ok {
		return plan.Secret{}, false
	}
	switch v := k.v.(type) {
	case plan.Secret:
		return v, true
	case string:
		if v != "" {
			return plan.Secret{Literal: v}, true
		}
	}
	c.report(wrongType, k.rng, `%s is a text, or secret("NAME") for one that comes from the environment.`, name)
	return plan.Secret{}, false
}

// link reads an http(s) address.
func (c *compiler) link(b body, name string) plan.Secret {
	s, ok := c.secret(b, name)
	if !ok || s.Name != "" {
		return s
	}
	u, err := url.Parse(s.Literal)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.report(invalidValue, b.attr(name).Expr.Range(), `%s is an address with http:// or https://, or secret("NAME").`, name)
	}
	return s
}

// ref reads one reference to a block of the type; "" when it is not there or wrong.
func (c *compiler) ref(b body, name, typ string) string {
	k, ok := c.value(b, name)
	if !ok {
		return ""
	}
	s, _ := c.blockNamed(k, typ)
	return s
}

// refs reads one reference or a list of them.
func (c *compiler) refs(b body, name, typ string) []string {
	k, ok := c.value(b, name)
	if !ok {
		return nil
	}
	return c.refsIn(k, typ)
}

// refsIn reads what refs reads out of a constant.
func (c *compiler) refsIn(k constant, typ string) []string {
	list, isList := k.v.([]constant)
	if !isList {
		list = []constant{k}
	}
	var names []string
	for _, e := range list {
		if s, ok := c.blockNamed(e, typ); ok {
			if slices.Contains(names, s) {
				c.report(duplicateName, e.rng, "%s.%s stands in the list twice.", typ, s)
				continue
			}
			names = append(names, s)
		}
	}
	return names
}

// blockNamed takes a reference to a declared block of the type out of a constant.
func (c *compiler) blockNamed(k constant, typ string) (string, bool) {
	r, ok := k.v.(ref)
	if !ok {
		hint := ""
		if s, isText := k.v.(string); isText && c.declared[typ][s] != nil {
			hint = " Write " + typ + "." + s + ", without quotes."
		}
		c.report(wrongType, k.rng, "This must be a reference to a %s, such as %s.name.%s", typ, typ, hint)
		return "", false
	}
	if len(r.path) != 2 || r.path[0] != typ {
		hint := ""
		if len(r.path) == 1 && c.declared[typ][r.path[0]] != nil {
			hint = " Did you mean " + typ + "." + r.path[0] + "?"
		}
		c.report(unknownReference, r.rng, "This must be a reference to a %s, such as %s.name; it says %s.%s", typ, typ, r, hint)
		return "", false
	}
	return r.path[1], c.exists(typ, r.path[1], r.rng)
}

// exists reports a reference to a block that is not declared.
func (c *compiler) exists(typ, name string, rng hcl.Range) bool {
	if c.declared[typ][name] != nil || typ == "queue" && name == string(plan.UnassignedQueue) {
		return true
	}
	f := unknownReference
	switch typ {
	case "pool":
		f = unknownPool
	case "queue":
		f = unknownQueue
	case "rep":
		f = unknownRep
	}
	names := c.names(typ)
	hint := didYouMean(name, names, func(s string) string { return inQuotes(typ + "." + s) })
	if len(names) == 0 {
		hint = " This policy declares no " + typ + " at all."
	}
	c.report(f, rng, "No %s %q is declared.%s", typ, name, hint)
	return false
}

// names are the declared blocks of a type, sorted.
func (c *compiler) names(typ string) []string {
	var names []string
	for n := range c.declared[typ] {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// source is the text of a range, on one line, with a table row's cells in their place.
func (c *compiler) source(rng hcl.Range) string {
	text, known := c.shown[rng]
	if !known {
		src := c.sources[rng.Filename]
		if rng.Start.Byte >= 0 && rng.End.Byte <= len(src) && rng.Start.Byte < rng.End.Byte {
			text = strings.Join(strings.Fields(string(src[rng.Start.Byte:rng.End.Byte])), " ")
		}
		c.shown[rng] = text
	}
	if c.row == nil {
		return text
	}
	return c.row.fill(text)
}
