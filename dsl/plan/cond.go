package plan

import (
	"strings"

	"github.com/leadroute/leadroute"
)

// Cond is a compiled condition over a lead. True and False report "definitely true"
// and "definitely false"; with a missing field both may be false (undecided). The zero
// Cond always holds.
//
// The closures are what decides. Op, Args and Atom are the same condition as a tree,
// for those who explain, index or analyze it.
type Cond struct {
	True, False func(*Record) bool
	Source      string // as the author wrote it

	Op   Op
	Args []Cond // of And, Or and Not
	Atom *Atom  // of OpAtom
}

// Op is the kind of a condition's node.
type Op uint8

// The kinds of nodes; the zero Cond is OpAlways.
const (
	OpAlways Op = iota
	OpNever
	OpAtom
	OpAnd
	OpOr
	OpNot
)

// Atom is a condition without && || and !.
type Atom struct {
	// Test is the operator or function: "==", "<", "one_of", "has", ...
	Test string
	// Subject is what is tested as the author wrote it, and Field its dotted name when it
	// is one field of the lead and nothing else.
	Subject, Field string
	// Texts and Numbers are what it is tested against when that is constant.
	Texts   []string
	Numbers []float64
	// Needs says what would make the atom true, to follow "needs": `> 100000`.
	Needs string
	// Actual is the subject's value for this record in the words of an explanation,
	// "" when it is missing.
	Actual func(*Record) string
	// reads is the field on whose value alone the atom depends, if it is one that Texts and
	// Numbers say all about; the index goes by it.
	reads Slot
}

// Holds reports whether the condition is definitely true.
func (c Cond) Holds(r *Record) bool { return c.True == nil || c.True(r) }

// Fails reports whether the condition is definitely false.
func (c Cond) Fails(r *Record) bool { return c.False != nil && c.False(r) }

// Always reports whether the condition holds for every lead by its form alone.
func (c Cond) Always() bool { return c.Op == OpAlways }

// Atoms calls f for each atom, with whether it stands under an odd number of negations.
func (c Cond) Atoms(f func(a *Atom, negated bool)) { c.atoms(f, false) }

func (c Cond) atoms(f func(*Atom, bool), negated bool) {
	if c.Atom != nil {
		f(c.Atom, negated)
	}
	if c.Op == OpNot {
		negated = !negated
	}
	for _, a := range c.Args {
		a.atoms(f, negated)
	}
}

// Constant returns the condition that is always true or always false.
func Constant(v bool, source string) Cond {
	if v {
		return Cond{True: yes, False: no, Source: source}
	}
	return Cond{True: no, False: yes, Source: source, Op: OpNever}
}

func yes(*Record) bool { return true }
func no(*Record) bool  { return false }

// And holds when all conditions hold, and fails when one of them fails.
func And(source string, args ...Cond) Cond {
	return Cond{Op: OpAnd, Args: args, Source: source, True: every(trues(args)), False: some(falses(args))}
}

// Or holds when one of the conditions holds, and fails when all of them fail.
func Or(source string, args ...Cond) Cond {
	return Cond{Op: OpOr, Args: args, Source: source, True: some(trues(args)), False: every(falses(args))}
}

// Not swaps holding and failing; what is undecided stays so.
func Not(source string, c Cond) Cond {
	t, f := sides(c)
	switch c.Op {
	case OpAlways, OpNever:
		return Constant(c.Op == OpNever, source)
	default:
		return Cond{Op: OpNot, Args: []Cond{c}, Source: source, True: f, False: t}
	}
}

// sides returns both closures, never nil.
func sides(c Cond) (t, f func(*Record) bool) {
	if c.True == nil {
		return yes, no
	}
	return c.True, c.False
}

func trues(args []Cond) []func(*Record) bool {
	fs := make([]func(*Record) bool, len(args))
	for i, a := range args {
		fs[i], _ = sides(a)
	}
	return fs
}

func falses(args []Cond) []func(*Record) bool {
	fs := make([]func(*Record) bool, len(args))
	for i, a := range args {
		_, fs[i] = sides(a)
	}
	return fs
}

func every(fs []func(*Record) bool) func(*Record) bool {
	if len(fs) == 2 {
		a, b := fs[0], fs[1]
		return func(r *Record) bool { return a(r) && b(r) }
	}
	return func(r *Record) bool {
		for _, f := range fs {
			if !f(r) {
				return false
			}
		}
		return true
	}
}

func some(fs []func(*Record) bool) func(*Record) bool {
	if len(fs) == 2 {
		a, b := fs[0], fs[1]
		return func(r *Record) bool { return a(r) || b(r) }
	}
	return func(r *Record) bool {
		for _, f := range fs {
			if f(r) {
				return true
			}
		}
		return false
	}
}

// atom builds an atom's condition.
func atom(a Atom, isTrue, isFalse func(*Record) bool) Cond {
	source := a.Subject + " " + a.Needs
	if strings.IndexByte("=!<>", a.Test[0]) < 0 {
		source = a.Test + "(" + a.Subject + ")"
	}
	return Cond{Op: OpAtom, Atom: &a, Source: source, True: isTrue, False: isFalse}
}

// negated turns an atom's condition into its opposite, which is an atom too.
func negated(c Cond, test, needs string) Cond {
	a := *c.Atom
	a.Test, a.Needs = test, needs
	return Cond{Op: OpAtom, Atom: &a, Source: a.Subject + " " + needs, True: c.False, False: c.True}
}

// RepCond is a compiled members_where: definitely true for this rep. Nil: nobody.
type RepCond func(*leadroute.Rep) bool

// RuleTarget is a target as a rule names it: fixed, or computed from the lead
// (territory.of_lead.pool, rep_by_id(...)). Of yields ok=false when it names nothing for this lead.
type RuleTarget struct {
	Of     func(*Record) (Target, bool)
	When   Cond
	Source string
	// Fixed is the target where it is the same for every lead, else nil.
	Fixed *Target
	// Could are the targets that it can be, but for reps who are found by a lead's field.
	Could []Target
}

// Live is what a condition may read of the live tables. It is a hint, never a guarantee.
type Live interface {
	// Available counts the pool's members who could take a lead now.
	Available(leadroute.PoolID) int
}
