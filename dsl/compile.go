package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// maxSource bounds a policy's files, each and together.
const maxSource = 16 << 20

// compiler holds what is known while one policy is compiled.
type compiler struct {
	diags   Diagnostics
	told    map[told]bool       // what stands in diags
	lines   map[string][]string // of each file, by path
	sources map[string][]byte
	broken  map[string][]int     // lines with syntax errors, by path
	ignores map[string][]*ignore // comments that silence a warning, by path
	order   int                  // of the next block in the source
	specs   []*blockSpec

	blocks   map[string][]*block          // by type, in the order of the source
	declared map[string]map[string]*block // type, name
	locals   map[string]bool              // being evaluated: a circle is an error

	localValues map[string]constant
	opts        Options
	varValues   map[string]evaluated
	set         map[string]string // the variables that were set from outside, as they were said

	readTable func(policy, source string) ([]byte, error) // by the path of the file that names it
	tables    map[string]*table                           // by block
	tableFile map[string]*table                           // by the path in diagnostics
	row       *row                                        // whose cells expressions read now; nil: none
	shown     map[hcl.Range]string                        // source's memory
	ruleOf    []*block                                    // the block of each of the plan's rules

	// disk lets the policy's data files be read; given are the files that came with it, and
	// used the data files that it read, by name.
	disk        bool
	given, used map[string][]byte

	plan  *plan.Plan
	tests []Test

	scenarios []Scenario
	// repFields are the attributes of the live rep table that conditions read: their
	// types come from use, and two uses must agree.
	repFields map[string]repUse
}

type repUse struct {
	typ   string
	where hcl.Range
}

func newCompiler() *compiler {
	return &compiler{
		lines: map[string][]string{}, sources: map[string][]byte{}, broken: map[string][]int{}, ignores: map[string][]*ignore{}, told: map[told]bool{}, specs: blockSpecs(),
		blocks: map[string][]*block{}, declared: map[string]map[string]*block{}, locals: map[string]bool{}, localValues: map[string]constant{},
		varValues: map[string]evaluated{}, tables: map[string]*table{}, tableFile: map[string]*table{}, shown: map[hcl.Range]string{},
		repFields: map[string]repUse{},
		plan: &plan.Plan{
			Layout: plan.NewLayout(),
			Pools:  map[leadroute.PoolID]*plan.Pool{}, Queues: map[leadroute.QueueID]*plan.Queue{}, Hours: map[string]*plan.Hours{}, Calendars: map[string]*plan.Calendar{},
			MaxAge: plan.DefaultMaxAge, DedupeWindow: plan.DefaultDedupeWindow,
		},
	}
}

func (c *compiler) compile(files []file) *Policy {
	p := &Policy{Source: map[string][]byte{}, source: c}
	files = byName(files)
	size := 0
	for _, f := range files {
		if _, twice := p.Source[f.name]; twice {
			c.report(unreadable, hcl.Range{Filename: f.path}, "Two files are named %s; a policy's files need names of their own.", f.name)
			continue
		}
		p.Source[f.name] = f.src
		if size += len(f.src); size > maxSource {
			c.report(unreadable, hcl.Range{Filename: f.path}, "The policy is larger than %d MB.", maxSource>>20)
			return p
		}
		c.collect(f)
	}
	if len(files) == 0 {
		return p
	}
	for _, spec := range c.specs {
		for _, b := range c.blocks[spec.name] {
			if spec.build != nil {
				spec.build(c, b)
			}
		}
		if spec.after != nil {
			spec.after(c)
		}
	}
	c.orderRules()
	c.checkLimits()
	c.lintRules()
	c.checkIgnores()
	p.Tests, p.Scenarios, p.Fields, p.Declarations = c.tests, c.scenarios, c.plan.Fields, c.declarations()
	files = append(files, c.kept()...)
	for name, src := range c.used {
		files = append(files, file{name: name, src: src})
	}
	for _, f := range files {
		p.Source[f.name] = f.src
	}
	if !c.diags.HasErrors() {
		c.plan.ID = planID(byName(files))
		c.plan.Seal()
		p.Plan = c.plan
	}
	return p
}

func (c *compiler) done() Diagnostics {
	c.diags.Sort()
	return c.diags
}

// collect parses a file and takes note of its blocks, so that the order in which blocks
// stand does not matter.
func (c *compiler) collect(f file) {
	c.sources[f.path] = f.src
	c.lines[f.path] = strings.Split(string(f.src), "\n")
	body := c.parse(f)
	if body == nil {
		return
	}
	for _, a := range attributes(body) {
		c.report(unknownAttribute, a.NameRange, "At the top of a file stand blocks; %q is an attribute. Put it into a block.", a.Name)
	}
	for _, b := range body.Blocks {
		spec := c.spec(b)
		if spec == nil {
			continue
		}
		blk := &block{body: newBody(b, spec), order: c.order}
		c.order++
		if len(b.Labels) > 0 {
			blk.name, blk.nameRange = b.Labels[0], b.LabelRanges[0]
			blk.what = fmt.Sprintf("%s %q", spec.name, blk.name)
		}
		if !c.labels(spec, b) {
			continue
		}
		c.shape(blk.body)
		if !c.declare(spec, blk) {
			continue
		}
		c.blocks[spec.name] = append(c.blocks[spec.name], blk)
	}
}

// spec finds the block's type, and says what is wrong where there is none.
func (c *compiler) spec(b *hclsyntax.Block) *blockSpec {
	i := slices.IndexFunc(c.specs, func(s *blockSpec) bool { return s.name == b.Type })
	if i < 0 {
		names := make([]string, len(c.specs))
		for i, s := range c.specs {
			names[i] = s.name
		}
		c.report(unknownBlock, b.TypeRange, "There is no block %q.%s", b.Type, didYouMean(b.Type, names, inQuotes))
		return nil
	}
	return c.specs[i]
}

func (c *compiler) labels(spec *blockSpec, b *hclsyntax.Block) bool {
	switch {
	case len(b.Labels) < spec.labels:
		c.report(invalidValue, b.TypeRange, "A %s needs a name: %s \"name\" { ... }", spec.name, spec.name)
		return false
	case len(b.Labels) > spec.labels && spec.labels == 0:
		c.report(invalidValue, b.LabelRanges[0], "A %s block has no name: %s { ... }", spec.name, spec.name)
	case len(b.Labels) > spec.labels:
		c.report(invalidValue, b.LabelRanges[1], "A %s has one name.", spec.name)
	}
	if spec.labels == 1 {
		return c.nameIsGood(spec, b.Labels[0], b.LabelRanges[0])
	}
	return true
}

// nameIsGood refuses names that no reference could say, or that could not stand in a
// topic, a metric or an id.
func (c *compiler) nameIsGood(spec *blockSpec, name string, rng hcl.Range) bool {
	if spec.freeName {
		return true
	}
	if spec.name == "field" {
		for part := range strings.SplitSeq(name, ".") {
			if !hclsyntax.ValidIdentifier(part) {
				c.report(invalidValue, rng, "A field's name has letters, digits, _ and -, begins with a letter, and dots for nested fields.")
				return false
			}
		}
		return true
	}
	ascii := strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 }) < 0
	if !hclsyntax.ValidIdentifier(name) || !ascii || len(name) > 64 {
		c.report(invalidValue, rng, "A name has at most 64 letters (a to z), digits, _ and -, and begins with a letter.")
		return false
	}
	return true
}

// declare takes note of the name, which is unique per block type.
func (c *compiler) declare(spec *blockSpec, b *block) bool {
	key := b.name
	byName := c.declared[spec.name]
	if byName == nil {
		byName = map[string]*block{}
		c.declared[spec.name] = byName
	}
	first, twice := byName[key]
	switch {
	case !twice:
		byName[key] = b
		return true
	case spec.labels == 0 && !spec.once:
		return true
	case spec.once && spec.labels == 0:
		c.report(duplicateName, b.rng, "A policy has one %s block; the first is at %s.", spec.name, at(first.rng))
	default:
		c.report(duplicateName, b.nameRange, "A %s %q is already declared at %s.", spec.name, b.name, at(first.nameRange))
	}
	return false
}

func at(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
