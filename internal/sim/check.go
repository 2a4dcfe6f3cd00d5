package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
)

// arrive lets a record reach its topic.
func (w *World) arrive(it item) {
	switch {
	case it.row != nil:
		it.from.part.changelog = append(it.from.part.changelog, *it.row)
	case it.to == w.ledger.name:
		w.inbox(w.ledger, it)
	case it.to == w.pools.name:
		w.inbox(w.pools, it)
	case it.to == w.reps.name:
		w.inbox(w.reps, it)
	case it.to == w.identities.name:
		w.inbox(w.identities, it)
	case it.to == w.accounts.name:
		w.inbox(w.accounts, it)
	case it.to == w.queues.name:
		w.inbox(w.queues, it)
	case it.to == leadroute.TopicTimers:
		if it.val == nil {
			delete(w.clock.timers, it.key)
		} else if t := decoded[leadroute.Timer](w, it.val); t != nil {
			w.clock.timers[it.key] = *t
		}
	case it.to == leadroute.TopicEvents:
		w.event(it)
	case it.to == leadroute.TopicDeadLetters:
		if d := decoded[leadroute.DeadLetter](w, it.val); d != nil {
			w.dead[d.ID] = *d
		}
	case it.to == leadroute.TopicDepartures:
	case it.to == leadroute.TopicReplies:
		if r := decoded[leadroute.Reply](w, it.val); r != nil {
			if _, answered := w.replies[it.key]; !answered { // nobody waits for the copies
				w.replies[it.key] = *r
			}
		}
		w.replied(it)
	case it.to == leadroute.TopicNotifications:
		if n := decoded[leadroute.Notification](w, it.val); n != nil {
			w.notified[n.ID] = *n
		}
	default:
		k := w.workers[it.to]
		if k == nil {
			w.violate("topics", "nobody reads %s", it.to)
		} else if d := decoded[leadroute.Delivery](w, it.val); d != nil {
			k.log = append(k.log, *d)
		}
	}
}

func (w *World) inbox(st *stage, it item) {
	p := st.parts[partitionOf(it.key, w.opt.Partitions)]
	p.inbox = append(p.inbox, record{it.key, it.val, it.at})
	if w.opt.Faults && !w.draining && w.chance(60) {
		p.inbox = append(p.inbox, record{it.key, it.val, it.at})
	}
}

// event checks invariant 6: one identity, one content.
func (w *World) event(it item) {
	e := decoded[leadroute.LatencyEvent](w, it.val)
	if e == nil {
		return
	}
	id := e.ID()
	// By these ClickHouse tells one row from another. The time may be a stalled owner's, or that of a
	// replay which met other tables than the first; the rest may differ there as well.
	if have, ok := w.events[id]; ok && (have.Class != e.Class || have.Source != e.Source || have.Destination != e.Destination || have.At != e.At && !w.opt.Stalls && !w.otherwise[e.Lead]) {
		w.violate("6 events", "%s was told as %s and as %s", id, brief(have), brief(e))
	}
	if _, again := w.events[id]; !again {
		w.heard = append(w.heard, *e)
	}
	w.events[id] = *e
	switch {
	case e.Step == leadroute.StepReassigned && e.Outcome != "":
		if w.moved == nil {
			w.moved = map[string]string{}
		}
		if have, ok := w.moved[e.Reason]; ok && have != id {
			w.violate("14 reroute", "%s moved the lead twice: %s, %s", e.Reason, have, id)
		}
		w.moved[e.Reason] = id
	case e.Step == leadroute.StepNotified:
		w.checkStep(e)
	case e.Step == leadroute.StepDelivered && e.Queue != "":
		w.violate("11 parked", "%s is a delivery, and nobody has the lead but queue %s", id, e.Queue)
	}
}

// checkCaps checks invariant 3 where the truth is: in the rep's row, after a claim.
func (w *World) checkCaps(own *owner, s *desk.State, m *leadroute.RepMessage) {
	if s == nil || m.Claim == nil || own.part.owner != own {
		return
	}
	if n, limit := s.Open(), desk.OpenCap(&s.Profile); n > limit {
		w.violate("3 caps", "%s holds %d of %d: %s", s.Profile.ID, n, limit, brief(s.Held))
	}
	for name, limit := range w.poolCaps() {
		if n := s.OpenIn(name); limit > 0 && n > limit {
			w.violate("3 caps", "%s holds %d of %d in pool %s", s.Profile.ID, n, limit, name)
		}
	}
	seen := map[leadroute.ClaimID]bool{}
	for _, c := range s.Held {
		id := leadroute.ClaimID{Lead: c.Lead, Rev: c.Rev, Target: c.Target, Try: c.Try}
		if seen[id] {
			w.violate("3 caps", "%s holds %s twice", s.Profile.ID, id)
		}
		seen[id] = true
	}
}

// poolCaps are the open caps of the pools, the largest that a version of the policy has; 0:
// one has none.
func (w *World) poolCaps() map[leadroute.PoolID]int {
	caps := map[leadroute.PoolID]int{}
	for _, p := range w.plans {
		for name, pool := range p.Pools {
			have, known := caps[name]
			switch {
			case pool.Caps.Open == 0 || known && have == 0:
				caps[name] = 0
			default:
				caps[name] = max(have, pool.Caps.Open)
			}
		}
	}
	return caps
}

// remembered tells whether the lead's row is more than a stub.
func (w *World) remembered(lead string) bool {
	s := w.lead(lead)
	return s != nil && s.Class != ""
}

// pause is a Pause that stands in a rep's inbox.
type pause struct {
	pos   int
	until leadroute.Millis
}

// checkPause checks that a rep from whom a step took a lead gets none before the pause is
// over. It goes by the place in the inbox, since a replay hears old claims again. A stalled
// owner's late write may lose a pause, as it may lose anything.
func (w *World) checkPause(own *owner, rep string, held int, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) {
	pos := own.pos - 1
	switch {
	case w.opt.Stalls:
	case m.Pause != nil && s != nil:
		w.paused[rep] = append(w.paused[rep], pause{pos, m.Pause.Until})
	case m.Remove != nil: // a row that is gone remembers nothing
		w.paused[rep] = slices.DeleteFunc(w.paused[rep], func(p pause) bool { return p.pos < pos })
	case m.Claim != nil && s != nil && len(s.Held) > held:
		for _, p := range w.paused[rep] {
			if p.pos < pos && at < p.until {
				w.violate("7 steps", "%s took %s while paused until %d", rep, m.Claim.ID, p.until)
			}
		}
	}
}

// said is a status that stands in a rep's inbox.
type said struct {
	pos    int
	status leadroute.RepStatus
	at     leadroute.Millis // when the rep had it, and not after it came
	// afresh: the row went or came here, and remembers nothing of what stands before it.
	afresh bool
}

// checkStatus checks that a rep has the newest of the statuses that anybody said, in
// whatever order they came. back: the rep was gone, or never there. A replay's row may know
// more than was heard up to its place, and a stalled owner's late write may lose a status.
func (w *World) checkStatus(own *owner, rep string, back bool, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) {
	pos := own.pos - 1
	switch {
	case w.opt.Stalls:
	case s == nil || back:
		v := said{pos: pos, afresh: true}
		if s != nil && !s.Gone {
			v.status, v.at = leadroute.StatusAvailable, s.StatusAt
		}
		w.say(rep, v)
	case m.Status != nil:
		v := said{pos: pos, status: *m.Status, at: at}
		if m.SaidAt != 0 {
			v.at = min(m.SaidAt, at)
		}
		w.say(rep, v)
		known := false
		var newest said
		for _, v := range w.statuses[rep] {
			if v.afresh && v.pos > pos { // the replay's row came later, and knows nothing of what stands before that
				return
			}
			if v.pos <= pos && (v.afresh || v.at > newest.at) {
				newest = v
			}
			known = known || v.at == s.StatusAt && v.status == s.Status
		}
		if newest.at > s.StatusAt {
			w.violate("8 availability", "%s is %s since %d, and was said to be %s at %d", rep, s.Status, s.StatusAt, newest.status, newest.at)
		}
		if !known {
			w.violate("8 availability", "%s is %s since %d, which nobody said", rep, s.Status, s.StatusAt)
		}
	}
}

// firings counts what clocks did to a lead.
func firings(s *ledger.State) int {
	if s == nil {
		return 0
	}
	n := s.Rev
	for _, f := range s.Fired {
		n += f.N
	}
	return n
}

// say notes a status in the order of the inbox. A replay may hear it at an earlier time: what the
// row had heard behind it may be lost.
func (w *World) say(rep string, v said) {
	all := slices.DeleteFunc(w.statuses[rep], func(have said) bool { return have.pos == v.pos })
	i, _ := slices.BinarySearchFunc(all, v.pos, func(have said, pos int) int { return have.pos - pos })
	w.statuses[rep] = slices.Insert(all, i, v)
}

// checkStep checks that a step fires no oftener than the plan lets it.
func (w *World) checkStep(e *leadroute.LatencyEvent) {
	for _, c := range w.planOf(e.Plan).Classes {
		for _, st := range c.Steps {
			limit := uint64(st.AtMost)
			if limit == 0 && st.After > 0 {
				limit = 1
			}
			if n := e.N & 0xffff; e.Reason == "sla:"+string(c.Name)+"/"+st.Name && limit > 0 && n > limit {
				w.violate("7 steps", "%s of %s fired %d times of %d", st.Name, e.Lead, n, limit)
			}
		}
	}
}

// ownerChanged checks invariant 3 from the ledger's side: nobody owns more than the cap.
func (w *World) ownerChanged(own *owner, lead string, before, after leadroute.RepID) {
	if own.part.owner != own || before == after || w.opt.Reps == 0 { // a Play's reps are not numbered
		return
	}
	delete(w.owned, lead)
	if after == "" {
		return
	}
	w.owned[lead] = after
	n := 0
	for other, r := range w.owned {
		// A partition that is still replaying may not know yet what it had closed.
		if other := w.ledger.parts[partitionOf(other, w.opt.Partitions)].owner; r == after && other.pos >= other.seen {
			n++
		}
	}
	var i int
	_, _ = fmt.Sscanf(string(after), "r%d", &i)
	if limit := 1 + i%3; n > limit {
		w.violate("3 caps", "the ledger has %d leads with %s, whose cap is %d", n, after, limit)
	}
}

// countOwners recounts a partition's owners after a recovery.
func (w *World) countOwners(own *owner) {
	for lead := range w.owned {
		if w.ledger.parts[partitionOf(lead, w.opt.Partitions)] == own.part {
			delete(w.owned, lead)
		}
	}
	for key, c := range own.table {
		if c.value == nil {
			continue
		}
		if s := decoded[ledger.State](w, c.value); s != nil {
			if r := ownerOf(s); r != "" {
				w.owned[key] = r
			}
		}
	}
}

// known is a lead's row as it was read last.
type known struct {
	row []byte
	s   *ledger.State
}

// lead is a lead's row, to be read only.
func (w *World) lead(id string) *ledger.State {
	p := w.ledger.parts[partitionOf(id, w.opt.Partitions)]
	c, ok := p.owner.table[id]
	if !ok || c.value == nil {
		return nil
	}
	k := w.known[id]
	if k.s == nil || &k.row[0] != &c.value[0] {
		k = known{c.value, decoded[ledger.State](w, c.value)}
		w.known[id] = k
	}
	return k.s
}

// left is something that keeps the world from its end.
type left struct{ who, how, more string }

func (l left) String() string { return l.who + " " + l.how + l.more }

// pending names what keeps the world from its end, at most so many things: each lead must be
// closed or dead, every desk empty, and no timer stand.
func (w *World) pending(most int) (all []left) {
	if n := len(w.clock.timers); n > 0 {
		all = append(all, left{who: strconv.Itoa(n), how: "timers stand"})
	}
	for _, a := range w.door.posted {
		if len(all) >= most {
			return all
		}
		id := string(a.Lead.ID)
		switch s := w.lead(id); {
		case s == nil:
			all = append(all, left{who: id, how: "is unknown"})
		case s.Open():
			all = append(all, left{who: id, how: "is " + string(s.Phase)})
		case s.Phase == ledger.Closed && s.Done == 0:
			all = append(all, left{id, "has unsettled deliveries", fmt.Sprintf(" (rev %d): %s", s.Rev, brief(s.Dests))})
		}
	}
	for _, p := range w.reps.parts {
		for _, key := range sortedKeys(p.owner.table) {
			if c := p.owner.table[key]; c.value != nil {
				if s := decoded[desk.State](w, c.value); s != nil && len(s.Held) > 0 {
					all = append(all, left{key, "holds ", brief(s.Held)})
				}
			}
		}
	}
	return all
}

// checkRest is violated when the world is busy still.
func (w *World) checkRest() {
	all := w.pending(1000)
	said := make([]string, len(all))
	for i, l := range all {
		said[i] = l.String()
	}
	w.violate(liveness, "still busy after %d steps: %s", maxSteps, strings.Join(said, "; "))
	w.violation.left = all
}

// checkEnd checks what must hold when everything has come to rest.
func (w *World) checkEnd() {
	w.checkRemoved()
	for _, a := range w.door.posted {
		w.checkLead(string(a.Lead.ID))
	}
	w.checkAnswers()
	w.checkPeople()
	w.checkTold()
	w.checkIncidents()
	w.checkHolds()
}

// checkIncidents checks that an incident ends when the rep acts, and only one that was raised.
func (w *World) checkIncidents() {
	raised, resolved := map[string]bool{}, map[string]bool{}
	for _, e := range w.events {
		if e.Step != leadroute.StepNotified {
			continue
		}
		what := string(e.Lead) + "/" + e.Outcome
		if e.Reason == leadroute.ReasonResolved {
			resolved[what] = true
		} else if strings.HasPrefix(e.Reason, "sla:") && w.planOf(e.Plan).Channel(e.Outcome).Resolves() {
			raised[what] = true
		}
	}
	for what := range resolved {
		if !raised[what] {
			w.violate("7 steps", "the incident %s was resolved and never raised", what)
		}
	}
	for what := range raised {
		lead, _, _ := strings.Cut(what, "/")
		if !resolved[what] && w.told(lead, leadroute.StepClosed) {
			w.violate("7 steps", "the incident %s was raised and not resolved, and the lead is closed", what)
		}
	}
}

// checkAnswers checks that every human was answered, and that the events agree: where it
// stands the lead was responded to or closed by that rep, else the refusal was told (of
// many in one revision not all are).
func (w *World) checkAnswers() {
	stands, refused := map[string]bool{}, map[string]bool{}
	many := map[leadroute.LeadID]int{}
	for _, e := range w.events {
		switch who := string(e.Lead) + "/" + string(e.Rep); e.Step {
		case leadroute.StepResponded, leadroute.StepClosed:
			stands[who] = true
		case leadroute.StepRefused:
			refused[who+"/"+e.Outcome] = true
			many[e.Lead]++
		default:
		}
	}
	for _, a := range w.asked {
		r, answered := w.replies[a.said.Reply]
		who := string(a.lead) + "/" + string(a.said.Rep)
		switch {
		case !answered:
			w.violate("9 answers", "%s %s %s and was never answered", a.said.Rep, a.said.Action, a.lead)
		case r.Agreed && !stands[who]:
			w.violate("9 answers", "%s was told that %s of %s stands, and no event says so", a.said.Rep, a.said.Action, a.lead)
		case r.Known && !r.Agreed && !refused[who+"/"+a.said.Action] && many[a.lead] < 4 && w.remembered(string(a.lead)):
			w.violate("9 answers", "%s was told that %s of %s does not stand, and no event says so", a.said.Rep, a.said.Action, a.lead)
		}
	}
}

func (w *World) checkLead(id string) {
	s := w.lead(id)
	for event, e := range w.events {
		if _, told := w.notified[event]; told || strings.HasPrefix(e.Reason, "claim:") { // else each rep is told
			continue
		}
		if e.Lead == leadroute.LeadID(id) && e.Step == leadroute.StepNotified && e.Rev == s.Rev && len(s.Trail) > 0 {
			w.violate("7 steps", "%s says that %s was told, and nobody was asked to", event, e.Outcome)
		}
	}
	if s.Phase == ledger.Dead {
		if _, ok := w.dead[id]; !ok {
			w.violate("1 lost", "%s is dead without a dead letter", id)
		}
		return
	}
	if s.Phase == ledger.Duplicate {
		return // see checkPeople
	}
	for _, d := range s.Dests {
		r, known := w.crm.records[string(d.Name)+"/"+id]
		owed := w.planOf(s.Plan).Destination(d.Name) != nil // a lead that was moved may go by a plan without it
		switch {
		case d.Dead:
			if _, ok := w.dead[fmt.Sprintf("%s/%d/%s", id, d.Rev, d.Name)]; !ok {
				w.violate("1 lost", "%s to %s was given up without a dead letter", id, d.Name)
			}
			if d.Attempt > d.Limit {
				w.violate("attempts", "%s to %s took %d attempts of %d", id, d.Name, d.Attempt, d.Limit)
			}
		case !known && owed:
			w.violate("1 lost", "%s is closed and %s never had it", id, d.Name)
		case known && s.Claim != nil && owed && (r.rev != s.Rev || r.owner != s.Owner()):
			w.violate("2 one owner", "%s: the ledger says %s (rev %d), %s says %s (rev %d)", id, s.Owner(), s.Rev, d.Name, r.owner, r.rev)
		}
		if d.Attempt > d.Limit {
			w.violate("attempts", "%s to %s took %d attempts of %d", id, d.Name, d.Attempt, d.Limit)
		}
	}
	if e := s.Decided(leadroute.LeadID(id)); e != nil { // what was told last is what the row says
		if have := w.events[e.ID()]; have.Decision == nil || string(have.Decision.Said) != string(e.Decision.Said) || have.Plan != e.Plan {
			w.violate("6 events", "%s was decided %s, and told to be %s", id, e.Decision.Said, brief(have))
		}
	}
	if s.Rev > 1 {
		return // the trail of a lead that was moved may be longer than what a row remembers
	}
	for _, step := range []leadroute.Step{leadroute.StepReceived, leadroute.StepDecided, leadroute.StepAssigned, leadroute.StepClosed} {
		if !w.told(id, step) {
			w.violate("6 events", "%s was never told to be %s", id, step)
		}
	}
}

func (w *World) told(lead string, step leadroute.Step) bool {
	for _, e := range w.events {
		if e.Lead == leadroute.LeadID(lead) && e.Step == step {
			return true
		}
	}
	return false
}
