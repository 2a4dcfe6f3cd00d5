package dsl

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Declaration is a named block: what a reference such as pool.emea leads to.
type Declaration struct {
	Type, Name   string // pool, emea; local, var and lead for what is read so
	File         string
	Line, Column int    // of the name, from 1
	EndColumn    int    // after the name, on the same line
	Description  string // the author's
}

// declarations lists the named blocks of the policy, of one with errors too.
func (c *compiler) declarations() []Declaration {
	var out []Declaration
	for _, spec := range c.specs {
		for _, b := range c.blocks[spec.name] {
			if b.name == "" {
				if spec.name == "locals" {
					for _, a := range attributes(b.hcl) {
						r := a.NameRange
						out = append(out, Declaration{"local", a.Name, r.Filename, r.Start.Line, r.Start.Column, r.End.Column, c.source(a.Expr.Range())})
					}
				}
				continue
			}
			out = append(out, c.declaration(spec.name, b))
			if spec.name == "schema" {
				for _, f := range b.blocks("field") {
					d := c.declaration("lead", f)
					out = append(out, d)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Declaration) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return out
}

func (c *compiler) declaration(typ string, b *block) Declaration {
	if typ == "variable" {
		typ = "var"
	}
	r := b.nameRange
	d := Declaration{Type: typ, Name: b.name, File: r.Filename, Line: r.Start.Line, Column: r.Start.Column, EndColumn: r.End.Column}
	if a := b.hcl.Attributes["description"]; a != nil {
		if t, ok := a.Expr.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
			d.Description, _ = c.plainTemplate(t)
		}
	}
	return d
}
