package dsl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// maxFeatures bounds what is summed up for each rep of a pool and each lead.
const maxFeatures = 256

// modelFile is a model as its file says it:
//
//	{
//	  "version": 1,
//	  "kind": "logistic",
//	  "intercept": -1.2,
//	  "features": [
//	    {"name": "close rate", "value": "rep.close_rate", "weight": 3, "missing": 0.2},
//	    {"name": "speaks it", "value": "contains(rep.languages, lead.language)", "weight": 0.8},
//	    {"name": "busy", "value": "rep.held", "weight": -0.05}
//	  ]
//	}
//
// A value is an expression over lead and rep, a number or a condition (1 or 0); rep.held
// are the open places that are taken. kind is linear or logistic, which rank alike and
// differ in how a score is shown.
type modelFile struct {
	Version   *int           `json:"version"`
	Kind      string         `json:"kind"`
	Intercept float64        `json:"intercept"`
	Features  []modelFeature `json:"features"`
}

type modelFeature struct {
	Name    string   `json:"name"`
	Value   string   `json:"value"`
	Weight  *float64 `json:"weight"`
	Missing float64  `json:"missing"`
}

// model reads the model that a pool names.
func (c *compiler) model(b body) *plan.Model {
	name, ok := c.text(b, "model")
	if !ok {
		return nil
	}
	rng := b.attr("model").Expr.Range()
	src, ok := c.data(name, rng)
	if !ok {
		return nil
	}
	wrong := func(format string, args ...any) *plan.Model {
		c.report(badModel, rng, "%s: %s", name, fmt.Sprintf(format, args...))
		return nil
	}
	var f modelFile
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return wrong("%s.", jsonFault(src, err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return wrong("something stands behind the model.")
	}
	switch {
	case f.Version == nil || *f.Version != 1:
		return wrong(`this version of leadroute reads models of version 1. Write "version": 1.`)
	case f.Kind != "linear" && f.Kind != "logistic":
		return wrong(`kind is "linear" or "logistic", not %q.`, f.Kind)
	case len(f.Features) == 0:
		return wrong(`a model has features: {"name": "close rate", "value": "rep.close_rate", "weight": 3}.`)
	case len(f.Features) > maxFeatures:
		return wrong("it has %d features; %d are the most.", len(f.Features), maxFeatures)
	}
	m := plan.Model{File: name, Logistic: f.Kind == "logistic", Intercept: f.Intercept}
	s := c.pairScope()
	s.facts = facts{"rep": (*scope).modelField}
	before, names := len(c.diags), map[string]bool{}
	for i, ft := range f.Features {
		called := fmt.Sprintf("feature %d", i+1)
		if ft.Name != "" {
			called += fmt.Sprintf(" (%s)", ft.Name)
		}
		switch {
		case ft.Name == "" || names[ft.Name]:
			wrong("%s needs a name of its own, by which it can be told.", called)
		case ft.Weight == nil || math.IsInf(*ft.Weight, 0):
			wrong("%s has no weight.", called)
		default:
			if out, ok := c.feature(s, name, called, ft, rng); ok {
				m.Features = append(m.Features, out)
			}
		}
		names[ft.Name] = true
	}
	if len(c.diags) > before {
		return nil
	}
	return plan.NewModel(m, s.layout)
}

// feature compiles one; what is wrong with its expression is told at the pool that names the model.
func (c *compiler) feature(s *scope, file, called string, ft modelFeature, rng hcl.Range) (plan.Feature, bool) {
	out := plan.Feature{Name: ft.Name, Weight: *ft.Weight, Missing: ft.Missing}
	e, found := hclsyntax.ParseExpression([]byte(ft.Value), file, hcl.InitialPos)
	if found.HasErrors() {
		c.report(badModel, rng, "%s: %s: %q is no expression: %s", file, called, ft.Value, strings.TrimSuffix(found[0].Detail, "."))
		return out, false
	}
	before := len(c.diags)
	t := s.check(e)
	if t.kind != truth {
		t = s.as(number, t)
	}
	for i := before; i < len(c.diags); i++ { // they lie in a text that nobody sees as a file
		d := c.diagnostic(badModel, rng, fmt.Sprintf("%s: %s, %q: %s", file, called, ft.Value, c.diags[i].Detail))
		c.diags[i] = d
	}
	switch t.kind {
	case truth:
		out.Cond = &t.cond
	case number:
		out.Number = &t.num
	default:
		return out, false
	}
	return out, len(c.diags) == before
}

// modelField is a rep's field, or rep.held.
func (s *scope) modelField(r ref) typed {
	if len(r.path) == 2 && r.path[1] == plan.FactHeld {
		return s.fact("rep."+plan.FactHeld, plan.TypeNumber, r.rng)
	}
	return s.repField(r)
}

// jsonFault says what is wrong with a JSON text, and in which line.
func jsonFault(src []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	line := func(offset int64) int { return 1 + bytes.Count(src[:min(max(int(offset), 0), len(src))], []byte("\n")) }
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("line %d is no JSON: %s", line(syntax.Offset), syntax)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it is empty, or breaks off"
	case errors.As(err, &kind):
		return fmt.Sprintf("line %d: %s is a %s, not a %s", line(kind.Offset), kind.Field, kindOfJSON(kind), kind.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func kindOfJSON(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "float64", "int", "ptr":
		return "number"
	case "string":
		return "text"
	case "slice":
		return "list"
	}
	return "object"
}
