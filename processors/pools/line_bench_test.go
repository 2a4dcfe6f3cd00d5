package pools

import (
	"fmt"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// BenchmarkLine is an offer to a pool of sixty reps: of one that is full and turns the lead
// away, and of one with room that serves it, each while nobody and while eight leads wait.
func BenchmarkLine(b *testing.B) {
	for _, full := range []bool{true, false} {
		for _, waiting := range []int{0, lineMax} {
			b.Run(fmt.Sprintf("full=%v/waiting=%d", full, waiting), func(b *testing.B) {
				pool := &plan.Pool{Name: "emea"}
				p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": pool}}
				env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }, Roster: NewRoster()}
				for i := range 60 {
					s := desk.State{Profile: leadroute.Rep{ID: repID(i), Caps: leadroute.Caps{Open: 1}}, Status: leadroute.StatusAvailable, Version: 1}
					if full {
						s.Held = desk.Held{{Lead: "H", Rev: 1, Try: 1}}
					}
					pool.Members = append(pool.Members, repID(i))
					env.Roster.Update(repID(i), &s)
				}
				line := []Waiter{}
				for i := range waiting {
					id := leadroute.LeadID(fmt.Sprint("W", i))
					line = append(line, Waiter{Place: leadroute.Place{Lead: id, Queue: leadroute.QueueID(fmt.Sprint("q", i%3)), Deadline: leadroute.Millis(i)}, Plan: planHash(p), Cost: 1, At: noon})
				}
				o := &leadroute.Offer{Lead: "L", Rev: 1, Pool: "emea", Waits: true, Place: &leadroute.Place{Lead: "L", Queue: "q0", Deadline: 1 << 40}}
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					s := &State{Line: append([]Waiter(nil), line...)}
					o.Try = n
					Apply(env, "emea", s, &leadroute.PoolMessage{Offer: o}, noon+1)
					if !full {
						env.Roster.Said(&leadroute.Answer{Claim: claimID(o, s.Recent[0].Rep), Accepted: true})
					}
				}
			})
		}
	}
}
