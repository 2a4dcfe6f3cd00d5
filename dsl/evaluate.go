package dsl

import (
	"math/big"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyfunction "github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/leadroute/leadroute/dsl/plan"
)

// Configuration that is evaluated once may compute: for-expressions, splats, indexing,
// conditionals and arithmetic are left to HCL's own evaluator. References and secrets
// pass through it unread.
var (
	refType    = cty.Capsule("reference", reflect.TypeFor[ref]())
	secretType = cty.Capsule("secret", reflect.TypeFor[plan.Secret]())
)

// configFunctions are what configuration can call besides secret.
var configFunctions = map[string]ctyfunction.Function{
	"lower": stdlib.LowerFunc, "upper": stdlib.UpperFunc, "join": stdlib.JoinFunc,
	"contains": stdlib.ContainsFunc, "coalesce": stdlib.CoalesceFunc, "length": stdlib.LengthFunc,
	"concat": stdlib.ConcatFunc, "keys": stdlib.KeysFunc, "values": stdlib.ValuesFunc, "merge": stdlib.MergeFunc,
	"distinct": stdlib.DistinctFunc, "flatten": stdlib.FlattenFunc,
}

// computed tells whether an expression is one that HCL evaluates.
func computed(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr, *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr,
		*hclsyntax.ConditionalExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr:
		return true
	case *hclsyntax.FunctionCallExpr:
		_, known := configFunctions[e.Name]
		return known
	case *hclsyntax.ScopeTraversalExpr:
		for i, step := range e.Traversal {
			if _, index := step.(hcl.TraverseIndex); index {
				return true
			}
			if root := e.Traversal.RootName(); i > 1 && (root == "local" || root == "var") {
				return true
			}
		}
	}
	return false
}

// evaluate lets HCL compute an expression of variables, locals and plain values.
func (c *compiler) evaluate(e hclsyntax.Expression) (constant, bool) {
	k := constant{rng: e.Range()}
	roots := map[string]map[string]cty.Value{}
	for _, t := range e.Variables() {
		root := t.RootName()
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		name := ""
		if len(t) > 1 {
			if a, ok := t[1].(hcl.TraverseAttr); ok {
				name = a.Name
			}
		}
		if name == "" {
			c.report(wrongType, t.SourceRange(), "Write a name behind %s: %s.name.", root, root)
			return k, false
		}
		r := ref{path: []string{root, name}, rng: t.SourceRange()}
		var v constant
		ok := true
		switch root {
		case "local":
			v, ok = c.local(r)
		case "var":
			v, ok = c.variable(r)
		case "row":
			v, ok = c.cell(r)
		case "lead", "rep", "response", "assigned", "live":
			c.report(wrongType, r.rng, "This must be known when the policy is loaded, and %s.%s is not.", root, name)
			ok = false
		default:
			v.v = r
		}
		if !ok {
			return k, false
		}
		roots[root][name] = toCty(v)
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: configFunctions}
	for root, members := range roots {
		ctx.Variables[root] = cty.ObjectVal(members)
	}
	v, diags := e.Value(ctx)
	if len(diags) > 0 {
		rng := e.Range()
		if diags[0].Subject != nil {
			rng = *diags[0].Subject
		}
		c.report(wrongType, rng, "%s", hclWords(diags[0]))
		return k, false
	}
	k, ok := fromCty(v, e.Range())
	if !ok {
		c.report(wrongType, e.Range(), "This must be known when the policy is loaded: write a plain value.")
	}
	return k, ok
}

func toCty(k constant) cty.Value {
	switch v := k.v.(type) {
	case string:
		return cty.StringVal(v)
	case float64:
		return cty.NumberFloatVal(v)
	case bool:
		return cty.BoolVal(v)
	case []constant:
		list := make([]cty.Value, len(v))
		for i, e := range v {
			list[i] = toCty(e)
		}
		return cty.TupleVal(list)
	case *object:
		members := map[string]cty.Value{}
		for _, it := range v.items {
			members[it.key] = toCty(it.constant)
		}
		return cty.ObjectVal(members)
	case ref:
		return cty.CapsuleVal(refType, &v)
	case plan.Secret:
		return cty.CapsuleVal(secretType, &v)
	default:
		return cty.NullVal(cty.DynamicPseudoType)
	}
}

func fromCty(v cty.Value, rng hcl.Range) (constant, bool) {
	k := constant{rng: rng}
	typ := v.Type()
	switch {
	case !v.IsKnown():
		return k, false
	case v.IsNull():
	case typ == cty.String:
		k.v = plan.Normal(v.AsString())
	case typ == cty.Bool:
		k.v = v.True()
	case typ == cty.Number:
		f, acc := v.AsBigFloat().Float64()
		if acc != big.Exact && (f > 1e308 || f < -1e308) {
			return k, false
		}
		k.v = f
	case typ == refType:
		r := *v.EncapsulatedValue().(*ref)
		r.rng = rng
		k.v = r
	case typ == secretType:
		k.v = *v.EncapsulatedValue().(*plan.Secret)
	case typ.IsTupleType() || typ.IsListType() || typ.IsSetType():
		list := []constant{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			x, ok := fromCty(e, rng)
			if !ok {
				return k, false
			}
			list = append(list, x)
		}
		k.v = list
	case typ.IsObjectType() || typ.IsMapType():
		o := &object{}
		for it := v.ElementIterator(); it.Next(); {
			name, e := it.Element()
			x, ok := fromCty(e, rng)
			if !ok {
				return k, false
			}
			o.items = append(o.items, item{key: name.AsString(), keyRng: rng, constant: x})
		}
		k.v = o
	default:
		return k, false
	}
	return k, true
}
