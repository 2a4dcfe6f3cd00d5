package analyze

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
)

// space is all that a lead can be, as far as the conditions tell leads apart: a dimension
// for each thing they ask about, cut into finitely many cells.
type space struct {
	plan  *plan.Plan
	dims  []dimension
	named map[string]int // dimensions by key
	// axioms are boxes in which no lead lies, for the priority and the territory follow
	// from the rest of the lead.
	axioms []box
	fields map[string]*plan.Field
}

// dimension is one thing that conditions ask about.
type dimension struct {
	kind kind
	// name is a field's, or what the author wrote in place of one.
	name  string
	field *plan.Field // nil when it is no field of the lead
	all   cells       // what the schema allows
	// The cells: 0 is missing; then, of
	//   text: 1.. are the texts, the one behind them is any other;
	//   number: 1 is below the first cut, 2 at it, 3 between it and the next, ...
	//   truth and opaque: 1 is true, 2 is false;
	//   list: 1 is present; tag, which is never missing: 1 is in, 2 is not.
	// A tag is also what a test says of the texts that are not listed.
	texts []string
	index map[string]int32
	cuts  []float64
	atom  *plan.Atom // of opaque and tag: one of those that ask it
	on    int        // of tag: the list or the text that it is about
}

type kind uint8

const (
	textKind kind = iota
	numberKind
	truthKind
	listKind
	tagKind
	opaqueKind // a regular expression, arithmetic, hours: a truth value of its own
)

const missing, yes, no int32 = 0, 1, 2

// newSpace lays out a space for the plan's conditions.
func newSpace(p *plan.Plan, conds []plan.Cond) *space {
	s := &space{plan: p, named: map[string]int{}, fields: map[string]*plan.Field{}}
	for i := range p.Fields {
		s.fields[p.Fields[i].Name] = &p.Fields[i]
	}
	for _, c := range conds {
		c.Atoms(func(a *plan.Atom, _ bool) { s.lay(a) })
	}
	classes, territories := s.decidedTexts()
	for i := range s.dims {
		s.dims[i].finish(s.open(&s.dims[i]))
	}
	s.decided(classes, territories)
	return s
}

// decidedTexts lists every priority and territory where conditions read them; nil where
// none does.
func (s *space) decidedTexts() (priority, territory *dimension) {
	if i, ok := s.named[plan.DecidedPriority]; ok {
		priority = &s.dims[i]
		for _, c := range s.plan.Classes {
			priority.texts = append(priority.texts, string(c.Name))
		}
	}
	if i, ok := s.named[plan.DecidedTerritory]; ok {
		territory = &s.dims[i]
		for _, t := range s.plan.Territories {
			territory.texts = append(territory.texts, t.Name)
		}
	}
	return priority, territory
}

// open tells whether what the schema says of the field does not bind: the account's row
// stands for what is below lead.account, and no door checks that.
func (s *space) open(d *dimension) bool {
	return d.field == nil || s.plan.Accounts != nil && strings.HasPrefix(d.name, "account.")
}

// subject is what an atom asks about: a field, or an expression that is a thing of its own.
func subject(a *plan.Atom) (name string, field bool) {
	if a.Field != "" && a.Subject == "lead."+a.Field {
		return a.Field, true
	}
	return a.Subject, false
}

// perRow tells that the same words mean something else in each row of a table.
func perRow(a *plan.Atom) bool {
	return strings.Contains(a.Subject, "row.") || a.Texts == nil && a.Numbers == nil && strings.Contains(a.Needs, "row.")
}

// shape is what the analysis makes of an atom.
type shape struct {
	kind    kind   // of what is asked
	key     string // of its dimension
	name    string
	field   *plan.Field
	opaque  string // the key of the truth value besides, for a test of a text that is not listed
	negated bool   // the atom asks the opposite of what the key does
}

func (s *space) shape(a *plan.Atom) shape {
	name, isField := subject(a)
	sh := shape{name: name}
	if isField {
		sh.field = s.fields[name]
	}
	decided := isField && (name == plan.DecidedPriority || name == plan.DecidedTerritory)
	typ := ""
	switch {
	case sh.field != nil:
		typ = sh.field.Type
	case decided:
		typ = plan.TypeString
	case perRow(a):
		return s.opaque(a, sh)
	case a.Texts != nil && slices.Contains([]string{"==", "!=", "one_of"}, a.Test):
		typ = plan.TypeString
	case a.Numbers != nil:
		typ = plan.TypeNumber
	}
	sh.key = name
	if !isField {
		sh.key = typ + " " + name
	}
	constant := func() bool { return len(a.Texts) > 0 }
	switch {
	case a.Test == "has" && (sh.field != nil || decided):
		sh.kind = map[string]kind{plan.TypeString: textKind, plan.TypeNumber: numberKind, plan.TypeBool: truthKind, plan.TypeList: listKind}[typ]
	case typ == plan.TypeString && constant() && slices.Contains([]string{"==", "!=", "one_of"}, a.Test):
		sh.kind = textKind
	case typ == plan.TypeString && isField && len(a.Texts) == 1 && textTest(a) != nil:
		sh.kind, sh.opaque = textKind, a.Test+" "+name+" "+a.Texts[0]
	case typ == plan.TypeNumber && slices.Contains(comparisons, a.Test) && len(a.Numbers) > 0 && !slices.ContainsFunc(a.Numbers, func(f float64) bool { return f != f }):
		sh.kind = numberKind
	case typ == plan.TypeBool && a.Test == "==" && a.Needs == "== true":
		sh.kind = truthKind
	case typ == plan.TypeList && a.Test == "contains" && len(a.Texts) == 1:
		sh.kind, sh.opaque = listKind, "contains "+name+" "+a.Texts[0]
	default:
		return s.opaque(a, sh)
	}
	return sh
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">=", "one_of", "between"}

// opaque makes one truth value of an atom and of its opposite.
func (s *space) opaque(a *plan.Atom, sh shape) shape {
	test, needs := a.Test, a.Needs
	for from, to := range map[string]string{"!=": "==", ">=": "<", ">": "<="} {
		if a.Test == from {
			test, needs, sh.negated = to, to+strings.TrimPrefix(needs, from), true
			break
		}
	}
	sh.kind, sh.field = opaqueKind, nil
	sh.key = strings.Join(append([]string{"?", test, a.Subject, needs}, a.Texts...), "\x00")
	for _, n := range a.Numbers {
		sh.key += "\x00" + plan.FormatNumber(n)
	}
	if perRow(a) {
		sh.key += fmt.Sprintf("\x00%p", a)
	}
	return sh
}

// textTest is what the atom tests a text with, if it can be known here.
func textTest(a *plan.Atom) func(string) bool {
	part := ""
	if len(a.Texts) == 1 {
		part = a.Texts[0]
	}
	switch a.Test {
	case "startswith":
		return func(s string) bool { return strings.HasPrefix(s, part) }
	case "endswith":
		return func(s string) bool { return strings.HasSuffix(s, part) }
	case "contains":
		return func(s string) bool { return strings.Contains(s, part) }
	case "matches":
		if re, err := regexp.Compile(part); err == nil {
			return re.MatchString
		}
	}
	return nil
}

// lay makes the dimensions that an atom needs, or the cells that it adds to one.
func (s *space) lay(a *plan.Atom) {
	sh := s.shape(a)
	d := s.dim(sh.key, sh.kind, sh)
	switch sh.kind {
	case textKind:
		if sh.opaque != "" {
			s.tag(sh, a, d)
			break
		}
		s.dims[d].texts = append(s.dims[d].texts, a.Texts...)
	case numberKind:
		s.dims[d].cuts = append(s.dims[d].cuts, a.Numbers...)
	case listKind:
		if sh.opaque != "" {
			s.tag(sh, a, d)
		}
	case opaqueKind:
		s.dims[d].atom = a
	default:
	}
}

func (s *space) tag(sh shape, a *plan.Atom, on int) {
	o := s.dim(sh.opaque, tagKind, shape{name: sh.name})
	s.dims[o].atom, s.dims[o].on = a, on
}

func (s *space) dim(key string, k kind, sh shape) int {
	if i, ok := s.named[key]; ok {
		return i
	}
	s.dims = append(s.dims, dimension{kind: k, name: sh.name, field: sh.field})
	s.named[key] = len(s.dims) - 1
	return len(s.dims) - 1
}

// finish cuts the dimension into cells.
func (d *dimension) finish(open bool) {
	first := missing
	if !open && (d.field.Required || d.field.Default != nil) {
		first = yes // the door lets no lead in without it, or fills it
	}
	switch d.kind {
	case textKind:
		listed := !open && len(d.field.Values) > 0
		if listed {
			d.texts = append(d.texts, d.field.Values...)
		}
		slices.Sort(d.texts)
		d.texts = slices.Compact(d.texts)
		d.index = make(map[string]int32, len(d.texts))
		for i, t := range d.texts {
			d.index[t] = int32(i) + 1
		}
		d.all = between(first, int32(len(d.texts))+1)
		if listed {
			allowed := make([]int32, 0, len(d.field.Values)+1)
			if first == missing {
				allowed = append(allowed, missing)
			}
			for _, v := range d.field.Values {
				if i, ok := d.index[plan.Normal(v)]; ok {
					allowed = append(allowed, i)
				} else {
					allowed = append(allowed, int32(len(d.texts))+1)
				}
			}
			slices.Sort(allowed)
			d.all = of(slices.Compact(allowed))
		}
	case numberKind:
		var low, high *float64
		if !open {
			low, high = d.field.Min, d.field.Max
		}
		for _, b := range []*float64{low, high} {
			if b != nil {
				d.cuts = append(d.cuts, *b)
			}
		}
		slices.Sort(d.cuts)
		d.cuts = slices.Compact(d.cuts)
		from, to := yes, int32(2*len(d.cuts))+1
		if low != nil {
			from = d.cut(*low)
		}
		if high != nil {
			to = d.cut(*high)
		}
		d.all = between(from, to)
		if first == missing {
			d.all = append(cells{{missing, missing}}, d.all...)
			if from == yes {
				d.all = between(missing, to)
			}
		}
	case listKind:
		d.all = between(first, yes)
	case truthKind:
		d.all = between(first, no)
	case tagKind:
		d.all = between(yes, no)
	default:
		d.all = between(missing, no)
		if d.atom != nil && (d.atom.Test == "during" || d.atom.Test == "has") {
			d.all = between(yes, no)
		}
	}
}

// cut is the cell of the number, which is one of the cuts.
func (d *dimension) cut(f float64) int32 {
	i, _ := slices.BinarySearch(d.cuts, f)
	return int32(2*i) + 2
}

// last is the highest cell.
func (d *dimension) last() int32 {
	if d.kind == numberKind {
		return int32(2*len(d.cuts)) + 1
	}
	return int32(len(d.texts)) + 1
}

// atom returns where an atom holds and where it fails.
func (s *space) atom(a *plan.Atom) (t, f boxes) {
	sh := s.shape(a)
	i, ok := s.named[sh.key]
	if !ok {
		return boxes{}, boxes{}
	}
	d := &s.dims[i]
	split := func(in cells) (boxes, boxes) {
		in = in.and(d.all)
		return sides(side{i, in}), sides(side{i, d.all.minus(in).minus(one(missing))})
	}
	switch {
	case a.Test == "has" && sh.kind != opaqueKind:
		in := d.all.minus(one(missing))
		return sides(side{i, in}), sides(side{i, d.all.and(one(missing))})
	case sh.kind == textKind && sh.opaque != "":
		return s.textTest(a, i, s.named[sh.opaque])
	case sh.kind == textKind:
		in := make([]int32, 0, len(a.Texts))
		for _, v := range a.Texts {
			in = append(in, d.index[v])
		}
		slices.Sort(in)
		t, f = split(of(slices.Compact(in)))
	case sh.kind == numberKind:
		t, f = split(d.numbers(a))
	case sh.kind == listKind:
		there, tag := side{i, one(yes)}, s.named[sh.opaque]
		return sides(there, side{tag, one(yes)}), sides(there, side{tag, one(no)})
	default:
		t, f = split(one(yes))
	}
	if a.Test == "!=" && sh.kind != opaqueKind || sh.negated {
		t, f = f, t
	}
	return t, f
}

// numbers are the cells in which a comparison holds; of != those in which it does not.
func (d *dimension) numbers(a *plan.Atom) cells {
	n := a.Numbers[0]
	at := d.cut(n)
	switch a.Test {
	case "<":
		return between(yes, at-1)
	case "<=":
		return between(yes, at)
	case ">":
		return between(at+1, d.last())
	case ">=":
		return between(at, d.last())
	case "between":
		return between(at, d.cut(a.Numbers[1]))
	default:
		in := make([]int32, 0, len(a.Numbers))
		for _, n := range a.Numbers {
			in = append(in, d.cut(n))
		}
		slices.Sort(in)
		return of(slices.Compact(in))
	}
}

// textTest is exact for the texts that are listed, and any truth value for the others.
func (s *space) textTest(a *plan.Atom, text, bit int) (t, f boxes) {
	d, test := &s.dims[text], textTest(a)
	var in, out []int32
	for i, v := range d.texts {
		if test(v) {
			in = append(in, int32(i)+1)
		} else {
			out = append(out, int32(i)+1)
		}
	}
	other := d.all.and(one(d.last()))
	t = union(sides(side{text, of(in).and(d.all)}), sides(side{text, other}, side{bit, one(yes)}))
	f = union(sides(side{text, of(out).and(d.all)}), sides(side{text, other}, side{bit, one(no)}))
	return t, f
}

// decided writes down what the priority and the territory follow from: the first whose
// condition holds.
func (s *space) decided(priority, territory *dimension) {
	// An override changes the priority for a time: then it follows from nothing.
	if priority != nil && !slices.ContainsFunc(s.plan.Overrides, func(o plan.Override) bool { return o.Priority != "" }) {
		names, whens := make([]string, len(s.plan.Classes)), make([]plan.Cond, len(s.plan.Classes))
		for i, c := range s.plan.Classes {
			names[i], whens[i] = string(c.Name), c.When
		}
		s.first(s.named[plan.DecidedPriority], names, whens)
	}
	if territory != nil {
		names, whens := make([]string, len(s.plan.Territories)), make([]plan.Cond, len(s.plan.Territories))
		for i, t := range s.plan.Territories {
			names[i], whens[i] = t.Name, t.When
		}
		s.first(s.named[plan.DecidedTerritory], names, whens)
	}
}

func (s *space) first(dim int, names []string, whens []plan.Cond) {
	d := &s.dims[dim]
	axiom := func(in cells, u boxes) {
		if len(in) > 0 {
			s.axioms = append(s.axioms, product(u, boxes{[]box{{{dim, in}}}, true}).list...)
		}
	}
	known := []int32{missing}
	for _, n := range names {
		known = append(known, d.index[n])
	}
	slices.Sort(known)
	d.all = of(slices.Compact(known))
	later := d.all
	for i, name := range names {
		at := one(d.index[name])
		axiom(at, s.of(whens[i], notHolds))
		later = later.minus(at)
		axiom(later, s.of(whens[i], holds))
	}
}

// number is a number in a cell; ok is false where there is none.
func (d *dimension) number(c int32, whole bool) (float64, bool) {
	i := int(c)/2 - 1 // of the cut at or below
	if c%2 == 0 {
		return d.cuts[i], true
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	if i >= 0 {
		lo = d.cuts[i]
	}
	if i+1 < len(d.cuts) {
		hi = d.cuts[i+1]
	}
	var n float64
	switch {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return 1, true
	case math.IsInf(hi, 1):
		n = lo + max(1, math.Floor(math.Abs(lo)/2))
	case math.IsInf(lo, -1):
		if n = math.Floor(hi / 2); hi <= 0 || n >= hi {
			n = math.Floor(hi) - 1
		}
	default:
		if n = math.Floor((lo + hi) / 2); n <= lo {
			if n = math.Floor(lo) + 1; n >= hi {
				n = lo + (hi-lo)/2
				if whole {
					return 0, false
				}
			}
		}
	}
	return n, lo < n && n < hi
}
