package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute/dsl/plan"
)

// schema "lead" { field "f" { ... } } declares the fields of the lead beyond the envelope.
func schemaBlock() *blockSpec {
	field := &blockSpec{
		name: "field", labels: 1,
		attrs: words("type values min max required default blank derive pii"),
	}
	return &blockSpec{
		name: "schema", labels: 1, nested: []*blockSpec{field},
		build: (*compiler).schema,
		after: (*compiler).completeFields,
	}
}

func (c *compiler) schema(b *block) {
	if b.name != "lead" {
		c.report(invalidValue, b.nameRange, `There is a schema of the lead alone: schema "lead" { ... }.`)
		return
	}
	for _, f := range b.blocks("field") {
		c.field(f)
	}
}

func (c *compiler) field(b *block) {
	if b.name == plan.DecidedPriority || b.name == plan.DecidedTerritory {
		c.report(duplicateName, b.nameRange, "lead.%s is what the policy decides; give the sender's field another name.", b.name)
		return
	}
	f := plan.Field{Name: b.name, Type: plan.TypeString, PII: c.flag(b.body, "pii"), Required: c.flag(b.body, "required")}
	i := slices.IndexFunc(plan.Envelope(), func(e plan.Field) bool { return e.Name == b.name })
	if i >= 0 {
		e := plan.Envelope()[i]
		f.Type, f.Envelope, f.PII = e.Type, true, f.PII || e.PII
	}
	typ, ok := c.fieldType(b.body, "A field's", fieldTypes)
	if !ok && b.attr("type") != nil {
		f.Type = "" // nothing is known about it, and nothing more is told
	}
	if ok {
		if f.Envelope && typ != f.Type {
			c.report(wrongType, b.attr("type").Expr.Range(), "lead.%s is an envelope field and always a %s.", b.name, f.Type)
			return
		}
		f.Type = typ
	}
	f.Description, _ = c.text(b.body, "description")
	c.fieldValues(b.body, &f)
	f.Min, f.Max = c.bound(b.body, "min", &f), c.bound(b.body, "max", &f)
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		c.report(invalidValue, b.attr("min").Expr.Range(), "min is greater than max: no number is allowed.")
	}
	c.fieldDefault(b.body, &f)
	c.blanks(b.body, &f)
	c.plan.Fields = append(c.plan.Fields, f)
}

var fieldTypes = map[string]string{
	"string": plan.TypeString, "number": plan.TypeNumber, "bool": plan.TypeBool, "list(string)": plan.TypeList,
}

// fieldType reads type = string; a quoted type is told what it is.
func (c *compiler) fieldType(b body, whose string, types map[string]string) (string, bool) {
	a := b.attr("type")
	if a == nil {
		return "", false
	}
	src := strings.ReplaceAll(c.source(a.Expr.Range()), " ", "")
	if typ, ok := types[src]; ok {
		return typ, true
	}
	hint := ""
	switch plain := strings.Trim(src, `"`); {
	case types[plain] != "":
		hint = " Write it without quotes."
	case slices.Contains([]string{"boolean", "int", "integer", "float", "text", "list", "array"}, plain):
		hint = map[string]string{
			"boolean": " Did you mean bool?", "text": " Did you mean string?",
			"list": " Did you mean list(string)?", "array": " Did you mean list(string)?",
		}[plain]
		if hint == "" {
			hint = " Did you mean number?"
		}
	}
	c.report(invalidValue, a.Expr.Range(), "%s type is string, number, bool or list(string).%s", whose, hint)
	return "", false
}

func (c *compiler) fieldValues(b body, f *plan.Field) {
	k, ok := c.value(b, "values")
	if !ok {
		return
	}
	if f.Type != plan.TypeString && f.Type != plan.TypeList {
		c.report(wrongType, k.rng, "values lists the texts that a field may have; %s is a %s.", f.Name, f.Type)
		return
	}
	values, ok := c.textList(k, "values")
	for i, v := range values {
		if v == "" || slices.Contains(values[:i], v) {
			c.report(invalidValue, k.rng, "values has %q twice, or an empty text.", v)
			return
		}
	}
	if ok && len(values) == 0 {
		c.report(invalidValue, k.rng, "values is empty: no lead could have this field.")
	}
	f.Values = values
}

func (c *compiler) bound(b body, name string, f *plan.Field) *float64 {
	v, ok := c.number(b, name)
	if !ok {
		return nil
	}
	if f.Type != plan.TypeNumber {
		c.report(wrongType, b.attr(name).NameRange, "%s is for numbers; %s is a %s.", name, f.Name, f.Type)
		return nil
	}
	return &v
}

func (c *compiler) fieldDefault(b body, f *plan.Field) {
	k, ok := c.value(b, "default")
	if !ok {
		return
	}
	switch v := k.v.(type) {
	case string:
		ok = f.Type == plan.TypeString && v != ""
		if ok && len(f.Values) > 0 && !slices.Contains(f.Values, v) {
			c.report(unknownValue, k.rng, "The default %q is not one of the field's values.%s", v, nearHint(v, f.Values))
			return
		}
		f.Default = v
	case float64:
		ok = f.Type == plan.TypeNumber
		if ok && (f.Min != nil && v < *f.Min || f.Max != nil && v > *f.Max) {
			c.report(invalidValue, k.rng, "The default lies outside min and max.")
		}
		f.Default = v
	case bool:
		ok = f.Type == plan.TypeBool
		f.Default = v
	case []constant:
		if ok = f.Type == plan.TypeList; ok {
			f.Default, ok = c.textList(k, "default")
		}
	default:
		ok = false
	}
	if !ok {
		f.Default = nil
		c.report(wrongType, k.rng, "The default of %s must be a %s, and not empty.", f.Name, f.Type)
	}
}

// completeFields adds what every lead has, and finds names that stand in each other's way.
func (c *compiler) completeFields() {
	known := func(name string) bool {
		return slices.ContainsFunc(c.plan.Fields, func(f plan.Field) bool { return f.Name == name })
	}
	for _, f := range plan.Envelope() {
		if !known(f.Name) {
			c.plan.Fields = append(c.plan.Fields, f)
		}
	}
	if c.plan.Accounts != nil {
		for _, name := range []string{"account.domain", "account.name", "account.owner"} {
			if !known(name) {
				c.plan.Fields = append(c.plan.Fields, plan.Field{Name: name, Type: plan.TypeString, Envelope: true})
			}
		}
	}
	c.confirmFields()
	c.declareAnswers()
	c.derives()
	for _, b := range c.blocks["schema"] {
		for _, f := range b.blocks("field") {
			c.clash(f.name, f.nameRange)
		}
	}
	for i, s := range c.blocks["schema"] {
		for _, f := range s.blocks("field") {
			for _, other := range c.blocks["schema"][:i] {
				if j := slices.IndexFunc(other.blocks("field"), func(o *block) bool { return o.name == f.name }); j >= 0 {
					c.report(duplicateName, f.nameRange, "The field %q is already declared.", f.name)
				}
			}
		}
	}
}

// clash finds a field that is an object to one declaration and a value to another.
func (c *compiler) clash(name string, rng hcl.Range) {
	for _, f := range c.plan.Fields {
		if strings.HasPrefix(name, f.Name+".") {
			c.report(duplicateName, rng, "lead.%s cannot hold %q: it is a %s itself.", f.Name, name, f.Type)
		}
	}
}
