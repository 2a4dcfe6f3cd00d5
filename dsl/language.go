package dsl

import (
	"slices"

	"github.com/leadroute/leadroute/dsl/plan"
)

// Language describes the policy language: what the compiler decodes, with a sentence for
// each part. The reference, `leadroute lang schema` and the language server are made of it.
type Language struct {
	Blocks    []BlockDoc    `json:"blocks"`
	Functions []FunctionDoc `json:"functions"`
	// Fields are those that every lead has without a schema, RepFields those of a rep.
	Fields    []FieldDoc `json:"lead_fields"`
	RepFields []FieldDoc `json:"rep_fields"`
}

// BlockDoc describes a block.
type BlockDoc struct {
	Name  string `json:"name"`
	Named bool   `json:"named"` // type "name" { }
	Once  bool   `json:"once"`  // at most one
	// AnyAttributes blocks hold attributes of any name.
	AnyAttributes bool           `json:"any_attributes,omitempty"`
	Doc           string         `json:"doc"`
	Attributes    []AttributeDoc `json:"attributes,omitempty"`
	Blocks        []BlockDoc     `json:"blocks,omitempty"`
}

// AttributeDoc describes an attribute. Type is in words: duration, condition, list of pools.
type AttributeDoc struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	Doc      string `json:"doc"`
}

// FunctionDoc describes a function of conditions.
type FunctionDoc struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Doc   string `json:"doc"`
}

// FieldDoc describes a field.
type FieldDoc struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc,omitempty"`
}

// Describe returns the description of the language that this version decodes.
func Describe() Language {
	l := Language{}
	for _, spec := range blockSpecs() {
		l.Blocks = append(l.Blocks, describe(spec, spec.name))
	}
	for _, f := range functions() {
		l.Functions = append(l.Functions, FunctionDoc{f.name, f.usage, functionDocs[f.name]})
	}
	for _, f := range plan.Envelope() {
		l.Fields = append(l.Fields, FieldDoc{f.Name, f.Type, fieldDocs[f.Name]})
	}
	for name, typ := range plan.RepFields {
		l.RepFields = append(l.RepFields, FieldDoc{name, typ, ""})
	}
	slices.SortFunc(l.RepFields, func(a, b FieldDoc) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return l
}

func describe(spec *blockSpec, path string) BlockDoc {
	b := BlockDoc{
		Name: spec.name, Named: spec.labels > 0, Once: spec.once, AnyAttributes: spec.anyAttrs, Doc: blockDocs[path],
	}
	for _, name := range spec.attrs {
		doc := attributeDocs[path+"."+name]
		b.Attributes = append(b.Attributes, AttributeDoc{name, doc.typ, slices.Contains(spec.required, name), doc.text})
	}
	if !spec.anyAttrs {
		b.Attributes = append(b.Attributes, AttributeDoc{"description", "text", false, "What it is for, in your own words."})
	}
	for _, n := range spec.nested {
		b.Blocks = append(b.Blocks, describe(n, path+"."+n.name))
	}
	return b
}
