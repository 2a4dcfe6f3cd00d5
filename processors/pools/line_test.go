package pools

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// crowd is a pool of full reps with leads that wait for it in several queues.
type crowd struct {
	t      *rapid.T
	env    Env
	row    *State
	now    leadroute.Millis
	places []leadroute.Place
	alike  bool // all queues go by deadline, or there is one
	tries  int
}

func newCrowd(t *rapid.T) *crowd {
	t.Helper()
	c := &crowd{t: t, now: transcript.Start}
	pool := &plan.Pool{Name: "emea", Members: []leadroute.RepID{repID(0), repID(1)}}
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": pool}}
	c.env = Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }, Roster: NewRoster()}
	c.room(0, 0)
	only := rapid.IntRange(-1, 2).Draw(t, "the one queue")
	deadlines := only < 0 && rapid.Bool().Draw(t, "all by deadline")
	c.alike = only >= 0 || deadlines
	for i := range rapid.IntRange(1, lineMax).Draw(t, "leads") {
		q := rapid.IntRange(0, 2).Draw(t, "queue")
		if only >= 0 {
			q = only
		}
		place := leadroute.Place{
			Lead: leadroute.LeadID(fmt.Sprint("L", i)), Queue: leadroute.QueueID(fmt.Sprint("q", q)),
			Deadline: c.now.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "deadline")) * time.Minute),
		}
		switch { // else each goes by an order of its own
		case deadlines:
		case q == 1:
			place.Rank = rapid.IntRange(0, 2).Draw(t, "rank")
		case q == 2:
			place.Order = c.now.Add(-time.Duration(rapid.IntRange(0, 9).Draw(t, "since")) * time.Minute)
		}
		c.places = append(c.places, place)
	}
	return c
}

// room gives the reps so many free places.
func (c *crowd) room(free ...int) {
	for i, n := range free {
		s := desk.State{Profile: leadroute.Rep{ID: repID(i), Caps: leadroute.Caps{Open: 10}}, Status: leadroute.StatusAvailable, Version: 1}
		for h := range 10 - n {
			s.Held = append(s.Held, desk.Claim{Lead: leadroute.LeadID(fmt.Sprint("H", h)), Rev: 1, Try: 1})
		}
		c.env.Roster.Update(repID(i), &s)
	}
}

// offer is true where a rep was asked.
func (c *crowd) offer(p leadroute.Place, waits bool) (asked bool, why string) {
	c.tries++
	var out []leadroute.Effect
	c.row, out = Apply(c.env, "emea", c.row, &leadroute.PoolMessage{Offer: &leadroute.Offer{
		Lead: p.Lead, Rev: 1, Try: c.tries, Pool: "emea", Deadline: p.Deadline, Place: &p, Waits: waits,
	}}, c.now)
	if b, err := leadroute.Encode(c.row); err != nil || len(b) > 2<<10 {
		c.t.Fatalf("the row has %d bytes, %v: want at most 2 kB", len(b), err)
	}
	if m, ok := out[0].Value.(*leadroute.LedgerMessage); ok {
		return false, m.NoCandidate.Reason
	}
	return true, ""
}

// tick offers the leads in any order, as the clocks of several partitions do, and returns
// those who got a rep.
func (c *crowd) tick() (served []leadroute.LeadID) {
	c.now = c.now.Add(250 * time.Millisecond)
	for _, p := range rapid.Permutation(c.places).Draw(c.t, "as they come") {
		if ok, _ := c.offer(p, true); ok {
			served = append(served, p.Lead)
			c.places = slices.DeleteFunc(c.places, func(q leadroute.Place) bool { return q == p })
		}
	}
	return served
}

// TestCapacityGoesToTheFirstInLine: where k places come free, k leads get them, in whatever
// order they are offered, and no lead that comes in meanwhile and would stand behind them;
// the first ones, where they wait in one queue, whatever it goes by, or in several that go by
// deadline. (Where queues go by different orders, one that is served early uncovers the next
// of its queue, which may have the earliest deadline of all.)
func TestCapacityGoesToTheFirstInLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCrowd(t)
		if served := c.tick(); served != nil {
			t.Fatalf("the full pool asked a rep for %v", served)
		}
		line := slices.Clone(c.places)
		leadroute.Line(line)
		one, two := rapid.IntRange(0, 4).Draw(t, "free"), rapid.IntRange(0, 4).Draw(t, "free, too")
		c.room(one, two)
		var want, got []leadroute.LeadID
		for _, p := range line[:min(one+two, len(line))] {
			want = append(want, p.Lead)
		}
		newcomers := 0
		for range 2 * lineMax {
			late := leadroute.Place{Lead: leadroute.LeadID(fmt.Sprint("N", c.tries)), Queue: "q0", Deadline: c.now.Add(time.Hour)}
			ok, why := c.offer(late, false)
			if ok {
				newcomers++
			}
			if newcomers > max(0, one+two-len(line)) || !ok && why != "others_wait" && why != nobodyAvailable {
				t.Fatalf("%d and %d places: %d new leads got a rep, the next one %q, and %v wait of %v", one, two, newcomers, why, c.places, line)
			}
			got = append(got, c.tick()...)
		}
		if len(got) != len(want) || c.alike && slices.ContainsFunc(want, func(l leadroute.LeadID) bool { return !slices.Contains(got, l) }) {
			t.Fatalf("%d and %d places: %v got a rep, want %v of the line %v", one, two, got, want, line)
		}
	})
}

// TestTheLineForgets: whoever is not offered again, because there was a place elsewhere,
// holds up nobody for longer than lineTTL.
func TestTheLineForgets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCrowd(t)
		c.tick()
		c.room(1, 0)
		line := slices.Clone(c.places)
		leadroute.Line(line)
		last := line[len(line)-1]
		if ok, why := c.offer(last, true); ok != (len(line) == 1) || !ok && why != "others_wait" {
			t.Fatalf("the last of %v: asked %v, %s", line, ok, why)
		}
		c.now = c.now.Add(lineTTL)
		if ok, why := c.offer(last, true); len(line) > 1 && !ok {
			t.Fatalf("the last of %v was turned away once nobody else asked: %s", line, why)
		}
	})
}

// TestAnotherPlanIsAnotherLine: the pool of another plan has other members, so that those who
// wait under one do not hold up those under the other.
func TestAnotherPlanIsAnotherLine(t *testing.T) {
	pool := &plan.Pool{Name: "emea", Members: []leadroute.RepID{repID(0)}}
	old := &plan.Plan{ID: "old", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": {Name: "emea", Members: []leadroute.RepID{repID(1)}}}}
	now := &plan.Plan{ID: "now", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": pool}}
	env := Env{Roster: NewRoster(), Plan: func(id leadroute.PlanID) *plan.Plan {
		if id == "old" {
			return old
		}
		return now
	}}
	env.Roster.Update(repID(0), &desk.State{Profile: leadroute.Rep{ID: repID(0), Caps: leadroute.Caps{Open: 1}}, Status: leadroute.StatusAvailable})
	env.Roster.Update(repID(1), &desk.State{Profile: leadroute.Rep{ID: repID(1)}, Status: leadroute.StatusAway})
	offer := func(lead leadroute.LeadID, by leadroute.PlanID, deadline leadroute.Millis) *leadroute.PoolMessage {
		return &leadroute.PoolMessage{Offer: &leadroute.Offer{
			Lead: lead, Rev: 1, Try: 1, Pool: "emea", Plan: by, Waits: true, Place: &leadroute.Place{Lead: lead, Queue: "q", Deadline: deadline},
		}}
	}
	row, _ := Apply(env, "emea", nil, offer("L1", "old", 1), transcript.Start)
	_, out := Apply(env, "emea", row, offer("L2", "now", 2), transcript.Start)
	if _, ok := out[0].Value.(*leadroute.RepMessage); !ok {
		t.Errorf("L2 was answered %+v, want a claim: L1 waits for another rep", out[0].Value)
	}
}
