package plan

import (
	"strings"

	"github.com/leadroute/leadroute"
)

// Wording is what a way of a channel says, in the policy's own words. Its texts read the
// lead, the rep who has it (rep.x), what was decided (decision.x, assigned.x) and why
// somebody is told (step.x).
type Wording struct {
	Subject, Text *Text // nil: the usual words
	layout        *Layout
}

// NewWording returns an empty wording over a layout.
func NewWording(l *Layout) *Wording { return &Wording{layout: l} }

// WordFacts are what a wording reads besides what a shape reads and the rep, with their types.
var WordFacts = map[string]string{"step.name": TypeString, "step.reason": TypeString}

// Of writes the words of a notification; "" stands for what the policy does not say, and
// for a text of which a part is missing. rep is nil where nobody has the lead, site is the
// address of the API. What the lead and the rep say goes through escape, if that is not
// nil, the policy's own words do not.
func (w *Wording) Of(n *leadroute.Notification, rep *leadroute.Rep, site string, escape func(string) string) (subject, text string) {
	d := &n.Delivery
	r, err := w.layout.Lead(&leadroute.Lead{ID: d.Lead, Source: d.Source, EmittedAt: d.EmittedAt, ReceivedAt: d.ReceivedAt, Fields: d.Fields}, nil)
	if err != nil {
		return "", ""
	}
	defer r.Free()
	r.decided(DecidedPriority, string(d.Class))
	r.decided(DecidedTerritory, d.Territory)
	r.facts(func(name string) any {
		if of, ok := strings.CutPrefix(name, "rep."); ok {
			if rep == nil {
				return nil
			}
			return repField(rep, of)
		}
		switch name {
		case "step.reason":
			return n.Reason
		case "step.name":
			return n.Reason[strings.LastIndexByte(n.Reason, '/')+1:]
		default:
			return shapeFact(d, name, site)
		}
	})
	if escape != nil {
		for i := range r.strs {
			r.strs[i] = escape(r.strs[i])
		}
	}
	if w.Subject != nil {
		subject = w.Subject.Of(r)
	}
	if w.Text != nil {
		text = w.Text.Of(r)
	}
	return subject, text
}
