package plan

import (
	"time"

	"github.com/leadroute/leadroute"
)

// Where is a condition over leads that are under way: it reads the lead, its class and
// territory, and how the lead stands (route.x).
type Where struct {
	When   Cond
	layout *Layout
}

// NewWhere returns a condition over a layout.
func NewWhere(l *Layout, when Cond) *Where { return &Where{When: when, layout: l} }

// Route is how a lead stands that is under way.
type Route struct {
	Class     leadroute.Class
	Territory string
	Account   *leadroute.Account // as it was when the lead was decided; nil: none
	Rule      string
	Phase     string
	Owner     leadroute.RepID
	Pool      leadroute.PoolID  // through which the owner has it
	Queue     leadroute.QueueID // in which it waits
	Rev       int
	Age       time.Duration // since it was emitted
	Waited    time.Duration // in the queue
	Held      bool
	Late      bool // deliver_within was missed
}

// RouteFacts are what a Where reads of a lead's way, with their types.
var RouteFacts = map[string]string{
	"route.rule": TypeString, "route.phase": TypeString, "route.owner": TypeString, "route.pool": TypeString, "route.queue": TypeString,
	"route.revision": TypeNumber, "route.age": TypeNumber, "route.waited": TypeNumber, "route.held": TypeBool, "route.late": TypeBool,
}

// RoutePhases are the values of route.phase.
var RoutePhases = []string{"asking", "offering", "waiting", "confirming", "owned"}

// Holds tells whether the condition holds for the lead. The error says that the lead's
// fields are no JSON object.
func (w *Where) Holds(lead *leadroute.Lead, at Route) (bool, error) {
	r, err := w.layout.Lead(lead, at.Account)
	if err != nil {
		return false, err
	}
	defer r.Free()
	r.decided(DecidedPriority, string(at.Class))
	r.decided(DecidedTerritory, at.Territory)
	r.facts(func(name string) any {
		switch name {
		case "route.rule":
			return at.Rule
		case "route.phase":
			return at.Phase
		case "route.owner":
			return string(at.Owner)
		case "route.pool":
			return string(at.Pool)
		case "route.queue":
			return string(at.Queue)
		case "route.revision":
			return float64(at.Rev)
		case "route.age":
			return at.Age.Seconds()
		case "route.waited":
			if at.Queue == "" {
				return nil
			}
			return at.Waited.Seconds()
		case "route.held":
			return at.Held
		case "route.late":
			return at.Late
		}
		return nil
	})
	return w.When.Holds(r), nil
}
