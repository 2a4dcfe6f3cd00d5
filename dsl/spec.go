package dsl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// blockSpec says what a block looks like and what to do with it.
type blockSpec struct {
	name   string
	labels int  // 0, or 1 for a block with a name
	once   bool // at most one in a policy (or in the block around it)
	// freeName blocks are never referred to: their names are sentences.
	freeName bool
	// anyAttrs blocks hold attributes of any name.
	anyAttrs bool
	// later blocks are of the language, but not built yet.
	later bool

	attrs      []string // every block takes a description, too
	attrsLater []string
	required   []string
	nested     []*blockSpec

	build func(*compiler, *block)
	after func(*compiler) // when all blocks of the type are built
}

// words splits a list of names.
func words(s string) []string { return strings.Fields(s) }

// body is the inside of a block, top-level or nested.
type body struct {
	spec *blockSpec
	hcl  *hclsyntax.Body
	what string    // for messages: pool "emea"
	rng  hcl.Range // of the block's type and name
	full hcl.Range
}

// block is a top-level block.
type block struct {
	body
	name      string
	nameRange hcl.Range
	order     int // in the source
}

func newBody(b *hclsyntax.Block, spec *blockSpec) body {
	return body{spec: spec, hcl: b.Body, what: spec.name, rng: b.DefRange(), full: b.Range()}
}

// nestedBlocks returns the nested blocks of a type, as blocks.
func (b body) blocks(name string) []*block {
	var found []*block
	for _, n := range b.hcl.Blocks {
		i := slices.IndexFunc(b.spec.nested, func(s *blockSpec) bool { return s.name == name && n.Type == name })
		if i < 0 || b.spec.nested[i].later || len(n.Labels) < b.spec.nested[i].labels {
			continue
		}
		in := &block{body: newBody(n, b.spec.nested[i])}
		in.what = name + " of " + b.what
		if len(n.Labels) > 0 {
			in.name, in.nameRange = n.Labels[0], n.LabelRanges[0]
			in.what = fmt.Sprintf("%s %q of %s", name, in.name, b.what)
		}
		found = append(found, in)
	}
	return found
}

// only returns the one nested block of a type, or nil.
func (b body) only(name string) *block {
	if found := b.blocks(name); len(found) > 0 {
		return found[0]
	}
	return nil
}

// attributes are sorted as they stand in the source.
func attributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte)
	})
	return list
}

// shape checks which attributes and blocks stand inside a block, and inside those.
func (c *compiler) shape(b body) {
	known := append([]string{"description"}, b.spec.attrs...)
	for _, a := range attributes(b.hcl) {
		switch {
		case b.spec.anyAttrs, slices.Contains(known, a.Name):
		case slices.Contains(b.spec.attrsLater, a.Name):
			c.report(notSupportedYet, a.NameRange, "The attribute %q of the block %q is part of the language, but this version does not run it yet. Take it out.", a.Name, b.spec.name)
		case slices.ContainsFunc(b.spec.nested, func(s *blockSpec) bool { return s.name == a.Name }):
			c.report(unknownAttribute, a.NameRange, "In the block %q, %q is a block itself: write %s { ... } without the equals sign.", b.spec.name, a.Name, a.Name)
		default:
			c.report(unknownAttribute, a.NameRange, "The block %q has no attribute %q.%s", b.spec.name, a.Name, didYouMean(a.Name, append(slices.Clone(known), nestedNames(b.spec)...), inQuotes))
		}
	}
	if !c.brokenWithin(b.full) { // the attributes above have been told by now
		for _, name := range b.spec.required {
			if _, ok := b.hcl.Attributes[name]; !ok && !b.hasAttr(b.spec.attrsLater) {
				c.report(missingAttribute, b.rng, "The block %q needs the attribute %q.", b.spec.name, name)
			}
		}
	}
	seen := map[string]bool{}
	for _, n := range b.hcl.Blocks {
		i := slices.IndexFunc(b.spec.nested, func(s *blockSpec) bool { return s.name == n.Type })
		if i < 0 {
			c.strayBlock(b, n)
			continue
		}
		spec := b.spec.nested[i]
		switch {
		case spec.later:
			c.report(notSupportedYet, n.TypeRange, "The block %q of the block %q is part of the language, but this version does not run it yet. Take it out.", n.Type, b.spec.name)
			continue
		case spec.once && seen[spec.name]:
			c.report(duplicateName, n.TypeRange, "The block %q has one %s block.", b.spec.name, n.Type)
		case !c.labels(spec, n):
			continue
		case spec.labels == 1 && seen[spec.name+" "+n.Labels[0]]:
			c.report(duplicateName, n.LabelRanges[0], "The %s already has a %s %q.", b.spec.name, n.Type, n.Labels[0])
		}
		seen[spec.name] = true
		if len(n.Labels) > 0 {
			seen[spec.name+" "+n.Labels[0]] = true
		}
		c.shape(newBody(n, spec))
	}
}

func (c *compiler) strayBlock(b body, n *hclsyntax.Block) {
	switch {
	case slices.Contains(b.spec.attrs, n.Type):
		c.report(unknownBlock, n.TypeRange, "In the block %q, %q is an attribute: write %s = ...", b.spec.name, n.Type, n.Type)
	case slices.ContainsFunc(c.specs, func(s *blockSpec) bool { return s.name == n.Type }):
		c.report(unknownBlock, n.TypeRange, "A %s block stands at the top of a file, not inside %q. Is a closing } missing before it?", n.Type, b.spec.name)
	default:
		c.report(unknownBlock, n.TypeRange, "The block %q has no block %q inside.%s", b.spec.name, n.Type, didYouMean(n.Type, append(nestedNames(b.spec), b.spec.attrs...), inQuotes))
	}
}

func nestedNames(s *blockSpec) []string {
	names := make([]string, len(s.nested))
	for i, n := range s.nested {
		names[i] = n.name
	}
	return names
}

// brokenWithin tells whether a syntax error, or a mistyped name, lies in the range, so that
// what is missing there may only have become unreadable.
func (c *compiler) brokenWithin(r hcl.Range) bool {
	if c.hasWithin(r, unknownAttribute, unknownBlock) {
		return true
	}
	return slices.ContainsFunc(c.broken[r.Filename], func(line int) bool {
		return r.Start.Line <= line && line <= r.End.Line+1
	})
}

// hasWithin tells whether an error of one of the kinds (none: any) was found in the range.
func (c *compiler) hasWithin(r hcl.Range, kinds ...Finding) bool {
	return slices.ContainsFunc(c.diags, func(d Diagnostic) bool {
		return d.Severity == SeverityError && d.File == r.Filename && r.Start.Line <= d.Line && d.Line <= r.End.Line &&
			(len(kinds) == 0 || slices.ContainsFunc(kinds, func(f Finding) bool { return f.ID == d.ID }))
	})
}

// hasAttr tells whether one of the attributes stands in the block.
func (b body) hasAttr(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return b.hcl.Attributes[name] != nil })
}
