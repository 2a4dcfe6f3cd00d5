package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// run is a small run on paper: reps, a pool that gives in turn, leads that come and are closed.
// It is right in every point until a test plants something.
type run struct {
	t     *testing.T
	log   *Log
	rules Rules
	e     Evidence
	now   leadroute.Millis
	n     int
}

const start = leadroute.Millis(1768384800000)

var trio = []leadroute.RepID{"ana", "ben", "cy"}

func newRun(t *testing.T) *run {
	t.Helper()
	r := &run{t: t, log: New(), now: start, rules: Rules{
		PoolOpen: map[leadroute.PoolID]int{"all": 2, "big": 5}, InTurn: map[leadroute.PoolID][]leadroute.RepID{"all": trio},
		Cost: map[leadroute.PoolID]map[leadroute.Class]int{"big": {"P0": 2}},
		Own:  map[leadroute.RepID]map[leadroute.Class]int{"cy": {"P0": 2}},
	}}
	for _, rep := range trio {
		r.toRep(rep, &leadroute.RepMessage{Profile: &leadroute.Rep{ID: rep, Caps: leadroute.Caps{Open: 3}}})
	}
	r.pass(2 * time.Second)
	return r
}

func (r *run) pass(d time.Duration) { r.now = r.now.Add(d) }

func (r *run) add(t leadroute.Topic, key string, v any) {
	r.t.Helper()
	b, err := leadroute.Encode(v)
	if err == nil {
		err = r.log.Add(t, key, b, r.now)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.now++
}

func (r *run) toRep(rep leadroute.RepID, m *leadroute.RepMessage) {
	r.add(leadroute.TopicReps, string(rep), m)
}

func (r *run) event(e leadroute.LatencyEvent) {
	e.At = r.now
	r.add(leadroute.TopicEvents, string(e.Lead), &e)
}

func (r *run) row(id leadroute.LeadID, format string, args ...any) {
	r.t.Helper()
	if err := r.log.AddRow(leadroute.TopicLedger, string(id), fmt.Appendf(nil, format, args...)); err != nil {
		r.t.Fatal(err)
	}
}

// accept lets a new lead in; it has no owner yet.
func (r *run) accept() leadroute.LeadID {
	r.n++
	id := leadroute.LeadID(fmt.Sprint("L", r.n))
	r.e.Accepted = append(r.e.Accepted, id)
	r.event(leadroute.LatencyEvent{Lead: id, Rev: 1, Step: leadroute.StepReceived})
	r.event(leadroute.LatencyEvent{Lead: id, Rev: 1, Step: leadroute.StepDecided, Class: "P0"})
	return id
}

// ask has the pool ask a rep, who answers.
func (r *run) ask(c leadroute.ClaimID, pool leadroute.PoolID, yes bool) {
	r.add(leadroute.TopicPools, string(pool), &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: c.Lead, Rev: c.Rev, Try: c.Try, Pool: pool}})
	r.toRep(c.Rep, &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Pool: pool, Class: "P0"}})
	r.add(leadroute.TopicLedger, string(c.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Accepted: yes}})
}

// own has the rep own the lead, and the CRM told.
func (r *run) own(c leadroute.ClaimID, pool leadroute.PoolID) {
	r.ask(c, pool, true)
	r.event(leadroute.LatencyEvent{Lead: c.Lead, Rev: c.Rev, Step: leadroute.StepAssigned, N: uint64(c.Try), Rep: c.Rep, Pool: pool})
	r.row(c.Lead, `{"p":"owned","r":%d,"cl":{"id":{"lead":%q,"rev":%d,"try":%d,"rep":%q}}}`, c.Rev, c.Lead, c.Rev, c.Try, c.Rep)
	a := crmsim.Applied{Lead: c.Lead, Revision: c.Rev, Owner: c.Rep, Pool: pool, At: int64(r.now) * 1000}
	for i := range r.e.CRM {
		if rec := &r.e.CRM[i]; rec.Lead == c.Lead {
			rec.Applied, rec.History = a, append(rec.History, a)
			return
		}
	}
	r.e.CRM = append(r.e.CRM, crmsim.Record{Applied: a, Priority: "P0", FirstAck: 1, History: []crmsim.Applied{a}})
}

func (r *run) close(c leadroute.ClaimID) {
	for i := range r.e.CRM {
		if rec := &r.e.CRM[i]; rec.Lead == c.Lead {
			rec.History[len(rec.History)-1].EndedAt = int64(r.now) * 1000
		}
	}
	r.event(leadroute.LatencyEvent{Lead: c.Lead, Rev: c.Rev, Step: leadroute.StepClosed})
	r.toRep(c.Rep, &leadroute.RepMessage{Release: &leadroute.Release{Claim: c}})
	r.row(c.Lead, `{"p":"closed","r":%d}`, c.Rev)
}

// day gives leads to the three in turn; each is closed soon.
func (r *run) day(leads int) {
	for i := range leads {
		c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: trio[i%3]}
		r.own(c, "all")
		r.close(c)
		r.pass(100 * time.Millisecond)
	}
}

func (r *run) judge() *Verdict { return r.log.Judge(&r.rules, &r.e) }

func TestGoodRun(t *testing.T) {
	r := newRun(t)
	r.day(30)
	// Ana declines, and the turn is made up for; a lead moves from her to cy; one waits, one is dead.
	id := r.accept()
	r.ask(leadroute.ClaimID{Lead: id, Rev: 1, Try: 1, Rep: "ana"}, "all", false)
	c := leadroute.ClaimID{Lead: id, Rev: 1, Try: 2, Rep: "ben"}
	r.own(c, "all")
	c.Lead, c.Try, c.Rep = r.accept(), 1, "ana"
	r.own(c, "all")
	r.event(leadroute.LatencyEvent{Lead: c.Lead, Rev: 2, Step: leadroute.StepReassigned, Rep: "ana"})
	r.toRep("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: c}})
	r.own(leadroute.ClaimID{Lead: c.Lead, Rev: 2, Try: 1, Rep: "cy"}, "all")
	// Four of the pool's five places are three of ben's own, with the one that he has.
	for range 2 {
		r.own(leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ben"}, "big")
	}
	// Ana is removed; her row of then may answer a claim that came before.
	early := leadroute.ClaimID{Lead: id, Rev: 9, Try: 1, Rep: "ana"}
	r.toRep("ana", &leadroute.RepMessage{Claim: &leadroute.Claim{ID: early}})
	r.toRep("ana", &leadroute.RepMessage{Remove: &leadroute.RepRemoval{}})
	r.add(leadroute.TopicLedger, string(early.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: early, Reason: "unknown_rep"}})
	waits := r.accept()
	r.event(leadroute.LatencyEvent{Lead: waits, Rev: 1, Step: leadroute.StepQueued, Queue: "backlog"})
	r.row(waits, `{"p":"waiting","r":1,"q":"backlog"}`)
	dead := r.accept()
	r.add(leadroute.TopicDeadLetters, string(dead), &leadroute.DeadLetter{ID: string(dead), Lead: dead, Reason: "no_rule"})
	r.row(dead, `{"p":"dead","r":1}`)

	v := r.judge()
	if f := v.Failures(); len(f) > 0 {
		t.Errorf("failures %v: %v, want none", f, v.Examples)
	}
	if v.Turns < 25 || v.Longest < 10 {
		t.Errorf("%d turns judged, up to %d in a row; want most of 30", v.Turns, v.Longest)
	}
}

// Each wrong run is told, by its name.
func TestPlantedWrongs(t *testing.T) {
	lead := func(r *run, n int, rep leadroute.RepID) leadroute.ClaimID {
		for r.n < n {
			r.accept()
		}
		return leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", n)), Rev: 1, Try: 1, Rep: rep}
	}
	for name, c := range map[string]struct {
		plant func(r *run)
		want  string // a failure's beginning
		says  string // in an example
	}{
		"a fourth place of three": {func(r *run) {
			for i := range 4 {
				r.own(lead(r, i+1, "ana"), "other")
			}
		}, "over_capacity: 3", "4 places of 3"}, // by the inbox, by the events, and by the CRM
		"a rep takes more than the ledger commits": {func(r *run) {
			for i := range 4 {
				r.ask(lead(r, i+1, "ana"), "other", true)
			}
		}, "over_capacity: 1", "4 places of 3"},
		"the ledger commits more than the rep holds": {func(r *run) {
			for i := range 4 {
				c := lead(r, i+1, "ana")
				r.own(c, "other")
				r.toRep("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: c}})
			}
		}, "over_capacity: 2", "by the events"},
		"a third place of two in the pool": {func(r *run) {
			for i := range 3 {
				r.own(lead(r, i+1, "ana"), "all")
			}
		}, "over_capacity: 3", "in pool all"},
		"leads that take two places of the rep's own": {func(r *run) {
			r.own(lead(r, 1, "cy"), "other")
			r.own(lead(r, 2, "cy"), "other")
		}, "over_capacity: 3", "4 places of 3"},
		"leads that take two places of the pool's": {func(r *run) {
			for i := range 3 {
				r.own(lead(r, i+1, "ana"), "big")
			}
		}, "over_capacity: 3", "6 places of 5 in pool big"},
		"the ledger commits more than the pool's places": {func(r *run) {
			for i := range 3 {
				c := lead(r, i+1, "ana")
				r.own(c, "all")
				r.toRep("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: c}})
			}
		}, "over_capacity: 2", "by the events"},
		"one revision, two owners": {func(r *run) {
			r.own(lead(r, 1, "ana"), "all")
			r.event(leadroute.LatencyEvent{Lead: "L1", Rev: 1, Step: leadroute.StepAssigned, N: 2, Rep: "ben"})
		}, "double_owner: 1", "[ana ben]"},
		"the CRM has somebody else": {func(r *run) {
			r.own(lead(r, 1, "ana"), "all")
			r.e.CRM[0].Owner, r.e.CRM[0].History[0].Owner = "ben", "ben"
		}, "double_owner: 2", "the CRM"},
		"the CRM has an older revision": {func(r *run) {
			r.own(lead(r, 1, "ana"), "all")
			r.row("L1", `{"p":"owned","r":2,"cl":{"id":{"lead":"L1","rev":2,"try":1,"rep":"ana"}}}`)
		}, "double_owner: 1", "revision 2"},
		"nobody knows an accepted lead": {func(r *run) { r.e.Accepted = append(r.e.Accepted, "L99") }, "lost: 1", "does not know"},
		"a lead hangs in the middle": {func(r *run) {
			r.row(r.accept(), `{"p":"offering","r":1}`)
		}, "lost: 1", "ends offering"},
		"a lead is dead and nobody says why": {func(r *run) {
			r.row(r.accept(), `{"p":"dead","r":1}`)
		}, "lost: 1", "ends dead"},
		"closed, and never at the CRM": {func(r *run) {
			r.own(lead(r, 1, "ana"), "all")
			r.e.CRM = nil
		}, "lost: 1", "at the CRM: false"},
		"decided twice": {func(r *run) {
			id := r.accept()
			r.event(leadroute.LatencyEvent{Lead: id, Rev: 1, Step: leadroute.StepDecided, N: 7})
			r.row(id, `{"p":"dead","r":1}`)
			r.add(leadroute.TopicDeadLetters, string(id), &leadroute.DeadLetter{ID: string(id), Lead: id, Reason: "x"})
		}, "doubled: 1", "decided 2 times"},
		"one revision twice at the CRM": {func(r *run) {
			r.own(lead(r, 1, "ana"), "all")
			r.e.CRM[0].History = append(r.e.CRM[0].History, r.e.CRM[0].History[0])
		}, "doubled: 1", "twice"},
		"a place is held for a lead that was closed": {func(r *run) {
			c := lead(r, 1, "ana")
			r.own(c, "all")
			r.close(c)
			if err := r.log.AddRow(leadroute.TopicReps, "ana", []byte(`{"held":"L1 1 0 1 all 1768384800000"}`)); err != nil {
				r.t.Fatal(err)
			}
		}, "leaked: 1", "which is closed"},
		"a rep is forgotten": {func(r *run) {
			c := lead(r, 1, "ana")
			r.ask(c, "all", false)
			r.add(leadroute.TopicLedger, string(c.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Reason: "unknown_rep"}})
		}, "forgotten: 1", "ana was unknown"},
		"an event in two ways": {func(r *run) {
			c := lead(r, 1, "ana")
			r.own(c, "all")
			r.event(leadroute.LatencyEvent{Lead: c.Lead, Rev: 1, Step: leadroute.StepAssigned, N: 1, Rep: "ben"})
		}, "altered events: 1", "two ways"},
		"a replay takes a fourth place, and dates it later": {func(r *run) {
			for i := range 3 {
				r.ask(lead(r, i+1, "ana"), "other", true)
			}
			c := lead(r, 4, "ana")
			r.toRep("ana", &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Pool: "other", Class: "P0"}})
			r.pass(time.Second)
			at := r.now
			r.toRep("ana", &leadroute.RepMessage{Status: new(leadroute.StatusAway)})
			r.add(leadroute.TopicLedger, string(c.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Accepted: true, At: at}})
		}, "over_capacity: 1", "4 places of 3"},
		"a copy takes a fourth place": {func(r *run) {
			for i := range 3 {
				r.ask(lead(r, i+1, "ana"), "other", true)
			}
			c := lead(r, 4, "ana")
			r.ask(c, "other", false)
			r.ask(c, "other", true)
		}, "over_capacity: 1", "4 places of 3"},
		"two leads in a row for one": {func(r *run) {
			r.day(6)
			for range 2 {
				c := lead(r, r.n+1, "ana")
				r.own(c, "all")
				r.close(c)
				r.pass(100 * time.Millisecond)
			}
		}, "out of turn: 1", "differ by 2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t)
			c.plant(r)
			v := r.judge()
			fails := v.Failures()
			if !slices.Contains(fails, c.want) || !strings.Contains(strings.Join(v.Examples, "\n"), c.says) {
				t.Errorf("failures %q, examples %q; want %q and %q", fails, v.Examples, c.want, c.says)
			}
		})
	}
}

// Turns are not judged of who is not free, was asked in vain, or while instances come and go.
func TestTurnsNotJudged(t *testing.T) {
	twice := func(r *run) {
		for range 2 {
			c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ana"}
			r.own(c, "all")
			r.close(c)
			r.pass(100 * time.Millisecond)
		}
	}
	for name, plant := range map[string]func(r *run){
		"the others are away": func(r *run) {
			for _, rep := range trio[1:] {
				r.toRep(rep, &leadroute.RepMessage{Status: new(leadroute.StatusAway)})
			}
			twice(r)
		},
		"the others have just come back": func(r *run) {
			for _, rep := range trio[1:] {
				r.toRep(rep, &leadroute.RepMessage{Status: new(leadroute.StatusAway)})
				r.toRep(rep, &leadroute.RepMessage{Status: new(leadroute.StatusAvailable)})
			}
			twice(r)
		},
		"the others are paused": func(r *run) {
			for _, rep := range trio[1:] {
				r.toRep(rep, &leadroute.RepMessage{Pause: &leadroute.Pause{Until: r.now.Add(time.Minute)}})
			}
			twice(r)
		},
		"the others are full": func(r *run) {
			for i, rep := range []leadroute.RepID{"ben", "ben", "ben", "cy", "cy", "cy"} {
				r.own(leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1 + i, Rep: rep}, "other")
			}
			twice(r)
		},
		"a turn that she declined before": func(r *run) {
			r.ask(leadroute.ClaimID{Lead: "L0", Rev: 1, Try: 1, Rep: "ana"}, "all", false)
			twice(r)
		},
		"a claim waits for its answer": func(r *run) {
			c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ben"}
			r.toRep("ben", &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Class: "P0"}})
			twice(r)
			r.pass(2 * time.Second)
			r.add(leadroute.TopicLedger, string(c.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Accepted: true}})
		},
		"the other got the last place in that very instant": func(r *run) {
			r.toRep("cy", &leadroute.RepMessage{Status: new(leadroute.StatusAway)})
			for range 2 {
				r.own(leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ben"}, "other")
			}
			r.pass(2 * time.Second)
			now := r.now
			for _, rep := range []leadroute.RepID{"ben", "ana", "ana"} {
				c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: rep}
				r.now = now
				r.ask(c, "all", true)
				r.now = now
			}
		},
		"an offer waits for its claim": func(r *run) {
			c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ben"}
			r.add(leadroute.TopicPools, "other", &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: c.Lead, Rev: 1, Try: 1, Pool: "other"}})
			twice(r)
			r.pass(time.Second)
			r.toRep("ben", &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Pool: "other", Class: "P0"}})
		},
		"an instance was killed": func(r *run) {
			r.rules.Unsettled = []Span{{r.now, r.now.Add(time.Second)}}
			twice(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t)
			r.day(6)
			plant(r)
			if v := r.judge(); v.Unfair > 0 {
				t.Errorf("out of turn: %v, want none", v.Examples)
			}
		})
	}
}

// A replay may accept what was declined before, since the row knows of a release that stands
// behind the claim. The answer's date is then that of the release.
func TestReplayFindsRoom(t *testing.T) {
	r := newRun(t)
	var claims []leadroute.ClaimID
	for range 4 {
		claims = append(claims, leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ana"})
	}
	for _, c := range claims[:3] {
		r.ask(c, "other", true)
	}
	r.ask(claims[3], "other", false)
	r.pass(time.Second)
	at := r.now
	r.toRep("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: claims[0]}})
	r.add(leadroute.TopicLedger, string(claims[3].Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: claims[3], Accepted: true, At: at}})
	// A copy finds the room that the first one did not.
	c := leadroute.ClaimID{Lead: r.accept(), Rev: 1, Try: 1, Rep: "ana"}
	again := &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Pool: "other", Class: "P0"}}
	r.ask(c, "other", false)
	r.toRep("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: claims[1]}})
	r.toRep("ana", again)
	r.add(leadroute.TopicLedger, string(c.Lead), &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Accepted: true, At: r.now - 1}})
	r.toRep("ana", again)
	if v := r.judge(); v.OverCapacity > 0 {
		t.Errorf("over capacity: %v, want none", v.Examples)
	}
}
