package dsl

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute/dsl/plan"
)

// variable "size" { ... } is a value that can be set from outside: by --var size=500 or
// the environment's LEADROUTE_VAR_size.
func variableBlock() *blockSpec {
	validation := &blockSpec{name: "validation", attrs: words("condition error_message"), required: words("condition error_message")}
	return &blockSpec{
		name: "variable", labels: 1, attrs: words("type default"), nested: []*blockSpec{validation},
		build: func(c *compiler, b *block) {
			v, ok := c.variable(ref{path: []string{"var", b.name}, rng: b.nameRange})
			if !ok {
				return
			}
			for _, rule := range b.blocks("validation") {
				c.validate(b, rule, v)
			}
		},
		after: (*compiler).strayVariables,
	}
}

// EnvVar is the environment variable that sets a policy's variable.
func EnvVar(name string) string { return "LEADROUTE_VAR_" + name }

// variable is the value of var.x: what was set from outside, else the default.
func (c *compiler) variable(r ref) (constant, bool) {
	k := constant{rng: r.rng}
	name := r.path[1]
	if known, ok := c.varValues[name]; ok {
		known.rng = r.rng
		return known.constant, known.ok
	}
	b := c.declared["variable"][name]
	if b == nil {
		c.report(unknownVariable, r.rng, "No variable %q is declared.%s", name, didYouMean(name, c.names("variable"), func(s string) string { return inQuotes("var." + s) }))
		return k, false
	}
	c.varValues[name] = evaluated{} // told once, whoever asks
	typ, typed := c.fieldType(b.body, "A variable's", variableTypes)
	if !typed && b.attr("type") != nil {
		return k, false
	}
	v, ok := c.setValue(b, name, typ)
	if !ok {
		if v, ok = c.value(b.body, "default"); !ok {
			if b.attr("default") == nil && !c.brokenWithin(b.full) {
				c.report(variableUnset, b.nameRange, "var.%s has no default and was not set. Add default = ..., or set it: --var %s=..., or %s in the environment.", name, name, EnvVar(name))
			}
			return k, false
		}
		if want := typ; want != "" && !fits(v, want) {
			c.report(wrongType, v.rng, "The default of var.%s must be a %s; it is %s.", name, want, kindOf(v.v))
			return k, false
		}
	}
	c.varValues[name] = evaluated{v, true}
	v.rng = r.rng
	return v, true
}

// evaluated is a value that was worked out once; ok is false where that failed, and was told.
type evaluated struct {
	constant
	ok bool
}

var variableTypes = map[string]string{
	"string": plan.TypeString, "number": plan.TypeNumber, "bool": plan.TypeBool, "list(string)": plan.TypeList, "any": "",
}

func fits(k constant, typ string) bool {
	switch k.v.(type) {
	case string:
		return typ == plan.TypeString
	case float64:
		return typ == plan.TypeNumber
	case bool:
		return typ == plan.TypeBool
	case []constant:
		return typ == plan.TypeList
	default:
		return false
	}
}

// setValue reads what was set from outside, as the variable's type says; a list is
// written with commas.
func (c *compiler) setValue(b *block, name, typ string) (constant, bool) {
	k := constant{rng: b.nameRange}
	s, set := c.opts.Vars[name]
	if !set && c.opts.Env != nil {
		s, set = c.opts.Env(EnvVar(name))
	}
	if !set {
		return k, false
	}
	if c.set == nil {
		c.set = map[string]string{}
	}
	c.set[name] = s
	if typ == "" {
		if d, ok := c.value(b.body, "default"); ok {
			typ = map[bool]string{true: plan.TypeNumber}[fits(d, plan.TypeNumber)]
			if fits(d, plan.TypeBool) {
				typ = plan.TypeBool
			}
			if fits(d, plan.TypeList) {
				typ = plan.TypeList
			}
		}
	}
	switch typ {
	case plan.TypeNumber:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f-f != 0 {
			c.report(wrongType, b.nameRange, "var.%s was set to %q, which is no number.", name, s)
			return k, true
		}
		k.v = f
	case plan.TypeBool:
		if s != "true" && s != "false" {
			c.report(wrongType, b.nameRange, "var.%s was set to %q; write true or false.", name, s)
			return k, true
		}
		k.v = s == "true"
	case plan.TypeList:
		list := []constant{}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, constant{v: plan.Normal(part), rng: b.nameRange})
			}
		}
		k.v = list
	default:
		k.v = plan.Normal(s)
	}
	return k, true
}

// validate evaluates a validation of the variable.
func (c *compiler) validate(b, rule *block, v constant) {
	a := rule.attr("condition")
	message, hasMessage := c.text(rule.body, "error_message")
	if a == nil || !hasMessage {
		return
	}
	if !slices.ContainsFunc(a.Expr.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "var" }) {
		c.report(invalidValue, a.Expr.Range(), "A validation looks at the variable: condition = var.%s >= 1.", b.name)
		return
	}
	k, ok := c.evaluate(a.Expr)
	if !ok {
		return
	}
	good, isBool := k.v.(bool)
	switch {
	case !isBool:
		c.report(wrongType, a.Expr.Range(), "A validation's condition is true or false; this is %s.", kindOf(k.v))
	case !good:
		rng := b.nameRange
		if d := b.attr("default"); d != nil {
			rng = d.Expr.Range()
		}
		c.report(variableRefused, rng, "var.%s is %s: %s", b.name, plainText(v), message)
	}
}

// plainText is a constant in the words of a message.
func plainText(k constant) string {
	switch v := k.v.(type) {
	case string:
		return inQuotes(v)
	case float64:
		return plan.FormatNumber(v)
	case bool:
		return strconv.FormatBool(v)
	default:
		return kindOf(v)
	}
}

// strayVariables reports --var of a name that no variable has.
func (c *compiler) strayVariables() {
	var names []string
	for name := range c.opts.Vars {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if c.declared["variable"][name] == nil {
			c.report(unknownVariable, c.anywhere(), "The variable %q was set, but the policy declares none of that name.%s", name, didYouMean(name, c.names("variable"), inQuotes))
		}
	}
}
