package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/ledger"
)

// holds are what operators asked for, and what the checks remember of the clocks.
type holds struct {
	asked []heldAsk
	due   map[string]leadroute.Millis // when a lead's timer is due, as its owner said last
	left  map[string]time.Duration    // of those that stood when the lead was held
}

type heldAsk struct {
	lead  string
	reply string
	over  bool
}

// holdSome has an operator hold a lead, or let it go on.
func (w *World) holdSome() {
	if len(w.door.posted) == 0 {
		return
	}
	lead := string(w.door.posted[w.rng.IntN(len(w.door.posted))].Lead.ID)
	s := w.lead(lead)
	h := leadroute.Hold{Over: s != nil && s.Held != nil && w.chance(2), Reason: "legal"}
	if !h.Over && w.chance(2) {
		h.Until = w.now.Add(time.Duration(1+w.rng.IntN(60)) * time.Second)
	}
	w.askHold(lead, h)
}

func (w *World) askHold(lead string, h leadroute.Hold) {
	h.ID, h.By = "hold"+strconv.Itoa(len(w.holds.asked)), "ops"
	h.Reply = h.ID
	w.holds.asked = append(w.holds.asked, heldAsk{lead, h.Reply, h.Over})
	w.send(senderOps, leadroute.TopicLedger, lead, &leadroute.LedgerMessage{Hold: &h})
}

// releaseHeld lets all leads go on that are held without an end.
func (w *World) releaseHeld() {
	for _, a := range w.door.posted {
		id := string(a.Lead.ID)
		if s := w.lead(id); s != nil && s.Held != nil && s.Held.Until == 0 {
			w.askHold(id, leadroute.Hold{Over: true})
		}
	}
}

// checkHold checks that a held lead rests: it is offered to nobody, nobody gets it, no clock
// moves it; and that its clocks go on with what was left of them.
func (w *World) checkHold(own *owner, id string, next *ledger.State, held bool, owned leadroute.RepID, out []leadroute.Effect) {
	if own.part.owner != own {
		return
	}
	if w.holds.due == nil {
		w.holds.due, w.holds.left = map[string]leadroute.Millis{}, map[string]time.Duration{}
	}
	rests := next != nil && next.Held != nil
	if rests && !held { // what stood stops
		for key, due := range w.holds.due {
			if strings.HasPrefix(key, id+"/") {
				w.holds.left[key] = due.Sub(next.Held.From)
			}
		}
	}
	for i, e := range out {
		if slices.ContainsFunc(out[i+1:], func(later leadroute.Effect) bool {
			return later.Topic == e.Topic && later.Key == e.Key && e.Topic == leadroute.TopicTimers
		}) {
			continue // the last word on a timer counts
		}
		m, claims := e.Value.(*leadroute.RepMessage)
		_, offers := e.Value.(*leadroute.PoolMessage)
		t, sets := e.Value.(*leadroute.Timer)
		switch {
		case rests && (offers || claims && m.Claim != nil):
			w.violate("13 hold", "%s is held and was offered", id)
		case e.Topic == leadroute.TopicTimers && !sets:
			delete(w.holds.due, e.Key)
		case !sets || t.Kind == leadroute.TimerRetry || t.Kind == leadroute.TimerHold:
		case rests:
			w.violate("13 hold", "%s is held and a clock runs: %+v", id, *t)
		default:
			w.holds.due[e.Key] = t.Due
			if n := len(next.Rests); held && n > 0 && t.Kind != leadroute.TimerWake {
				rest := t.Due.Sub(next.Rests[n-1].Until)
				if left, stood := w.holds.left[e.Key]; stood && max(left, 0) != max(rest, 0) { // one that was late already stays so
					w.violate("13 hold", "of %s %v was left when %s was held, and %v after", e.Key, left, id, rest)
				}
			}
		}
	}
	if !rests {
		for key := range w.holds.left {
			if strings.HasPrefix(key, id+"/") {
				delete(w.holds.left, key)
			}
		}
	}
	if rests && held && next.Owner() != owned && next.Owner() != "" {
		w.violate("13 hold", "%s was held and %s got it", id, next.Owner())
	}
}

// checkHolds checks that every operator was answered.
func (w *World) checkHolds() {
	for _, a := range w.holds.asked {
		if r, answered := w.replies[a.reply]; !answered || !r.Agreed && r.Refused == "" && r.Known {
			w.violate("13 hold", "who asked to hold %s (over %v) was told %+v", a.lead, a.over, r)
		}
	}
}

// rerouteSome has an operator move a lead, as the row shows it: by the plan in force, or to a
// place. Some ask twice.
func (w *World) rerouteSome() {
	if len(w.door.posted) == 0 {
		return
	}
	id := string(w.door.posted[w.rng.IntN(len(w.door.posted))].Lead.ID)
	s := w.lead(id)
	if s == nil || !s.Open() {
		return
	}
	m := leadroute.Revise{Rev: s.Rev, Reason: "reroute" + strconv.Itoa(w.reroutes), By: "ops", Plan: w.plan.ID}
	w.reroutes++
	switch w.rng.IntN(4) {
	case 0:
		m.To = &leadroute.Goal{Pool: "b"}
	case 1:
		m.To = &leadroute.Goal{Queue: "late"}
	case 2:
		m.To = &leadroute.Goal{Rep: "r0"}
	}
	for range 1 + w.rng.IntN(2) {
		w.send(senderOps, leadroute.TopicLedger, id, &leadroute.LedgerMessage{Revise: &m})
	}
}

// checkReroute checks that no operator moves a lead that is held, and that one who is decided
// anew goes on under the plan that was named.
func (w *World) checkReroute(own *owner, id string, next *ledger.State, held bool, rev int, m *leadroute.Revise) {
	if own.part.owner != own || m == nil || m.By == "" || next == nil || next.Rev == rev {
		return
	}
	if held {
		w.violate("14 reroute", "%s is held and was moved", id)
	}
	if next.Plan != m.Plan {
		w.violate("14 reroute", "%s was moved to plan %s and goes on under %s", id, m.Plan, next.Plan)
	}
}
