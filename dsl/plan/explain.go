package plan

import "time"

// Verdict is how a condition, or a target, fared.
type Verdict string

// The verdicts.
const (
	Matched   Verdict = "matched"
	False     Verdict = "false"
	Undecided Verdict = "undecided" // a field it needs is missing
	Disabled  Verdict = "disabled"
	// NotInForce is a rule or override outside of its from and until.
	NotInForce Verdict = "not in force"
	Nobody     Verdict = "nobody"   // of a target: it names nobody for this lead
	Repeated   Verdict = "repeated" // of a target: an earlier one is the same
)

// Explanation is a decision with the way to it.
type Explanation struct {
	Decision Decision `json:"decision"`
	// Priorities, Territories and Rules hold what was asked, up to the one that matched.
	Priorities  []Trace       `json:"priorities"`
	Overrides   []Trace       `json:"overrides,omitempty"`
	Territories []Trace       `json:"territories,omitempty"`
	Rules       []Trace       `json:"rules"`
	Targets     []TargetTrace `json:"targets"` // of the rule that matched
}

// Trace is what became of one condition.
type Trace struct {
	Name    string   `json:"name"`
	Verdict Verdict  `json:"verdict"`
	When    string   `json:"when,omitempty"` // as the author wrote it; empty: always
	Because []Reason `json:"because,omitempty"`
}

// Reason is one atom that kept a condition from holding, or made it hold.
type Reason struct {
	Test    string  `json:"test"`    // as the author wrote it
	Subject string  `json:"subject"` // lead.arr
	Actual  string  `json:"actual,omitempty"`
	Needs   string  `json:"needs"` // > 100000
	Not     bool    `json:"not,omitempty"`
	Verdict Verdict `json:"verdict"` // of the atom itself
}

// TargetTrace is what became of one target of the rule.
type TargetTrace struct {
	Source  string   `json:"source"`
	To      Target   `json:"to"`
	Verdict Verdict  `json:"verdict"`
	When    string   `json:"when,omitempty"`
	Because []Reason `json:"because,omitempty"`
}

// Explain decides as Decide does, by the same closures in the same order, and says what
// was asked on the way and why each condition did not hold.
func (p *Plan) Explain(r *Record, live Live, at time.Time) Explanation {
	e := &explainer{r: r}
	e.out.Decision = p.decide(r, live, at, e)
	return e.out
}

type explainer struct {
	r   *Record
	out Explanation
}

func (e *explainer) asked(kind, name string, c Cond, v Verdict) {
	t := Trace{Name: name, Verdict: v, When: c.Source}
	if v != Disabled && v != NotInForce {
		t.Because = why(c, e.r, v)
	}
	switch kind {
	case "priority":
		e.out.Priorities = append(e.out.Priorities, t)
	case "override":
		e.out.Overrides = append(e.out.Overrides, t)
	case "territory":
		e.out.Territories = append(e.out.Territories, t)
	default:
		e.out.Rules = append(e.out.Rules, t)
	}
}

func (e *explainer) target(t RuleTarget, to Target, v Verdict) {
	tt := TargetTrace{Source: t.Source, To: to, Verdict: v, When: t.When.Source}
	if v == False || v == Undecided {
		tt.Because = why(t.When, e.r, v)
	}
	e.out.Targets = append(e.out.Targets, tt)
}

func verdictOf(c Cond, r *Record) Verdict {
	switch {
	case c.Holds(r):
		return Matched
	case c.Fails(r):
		return False
	default:
		return Undecided
	}
}

// Judge says whether the condition is true, false or undecided for the record, and which
// of its atoms made it so.
func Judge(c Cond, r *Record) (verdict string, because []Reason) {
	v := verdictOf(c, r)
	verdict = string(v)
	if v == Matched {
		verdict = "true"
	}
	return verdict, why(c, r, v)
}

// why lists the atoms that gave the condition its verdict: of an && that is false the
// false parts alone, of one that is undecided the undecided ones.
func why(c Cond, r *Record, v Verdict) []Reason {
	var out []Reason
	collect(c, r, v, false, &out)
	return out
}

func collect(c Cond, r *Record, v Verdict, not bool, out *[]Reason) {
	switch c.Op {
	case OpAtom:
		reason := Reason{Test: c.Source, Subject: c.Atom.Subject, Needs: c.Atom.Needs, Not: not, Verdict: verdictOf(c, r)}
		if c.Atom.Actual != nil {
			reason.Actual = c.Atom.Actual(r)
		}
		*out = append(*out, reason)
	case OpNot:
		collect(c.Args[0], r, opposite(v), !not, out)
	case OpAnd, OpOr:
		for _, a := range c.Args {
			// The parts that share the verdict are its cause: all of them where an && holds,
			// the false ones where it fails.
			if verdictOf(a, r) == v {
				collect(a, r, v, not, out)
			}
		}
	case OpAlways, OpNever:
	}
}

func opposite(v Verdict) Verdict {
	switch v {
	case Matched:
		return False
	case False:
		return Matched
	default:
		return v
	}
}
