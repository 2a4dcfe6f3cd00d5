package plan

import (
	"encoding/json"
	"strings"
)

// JSONSchema is the lead's schema as JSON Schema draft 2020-12: the envelope and every
// declared field. Fields that the policy does not declare are allowed. null stands for
// missing, as at the door, and so does "" (see Check, which takes both out).
func (p *Plan) JSONSchema() []byte {
	root := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "lead of policy " + p.Name,
		"type":    "object",
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		at, path := root, strings.Split(f.Name, ".")
		for _, part := range path[:len(path)-1] {
			at = at.child("properties").child(part)
			at["type"], at["maxLength"] = []string{"object", "null", "string"}, 0 // a string: "" alone
		}
		name := path[len(path)-1]
		at.child("properties")[name] = f.schema()
		if f.Required && !f.Derived && len(path) == 1 {
			required, _ := at["required"].([]string)
			at["required"] = append(required, name)
		}
	}
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // texts, numbers and lists of them always marshal
	}
	return append(b, '\n')
}

type object map[string]any

func (o object) child(name string) object {
	c, ok := o[name].(object)
	if !ok {
		c = object{}
		o[name] = c
	}
	return c
}

func (f *Field) schema() object {
	s := object{}
	if f.Description != "" {
		s["description"] = f.Description
	}
	if f.Default != nil {
		s["default"] = f.Default
	}
	switch f.Type {
	case TypeNumber:
		s["type"] = "number"
		if f.Min != nil {
			s["minimum"] = *f.Min
		}
		if f.Max != nil {
			s["maximum"] = *f.Max
		}
	case TypeBool:
		s["type"] = "boolean"
	case TypeList:
		items := object{"type": "string"}
		if len(f.Values) > 0 {
			items["enum"] = f.Values
		}
		s["type"], s["items"] = "array", items
	default:
		s["type"] = "string"
		if len(f.Values) > 0 {
			s["enum"] = f.Values
		}
	}
	if !f.Required || f.Derived {
		// A blank is missing, and what may be missing may be blank.
		return object{"anyOf": []object{s, {"enum": []any{nil, ""}}}}
	}
	return s
}
