package reps

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// zones have clock changes at every awkward time: in the night, at midnight forwards
// (the day has no 00:00), at one o'clock back to midnight (the day has it twice), by half an hour.
var zones = []struct {
	name string
	near []string // instants of changes, in UTC
}{
	{"UTC", []string{"2026-03-29T00:00:00Z"}},
	{"Europe/Berlin", []string{"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"}},
	{"America/New_York", []string{"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"}},
	{"America/Santiago", []string{"2025-09-07T04:00:00Z", "2025-04-06T03:00:00Z"}},
	{"America/Havana", []string{"2026-03-08T05:00:00Z", "2026-11-01T05:00:00Z"}},
	{"Asia/Beirut", []string{"2026-03-28T22:00:00Z", "2026-10-24T21:00:00Z"}},
	{"Africa/Cairo", []string{"2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z"}},
	{"Asia/Gaza", []string{"2020-10-23T22:00:00Z"}},
	{"Australia/Lord_Howe", []string{"2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"}},
	{"Asia/Kathmandu", []string{"2026-01-04T18:15:00Z"}},
}

// taken is the reference: a claim that was accepted once.
type taken struct {
	claim   leadroute.Claim
	at      leadroute.Millis
	held    bool
	counts  bool // against the caps over time
	settled bool // released as counted: it counts for ever
}

// reference decides by the words of the caps, over everything that ever happened.
type reference struct {
	own   leadroute.Caps
	cost  map[leadroute.Class]int // of the own places
	pools map[leadroute.PoolID]*plan.Pool
	zone  *time.Location
	all   []*taken
}

func (r *reference) find(id leadroute.ClaimID) *taken {
	for _, t := range r.all {
		if t.claim.ID == id {
			return t
		}
	}
	return nil
}

// free tells whether one more claim stays within every cap.
func (r *reference) free(c *leadroute.Claim, at leadroute.Millis) bool {
	return r.ownWithin(at, c) && (c.Pool == "" || r.poolWithin(c.Pool, at, c))
}

// ownWithin tells whether the rep's own caps hold, with one more claim if there is one.
func (r *reference) ownWithin(at leadroute.Millis, more *leadroute.Claim) bool {
	own := r.own
	if own.Open == 0 {
		own.Open = leadroute.DefaultOpenCap
	}
	return r.within(own, r.cost, at, func(*taken) bool { return true }, more)
}

func (r *reference) poolWithin(pool leadroute.PoolID, at leadroute.Millis, more *leadroute.Claim) bool {
	p := r.pools[pool]
	return r.within(p.Caps, p.Cost, at, func(t *taken) bool { return t.claim.Pool == pool }, more)
}

// price is what a claim takes of places that cost so much.
func price(cost map[leadroute.Class]int, c leadroute.Class) int { return max(cost[c], 1) }

// within tells whether the claims that match, and one more, stay within the caps.
func (r *reference) within(c leadroute.Caps, cost map[leadroute.Class]int, at leadroute.Millis, match func(*taken) bool, more *leadroute.Claim) bool {
	open, hour, day, week := 0, 0, 0, 0
	if more != nil {
		open, hour, day, week = price(cost, more.Class), 1, 1, 1
	}
	now := at.Time().In(r.zone)
	for _, t := range r.all {
		if t.claim.EvenIfFull || !match(t) {
			continue
		}
		if t.held {
			open += price(cost, t.claim.Class)
		}
		if !t.counts {
			continue
		}
		then := t.at.Time().In(r.zone)
		if at.Sub(t.at) < time.Hour {
			hour++
		}
		if then.Format(time.DateOnly) == now.Format(time.DateOnly) {
			day++
		}
		y1, w1 := then.ISOWeek()
		y2, w2 := now.ISOWeek()
		if y1 == y2 && w1 == w2 {
			week++
		}
	}
	ok := func(n, limit int) bool { return limit == 0 || n <= limit }
	return ok(open, c.Open) && ok(hour, c.PerHour) && ok(day, c.PerDay) && ok(week, c.PerWeek)
}

func drawCaps(t *rapid.T, label string) leadroute.Caps {
	limit := rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 6))
	return leadroute.Caps{
		Open: limit.Draw(t, label+" open"), PerHour: limit.Draw(t, label+" hour"),
		PerDay: limit.Draw(t, label+" day"), PerWeek: limit.Draw(t, label+" week"),
	}
}

var classes = []leadroute.Class{"P0", "P1", "P2"}

func drawCosts(t *rapid.T, label string) map[leadroute.Class]int {
	cost := map[leadroute.Class]int{}
	for _, c := range classes {
		if n := rapid.IntRange(0, 3).Draw(t, label+" "+string(c)); n > 0 {
			cost[c] = n
		}
	}
	return cost
}

// TestCapsHold: whatever claims, copies and releases come in whatever order and at
// whatever time, a rep accepts exactly while every cap has room, and answers a copy of
// what is held as held.
func TestCapsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(z.name)
		if err != nil {
			t.Fatal(err)
		}
		change, err := time.Parse(time.RFC3339, rapid.SampledFrom(z.near).Draw(t, "near"))
		if err != nil {
			t.Fatal(err)
		}
		now := leadroute.At(change.Add(-time.Duration(rapid.IntRange(0, 9*24*60).Draw(t, "minutes before")) * time.Minute))
		ref := &reference{own: drawCaps(t, "own"), cost: drawCosts(t, "own"), zone: zone, pools: map[leadroute.PoolID]*plan.Pool{}}
		for _, name := range []leadroute.PoolID{"a", "b"} {
			ref.pools[name] = &plan.Pool{Name: name, Caps: drawCaps(t, string(name)), PoolTaste: plan.PoolTaste{Cost: drawCosts(t, string(name))}}
		}
		p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: ref.pools}
		env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
		s, _ := Apply(env, "ana", nil, &leadroute.RepMessage{Profile: &leadroute.Rep{Timezone: z.name, Caps: ref.own, Cost: ref.cost}}, now)

		send := func(m *leadroute.RepMessage) []leadroute.Effect {
			var out []leadroute.Effect
			s, out = Apply(env, "ana", reread(t, s), m, now)
			return out
		}
		claim := func(c leadroute.Claim) {
			known := ref.find(c.ID)
			held := known != nil && known.held
			want := held || c.EvenIfFull || ref.free(&c, now)
			a := theAnswer(t, send(&leadroute.RepMessage{Claim: &c}))
			if a.Accepted != want || a.Claim != c.ID {
				t.Fatalf("at %v (%v): claim %v through %q: accepted %v (%s), want %v\nrow %+v", now.Time().In(zone), now.Time(), c.ID, c.Pool, a.Accepted, a.Reason, want, *s)
			}
			if held || !want {
				return
			}
			if known == nil {
				known = &taken{claim: c}
				ref.all = append(ref.all, known)
			}
			if !known.settled {
				known.at, known.counts = now, !c.EvenIfFull
			}
			known.held = true
		}
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				claim(leadroute.Claim{
					ID:         leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", len(ref.all), "_", now)), Rev: 1, Try: rapid.IntRange(1, 1<<30).Draw(t, "try"), Rep: "ana"},
					Pool:       rapid.SampledFrom([]leadroute.PoolID{"a", "b", ""}).Draw(t, "pool"),
					Class:      rapid.SampledFrom(classes).Draw(t, "class"),
					EvenIfFull: rapid.IntRange(0, 7).Draw(t, "even if full") == 7,
				})
			},
			"copy": func(t *rapid.T) { // copies come soon; one that comes after midnight counts for the new day
				soon := slices.DeleteFunc(slices.Clone(ref.all), func(k *taken) bool {
					return now.Sub(k.at) >= time.Hour || now.Time().In(zone).Day() != k.at.Time().In(zone).Day()
				})
				if len(soon) > 0 {
					claim(rapid.SampledFrom(soon).Draw(t, "of").claim)
				}
			},
			"release": func(t *rapid.T) {
				if len(ref.all) == 0 {
					return
				}
				k := rapid.SampledFrom(ref.all).Draw(t, "which")
				m := &leadroute.RepMessage{Release: &leadroute.Release{Claim: k.claim.ID, Counted: rapid.Bool().Draw(t, "counted")}}
				send(m)
				once := encode(t, s)
				send(m)
				if twice := encode(t, s); !bytes.Equal(once, twice) {
					t.Fatalf("release %v twice: row %s, want %s", k.claim.ID, twice, once)
				}
				if !k.held {
					return
				}
				k.held = false
				if m.Release.Counted {
					k.settled = !k.claim.EvenIfFull
				} else {
					k.counts = k.settled
				}
			},
			"time passes": func(t *rapid.T) {
				most := rapid.SampledFrom([]int{1, 60, 600, 3000}).Draw(t, "scale")
				now = now.Add(time.Duration(rapid.IntRange(0, most).Draw(t, "minutes"))*time.Minute + time.Duration(rapid.IntRange(0, 2).Draw(t, "ms"))*time.Millisecond)
			},
			"": func(t *rapid.T) {
				held, open := 0, 0
				for _, k := range ref.all {
					if k.held {
						held++
					}
					if k.held && !k.claim.EvenIfFull {
						open += price(ref.cost, k.claim.Class)
					}
				}
				if s.Open() != open || len(s.Held) != held {
					t.Fatalf("Open() = %d with %d held, want %d with %d", s.Open(), len(s.Held), open, held)
				}
				if !ref.ownWithin(now, nil) || !ref.poolWithin("a", now, nil) || !ref.poolWithin("b", now, nil) {
					t.Fatalf("the rep is over a cap (own %+v at %v, pools %+v %+v): %+v", ref.own, ref.cost, ref.pools["a"], ref.pools["b"], *s)
				}
				if n := len(encode(t, s)); n > 16<<10 {
					t.Fatalf("the row has %d bytes, want at most 16 kB", n)
				}
			},
		})
	})
}

// TestNoCapIsEverExceeded: claims, copies, releases, confirms of what the row has lost and
// profiles come in whatever order, from clocks that differ and to owners that have not seen
// the times before. No claim is ever accepted that leads over a cap, of the rep or of a pool,
// open, in an hour, on a day or in a week; a cap over time counts from when there is one.
func TestNoCapIsEverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone").name)
		if err != nil {
			t.Fatal(err)
		}
		now := leadroute.Millis(1774742400000 + rapid.Int64Range(0, 9*24*3600_000).Draw(t, "start")) // around the changes of the clocks of March 2026
		own, cost := drawCaps(t, "own"), drawCosts(t, "own")
		p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}}
		for _, name := range []leadroute.PoolID{"a", "b"} {
			p.Pools[name] = &plan.Pool{Name: name, Caps: drawCaps(t, string(name)), PoolTaste: plan.PoolTaste{Cost: drawCosts(t, string(name))}}
		}
		env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
		var s *desk.State
		seen := leadroute.Millis(0) // by this owner
		send := func(t *rapid.T, m *leadroute.RepMessage) (out []leadroute.Effect) {
			skew := leadroute.Millis(rapid.SampledFrom([]int{0, 0, 0, -5, -90, 5, 90}).Draw(t, "skew") * 60_000)
			if seen = max(seen, now+skew); rapid.IntRange(0, 3).Draw(t, "new owner") == 0 {
				seen = now + skew
			}
			s, out = Apply(env, "ana", reread(t, s), m, seen)
			return out
		}
		profile := func(t *rapid.T) {
			send(t, &leadroute.RepMessage{Profile: &leadroute.Rep{Timezone: zone.String(), Caps: own, Cost: cost}})
		}
		profile(t)
		type one struct {
			claim        leadroute.Claim
			at           leadroute.Millis
			own, pool    int // what it was taken at
			held, counts bool
			settled      bool // released as counted: it counts for good
		}
		var all []*one
		over := func(c leadroute.Caps, at leadroute.Millis, in func(*one) bool, places func(*one) int) string {
			open, hour, day, week := 0, 0, 0, 0
			local := at.Time().In(zone)
			for _, k := range all {
				if k.claim.EvenIfFull || !in(k) {
					continue
				}
				if k.held {
					open += places(k)
				}
				if !k.counts || k.at > at {
					continue
				}
				then := k.at.Time().In(zone)
				if at.Sub(k.at) < time.Hour {
					hour++
				}
				y1, w1 := then.ISOWeek()
				if y2, w2 := local.ISOWeek(); y1 == y2 && w1 == w2 {
					week++
				}
				if then.Format(time.DateOnly) == local.Format(time.DateOnly) {
					day++
				}
			}
			if c.Open > 0 && open > c.Open || c.PerHour > 0 && hour > c.PerHour || c.PerDay > 0 && day > c.PerDay || c.PerWeek > 0 && week > c.PerWeek {
				return fmt.Sprintf("%d open, %d in the hour, %d on the day, %d in the week of %+v", open, hour, day, week, c)
			}
			return ""
		}
		again := func(t *rapid.T, k *one) {
			k.own, k.pool = price(cost, k.claim.Class), 1
			if pool := p.Pools[k.claim.Pool]; pool != nil {
				k.pool = price(pool.Cost, k.claim.Class)
			}
			k.held = true
			if !k.counts {
				k.counts = !k.claim.EvenIfFull
			}
		}
		claim := func(t *rapid.T, k *one) {
			a := theAnswer(t, send(t, &leadroute.RepMessage{Claim: &k.claim}))
			if !a.Accepted || k.held {
				return
			}
			if !k.counts || !k.claim.EvenIfFull && k.at == 0 {
				k.at = a.At
			}
			again(t, k)
			if k.claim.EvenIfFull {
				return
			}
			mine := own
			if mine.Open == 0 {
				mine.Open = leadroute.DefaultOpenCap
			}
			if why := over(mine, a.At, func(*one) bool { return true }, func(k *one) int { return k.own }); why != "" {
				t.Fatalf("%v was accepted at %v: %s\n%s", k.claim.ID, a.At.Time().In(zone), why, encode(t, s))
			}
			if pool := p.Pools[k.claim.Pool]; pool != nil {
				if why := over(pool.Caps, a.At, func(o *one) bool { return o.claim.Pool == pool.Name }, func(k *one) int { return k.pool }); why != "" {
					t.Fatalf("%v was accepted in %s at %v: %s\n%s", k.claim.ID, pool.Name, a.At.Time().In(zone), why, encode(t, s))
				}
			}
		}
		some := func(t *rapid.T) *one {
			if len(all) == 0 {
				t.Skip("nothing was taken yet")
			}
			return rapid.SampledFrom(all).Draw(t, "which")
		}
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				k := &one{claim: leadroute.Claim{
					ID:   leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", len(all))), Rev: 1, Try: 1, Rep: "ana"},
					Pool: rapid.SampledFrom([]leadroute.PoolID{"a", "b", ""}).Draw(t, "pool"), Class: rapid.SampledFrom(classes).Draw(t, "class"),
					EvenIfFull: rapid.IntRange(0, 9).Draw(t, "even if full") == 9,
				}}
				all = append(all, k)
				claim(t, k)
			},
			"copy": func(t *rapid.T) { claim(t, some(t)) },
			"release": func(t *rapid.T) {
				k := some(t)
				counted := rapid.Bool().Draw(t, "counted")
				send(t, &leadroute.RepMessage{Release: &leadroute.Release{Claim: k.claim.ID, Counted: counted}})
				if k.held {
					k.settled = k.settled || counted && !k.claim.EvenIfFull
					k.held, k.counts = false, k.settled
				}
			},
			"confirm": func(t *rapid.T) { // the row has lost it, or never had it
				k := some(t)
				if k.held {
					return
				}
				send(t, &leadroute.RepMessage{Confirm: &leadroute.Confirm{Claim: k.claim}})
				if !k.counts {
					k.at = s.Held[len(s.Held)-1].At
				}
				again(t, k)
			},
			"profile": func(t *rapid.T) {
				change := func(n *int, label string) {
					if *n > 0 { // a cap that comes counts from when it comes
						*n = rapid.IntRange(1, 6).Draw(t, label)
					}
				}
				change(&own.PerHour, "hour")
				change(&own.PerDay, "day")
				change(&own.PerWeek, "week")
				own.Open, cost = rapid.IntRange(0, 6).Draw(t, "open"), drawCosts(t, "own")
				profile(t)
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, rapid.SampledFrom([]int{1, 60, 600, 3000}).Draw(t, "scale")).Draw(t, "minutes")) * time.Minute)
			},
		})
	})
}

// TestCopyIsAnsweredTheSame: the same claim again, with nothing between, gets the same
// answer and leaves the row as it was.
func TestCopyIsAnsweredTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"a": {Name: "a", Caps: drawCaps(t, "pool")}}}
		env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
		now := leadroute.Millis(1768384800000)
		var s *desk.State
		if rapid.Bool().Draw(t, "known") {
			s, _ = Apply(env, "ana", nil, &leadroute.RepMessage{Profile: &leadroute.Rep{Caps: drawCaps(t, "own"), CRMID: "u1"}}, now)
		}
		for i := range 12 {
			m := &leadroute.RepMessage{Claim: &leadroute.Claim{ID: leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", i)), Rev: 1, Try: 1, Rep: "ana"}}}
			if rapid.Bool().Draw(t, "through a pool") {
				m.Claim.Pool = rapid.SampledFrom([]leadroute.PoolID{"a", "nowhere"}).Draw(t, "pool")
			}
			var first, second []leadroute.Effect
			s, first = Apply(env, "ana", reread(t, s), m, now)
			row := encode(t, s)
			s, second = Apply(env, "ana", reread(t, s), m, now)
			if a, b := theAnswer(t, first), theAnswer(t, second); *a != *b {
				t.Fatalf("claim %v: answered %+v, its copy %+v", m.Claim.ID, *a, *b)
			}
			if again := encode(t, s); !bytes.Equal(row, again) {
				t.Fatalf("claim %v: row %s, after its copy %s", m.Claim.ID, row, again)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second)
		}
	})
}

// TestRemovedRepKeepsTheDesk: a rep who is removed and comes back still counts what is
// on the desk, and meanwhile takes nothing.
func TestRemovedRepKeepsTheDesk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &plan.Plan{ID: "p", Zone: time.UTC}
		env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
		now, limit := leadroute.Millis(1768384800000), rapid.IntRange(1, 5).Draw(t, "cap")
		profile := &leadroute.RepMessage{Profile: &leadroute.Rep{Caps: leadroute.Caps{Open: limit}}}
		s, _ := Apply(env, "ana", nil, profile, now)
		var held []leadroute.ClaimID
		for i := range 60 {
			var out []leadroute.Effect
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				s, out = Apply(env, "ana", reread(t, s), &leadroute.RepMessage{Remove: &leadroute.RepRemoval{}}, now)
				if len(out) != 2*len(held) {
					t.Fatalf("removed with %d claims: sent %v, want each asserted and revised", len(held), out)
				}
				if len(held) > 0 == (s == nil) {
					t.Fatalf("removed with %d claims: row %v", len(held), s)
				}
			case 1:
				s, _ = Apply(env, "ana", reread(t, s), profile, now)
			case 2:
				if len(held) > 0 {
					s, _ = Apply(env, "ana", reread(t, s), &leadroute.RepMessage{Release: &leadroute.Release{Claim: held[0]}}, now)
					held = held[1:]
				}
			default:
				id := leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", i)), Rev: 1, Try: 1, Rep: "ana"}
				free := s != nil && !s.Gone && len(held) < limit
				s, out = Apply(env, "ana", reread(t, s), &leadroute.RepMessage{Claim: &leadroute.Claim{ID: id}}, now)
				if a := theAnswer(t, out); a.Accepted != free {
					t.Fatalf("claim with %d of %d held: %+v, want accepted %v", len(held), limit, *a, free)
				}
				if free {
					held = append(held, id)
				}
			}
		}
	})
}

func theAnswer(t *rapid.T, out []leadroute.Effect) *leadroute.Answer {
	t.Helper()
	if len(out) != 1 || out[0].Topic != leadroute.TopicLedger {
		t.Fatalf("a claim was answered with %v, want one answer", out)
	}
	return out[0].Value.(*leadroute.LedgerMessage).Answer
}

// reread is the row as the table gives it back.
func reread(t *rapid.T, s *desk.State) *desk.State {
	t.Helper()
	if s == nil {
		return nil
	}
	v, err := leadroute.Decode[desk.State](encode(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Held, s.Held) {
		t.Fatalf("Held went out as %v and came back as %v", s.Held, v.Held)
	}
	return v
}

func encode(t *rapid.T, s *desk.State) []byte {
	t.Helper()
	b, err := leadroute.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
