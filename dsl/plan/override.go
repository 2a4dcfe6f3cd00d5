package plan

import (
	"time"

	"github.com/leadroute/leadroute"
)

// OverridePrefix stands before an override's name where it is reported as the rule that took the lead.
const OverridePrefix = "override."

// Override is a temporary change of what the classes and rules say: the first one that is
// in force and whose When holds gives the lead its class, and, where it has Targets, takes it.
type Override struct {
	Name        string
	When        Cond
	From, Until time.Time // from inclusive, until exclusive, at the decision's time; zero: open
	Priority    leadroute.Class
	Targets     []RuleTarget
	Description string
	File        string
	Line        int
}

// InForce reports whether the override holds at that time.
func (o *Override) InForce(at time.Time) bool { return inForce(o.From, o.Until, at) }

// InForce reports whether the rule is enabled and holds at that time.
func (rule *Rule) InForce(at time.Time) bool {
	return !rule.Disabled && inForce(rule.From, rule.Until, at)
}

// Dated reports whether the rule holds for a time only.
func (rule *Rule) Dated() bool { return !rule.From.IsZero() || !rule.Until.IsZero() }

func inForce(from, until, at time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (until.IsZero() || at.Before(until))
}

// override finds the override that holds for the lead, nil if none does.
func (p *Plan) override(r *Record, w watcher) *Override {
	for i := range p.Overrides {
		o := &p.Overrides[i]
		if !o.InForce(r.at) {
			if w != nil {
				w.asked("override", o.Name, o.When, NotInForce)
			}
			continue
		}
		if ask(w, "override", o.Name, o.When, r) {
			return o
		}
	}
	return nil
}
