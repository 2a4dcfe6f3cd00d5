package plan

import (
	"slices"
	"strings"
	"time"
)

// Alert tells people, and holds back or opens up, when live figures say so.
type Alert struct {
	Name string
	// When is over figures: sla.P0.p95 and backlog.P0.oldest in seconds, dead_letters.rate
	// as a share, dead_letters.count.
	When Cond
	For  time.Duration // how long it must hold before anything happens
	// By is the field whose values are watched one by one; empty: all leads together.
	By     string
	Notify []string // channels
	Do     []Action
	layout *Layout
}

// Action is what an alert does while its condition holds.
type Action struct {
	Do string // hold, overflow, pause or widen
	On string // the class, pool or destination; of pause: empty, the source that the alert is by
}

// Over says which layout the alert's condition reads.
func (a Alert) Over(l *Layout) Alert {
	a.layout = l
	return a
}

// Figures are the names of what the condition reads, sorted.
func (a *Alert) Figures() []string {
	var names []string
	for n := range a.layout.slots {
		names = append(names, strings.TrimPrefix(n, factMark))
	}
	slices.Sort(names)
	return names
}

// Holds tells whether the condition is definitely true of the figures; what is not known
// leaves it undecided.
func (a *Alert) Holds(figure func(name string) (float64, bool)) bool {
	r := a.layout.New()
	defer r.Free()
	r.facts(func(name string) any {
		if v, ok := figure(name); ok {
			return v
		}
		return nil
	})
	return a.When.Holds(r)
}
