// Package audit judges a run by what it left on the log. From the records of the topics
// alone it works out what lay on each rep's desk, who owned which lead and when, what became of
// every lead, and whether pools handed leads out in turn. It shares the messages with the
// product and nothing else: it decides nothing as a stage does, and asks no counter.
//
// The caps, the costs and who is in which pool are the run's own knowledge (Rules), not the
// policy's; the CRM's view comes from the CRM. So a stage that counts wrongly is wrong here.
package audit

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// Rules are what the run's maker wants of it.
type Rules struct {
	// PoolOpen is how many places each rep may have taken through a pool; 0 or none: any number.
	PoolOpen map[leadroute.PoolID]int
	// Cost is how many of a pool's places a lead of a class takes, and Own how many of a rep's
	// own; 0 is 1. Neither says anything about the other.
	Cost map[leadroute.PoolID]map[leadroute.Class]int
	Own  map[leadroute.RepID]map[leadroute.Class]int
	// InTurn are the pools that hand out leads in turn, with their members.
	InTurn map[leadroute.PoolID][]leadroute.RepID
	// Unsettled is when instances came, went or stood still, and a while after. Turns are not
	// judged then: a rotation may go back a little with its row, and views start anew.
	Unsettled []Span
	// Lag is how long a rep must have been free until every pool must know it, 1s if zero.
	Lag time.Duration
}

// Span is a span of time, both ends included.
type Span struct{ From, Until leadroute.Millis }

func (s Span) has(t leadroute.Millis) bool { return s.From <= t && t <= s.Until }

// seat is where a lead takes places: with a rep, or with a rep within a pool.
type seat struct {
	rep  leadroute.RepID
	pool leadroute.PoolID
}

// price is how many places a lead takes there.
func (r *Rules) price(s seat, class leadroute.Class) int {
	if s.pool == "" {
		return max(r.Own[s.rep][class], 1)
	}
	return max(r.Cost[s.pool][class], 1)
}

// Log are the facts that the records of a run tell. Records are added in the order of their
// partition.
type Log struct {
	desks    map[leadroute.RepID][]deskMessage
	answers  map[asked]answer
	offers   map[leadroute.PoolID][]offer
	claims   map[try][]claim
	events   map[uint64]uint64 // hash of the id to hash of the content
	altered  []string          // ids of events that were told in two ways
	lives    map[leadroute.LeadID]*life
	dead     map[leadroute.LeadID][]string // reasons
	rows     map[leadroute.LeadID]row
	held     map[leadroute.RepID][]string // claims in the rep's last row
	Records  int
	Distinct int   // events
	Trimmed  int64 // records that were no longer there to be read
}

// try names one offer of one lead.
type try struct {
	lead leadroute.LeadID
	rev  int
	n    int
}

// asked names one claim.
type asked struct {
	try
	rep leadroute.RepID
}

func about(c leadroute.ClaimID) asked { return asked{try{c.Lead, c.Rev, c.Try}, c.Rep} }

// answer is what a rep said to a claim, in all copies.
type answer struct {
	accepted, declined bool
	at                 leadroute.Millis // of the acceptance
	told               leadroute.Millis // when it was first on the log
	unknown            bool             // declined since there is no such rep
}

// offer is one that came to a pool.
type offer struct {
	try
	avoid, declined leadroute.RepID
	came            leadroute.Millis
}

// claim is what a pool made of an offer.
type claim struct {
	rep leadroute.RepID
	at  leadroute.Millis
}

// life is what events tell of a lead.
type life struct {
	received, decided int
	class             leadroute.Class
	owners            map[int][]leadroute.RepID // by revision
	stays             []stay
	ends              map[int]leadroute.Millis // by revision: when its owner had it no more
	queued            bool
}

// stay is a lead's time with an owner, by the ledger.
type stay struct {
	rev  int
	rep  leadroute.RepID
	pool leadroute.PoolID
	from leadroute.Millis
}

// row is the ledger's last word on a lead, as far as it is of interest.
type row struct {
	Phase string           `json:"p"`
	Rev   int              `json:"r"`
	Queue string           `json:"q"`
	Claim *leadroute.Claim `json:"cl"`
	Done  leadroute.Millis `json:"do"`
}

// New returns a log without records.
func New() *Log {
	return &Log{
		desks: map[leadroute.RepID][]deskMessage{}, answers: map[asked]answer{}, offers: map[leadroute.PoolID][]offer{},
		claims: map[try][]claim{}, events: map[uint64]uint64{}, lives: map[leadroute.LeadID]*life{}, dead: map[leadroute.LeadID][]string{},
		rows: map[leadroute.LeadID]row{}, held: map[leadroute.RepID][]string{},
	}
}

// What a Log wants to see.
var (
	inboxes = []leadroute.Topic{leadroute.TopicReps, leadroute.TopicLedger, leadroute.TopicPools, leadroute.TopicEvents, leadroute.TopicDeadLetters}
	tables  = []leadroute.Topic{leadroute.TopicLedger, leadroute.TopicReps}
)

// Add takes one record of a topic.
func (l *Log) Add(t leadroute.Topic, key string, value []byte, at leadroute.Millis) error {
	l.Records++
	switch t {
	case leadroute.TopicReps:
		return with(value, func(m *leadroute.RepMessage) { l.toRep(leadroute.RepID(key), m, at) })
	case leadroute.TopicLedger:
		return with(value, func(m *leadroute.LedgerMessage) { l.toLedger(m, at) })
	case leadroute.TopicPools:
		return with(value, func(m *leadroute.PoolMessage) { l.toPool(leadroute.PoolID(key), m, at) })
	case leadroute.TopicEvents:
		return with(value, func(e *leadroute.LatencyEvent) { l.event(e, value) })
	case leadroute.TopicDeadLetters:
		return with(value, func(d *leadroute.DeadLetter) { l.dead[d.Lead] = append(l.dead[d.Lead], d.Reason) })
	default:
		return nil
	}
}

// AddRow takes one record of a table: the last one of a key counts, nil is no row.
func (l *Log) AddRow(stage leadroute.Topic, key string, value []byte) error {
	l.Records++
	switch {
	case strings.HasPrefix(key, "\x00"): // a barrier between two owners: no row
	case stage == leadroute.TopicLedger && value == nil:
		delete(l.rows, leadroute.LeadID(key))
	case stage == leadroute.TopicLedger:
		return with(value, func(r *row) { l.rows[leadroute.LeadID(key)] = *r })
	case stage == leadroute.TopicReps:
		delete(l.held, leadroute.RepID(key))
		if value != nil {
			return with(value, func(r *struct {
				Held string `json:"held"`
			},
			) {
				if r.Held != "" {
					l.held[leadroute.RepID(key)] = strings.Split(r.Held, ";")
				}
			})
		}
	}
	return nil
}

func with[T any](value []byte, f func(*T)) error {
	if value == nil {
		return nil
	}
	v, err := leadroute.Decode[T](value)
	if err == nil {
		f(v)
	}
	return err
}

func (l *Log) toLedger(m *leadroute.LedgerMessage, at leadroute.Millis) {
	if a := m.Answer; a != nil && !a.Asserted {
		have := l.answers[about(a.Claim)]
		have.told = min(cmp.Or(have.told, at), at)
		have.accepted, have.declined = have.accepted || a.Accepted, have.declined || !a.Accepted
		have.unknown = have.unknown || a.Reason == "unknown_rep"
		if a.Accepted {
			have.at = max(have.at, a.At)
		}
		l.answers[about(a.Claim)] = have
	}
}

func (l *Log) toPool(pool leadroute.PoolID, m *leadroute.PoolMessage, at leadroute.Millis) {
	o := m.Offer
	if o == nil {
		return
	}
	f := offer{try: try{o.Lead, o.Rev, o.Try}, avoid: o.Avoid, came: at}
	if o.Declined != nil {
		f.declined = o.Declined.Claim.Rep
	}
	l.offers[pool] = append(l.offers[pool], f)
}

// event takes each identity once, in whatever copy it comes first.
func (l *Log) event(e *leadroute.LatencyEvent, value []byte) {
	id, content := hash([]byte(e.ID())), hash(value)
	if have, again := l.events[id]; again {
		if have != content {
			l.altered = append(l.altered, e.ID())
		}
		return
	}
	l.events[id] = content
	l.Distinct++
	v := l.lives[e.Lead]
	if v == nil {
		v = &life{owners: map[int][]leadroute.RepID{}, ends: map[int]leadroute.Millis{}}
		l.lives[e.Lead] = v
	}
	switch e.Step {
	case leadroute.StepReceived:
		v.received++
	case leadroute.StepDecided:
		v.decided++
		v.class = e.Class
	case leadroute.StepQueued:
		v.queued = true
	case leadroute.StepAssigned:
		v.owners[e.Rev] = append(v.owners[e.Rev], e.Rep)
		v.stays = append(v.stays, stay{rev: e.Rev, rep: e.Rep, pool: e.Pool, from: e.At})
	case leadroute.StepReassigned: // its revision is the new one
		v.ends[e.Rev-1] = e.At
	case leadroute.StepClosed:
		v.ends[e.Rev] = e.At
	default:
	}
}

func hash(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return h.Sum64()
}

// Evidence is what the log is held against.
type Evidence struct {
	Accepted []leadroute.LeadID // by the door, with a 2xx
	CRM      []crmsim.Record
}

// Verdict counts what must not be; all zero but the judged ones: the run kept its word.
type Verdict struct {
	// OverCapacity are claims that a rep accepted when the desk, worked out from the claims and
	// releases in the rep's inbox, or from who owned what by the events, had no place for them.
	OverCapacity int
	// DoubleOwner are revisions of a lead that two reps were given, or that the CRM has with
	// another owner than the log.
	DoubleOwner int
	// Lost are accepted leads that are neither delivered, nor waiting, nor dead with a reason.
	Lost int
	// Doubled are leads that were received or decided twice, or that one revision reached the
	// CRM twice.
	Doubled int
	// Leaked are places that reps hold for leads that are not theirs when all is done.
	Leaked int
	// Forgotten are claims that were declined since there was no such rep, though there was.
	Forgotten int
	// Altered are events that were told in two ways under one identity.
	Altered int
	// Unfair are leads that a pool gave to a rep out of turn.
	Unfair int

	Turns   int // that were judged
	Longest int // so many turns in a row were judged of two reps
	// What happened on the way: leads that waited, revisions that took a lead from an owner,
	// claims that were declined.
	Queued, Moved, Declined int
	Leads                   int
	Trimmed                 int64 // records that were not there to be judged
	Examples                []string
}

const maxExamples = 20

func (v *Verdict) bad(count *int, format string, args ...any) {
	*count++
	if len(v.Examples) < maxExamples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// Failures names what must not be, none if the run kept its word.
func (v *Verdict) Failures() []string {
	var out []string
	for _, f := range []struct {
		name string
		n    int
	}{
		{"over_capacity", v.OverCapacity},
		{"double_owner", v.DoubleOwner},
		{"lost", v.Lost},
		{"doubled", v.Doubled},
		{"leaked", v.Leaked},
		{"forgotten", v.Forgotten},
		{"altered events", v.Altered},
		{"out of turn", v.Unfair},
	} {
		if f.n > 0 {
			out = append(out, fmt.Sprintf("%s: %d", f.name, f.n))
		}
	}
	if v.Leads == 0 {
		out = append(out, "no lead was accepted: nothing is proved")
	}
	if v.Trimmed > 0 {
		out = append(out, fmt.Sprintf("%d records were dropped from the log before they were read: nothing is proved", v.Trimmed))
	}
	return out
}

// String is the verdict for people.
func (v *Verdict) String() string {
	return fmt.Sprintf("by the log: %d leads, %d waited, %d were moved on, %d claims were declined; over_capacity %d, double owner %d, lost %d, doubled %d, leaked places %d, forgotten reps %d, altered events %d, out of turn %d (of %d turns judged, up to %d in a row)",
		v.Leads, v.Queued, v.Moved, v.Declined, v.OverCapacity, v.DoubleOwner, v.Lost, v.Doubled, v.Leaked, v.Forgotten, v.Altered, v.Unfair, v.Turns, v.Longest)
}

// Judge holds the log against the rules and the evidence.
func (l *Log) Judge(r *Rules, e *Evidence) *Verdict {
	v := &Verdict{Leads: len(e.Accepted), Trimmed: l.Trimmed}
	l.desksHold(v, r)
	l.repsKnown(v, r)
	l.staysFit(v, r, e)
	l.oneOwner(v, e)
	l.nothingLost(v, e)
	l.placesReturned(v)
	for _, id := range l.altered {
		v.bad(&v.Altered, "event %s was told in two ways", id)
	}
	l.inTurn(v, r)
	for _, life := range l.lives {
		v.Moved += max(len(life.owners)-1, 0)
		if life.queued {
			v.Queued++
		}
	}
	for _, a := range l.answers {
		if a.declined {
			v.Declined++
		}
	}
	return v
}

// oneOwner checks that a revision has one owner, in the log and at the CRM.
func (l *Log) oneOwner(v *Verdict, e *Evidence) {
	for _, id := range sorted(l.lives) {
		for rev, reps := range l.lives[id].owners {
			if len(reps) > 1 {
				v.bad(&v.DoubleOwner, "lead %s: revision %d was given to %v", id, rev, reps)
			}
		}
	}
	for i := range e.CRM {
		rec := &e.CRM[i]
		seen := map[int]bool{}
		for _, a := range rec.History {
			if seen[a.Revision] {
				v.bad(&v.Doubled, "lead %s: the CRM applied revision %d twice", rec.Lead, a.Revision)
			}
			seen[a.Revision] = true
			if a.Owner == "" {
				continue // in a queue
			}
			life := l.lives[rec.Lead]
			if life == nil || !slices.Contains(life.owners[a.Revision], a.Owner) {
				v.bad(&v.DoubleOwner, "lead %s: the CRM has %s for revision %d, the log does not", rec.Lead, a.Owner, a.Revision)
			}
		}
		if row, ok := l.rows[rec.Lead]; ok && row.Claim != nil && (row.Rev != rec.Revision || row.Claim.ID.Rep != rec.Owner) {
			v.bad(&v.DoubleOwner, "lead %s: the CRM ends with %s (revision %d), the ledger with %s (revision %d)", rec.Lead, rec.Owner, rec.Revision, row.Claim.ID.Rep, row.Rev)
		}
	}
}

// nothingLost checks where each accepted lead ended.
func (l *Log) nothingLost(v *Verdict, e *Evidence) {
	at := make(map[leadroute.LeadID]*crmsim.Record, len(e.CRM))
	for i := range e.CRM {
		at[e.CRM[i].Lead] = &e.CRM[i]
	}
	for _, id := range e.Accepted {
		row, known := l.rows[id]
		rec, life, reasons := at[id], l.lives[id], l.dead[id]
		delivered := rec != nil && rec.FirstAck != 0
		switch {
		case !known:
			v.bad(&v.Lost, "lead %s: the ledger does not know it", id)
		case row.Phase == "dead" && slices.ContainsFunc(reasons, func(s string) bool { return s != "" }):
		case row.Phase == "waiting" && row.Queue != "" && life != nil && life.queued:
		case (row.Phase == "owned" || row.Phase == "closed") && (delivered || len(reasons) > 0):
		default:
			v.bad(&v.Lost, "lead %s ends %s, at the CRM: %t, dead letters %v", id, cmp.Or(row.Phase, "nowhere"), delivered, reasons)
		}
		if life == nil {
			continue
		}
		if life.received > 1 || life.decided > 1 {
			v.bad(&v.Doubled, "lead %s was received %d times and decided %d times", id, life.received, life.decided)
		}
	}
}

// placesReturned checks that in the end reps hold places for their own leads alone.
func (l *Log) placesReturned(v *Verdict) {
	for _, rep := range sorted(l.held) {
		for _, held := range l.held[rep] {
			part := strings.Fields(held)
			if len(part) < 4 {
				v.bad(&v.Leaked, "%s holds %q, which is no claim", rep, held)
				continue
			}
			row := l.rows[leadroute.LeadID(part[0])]
			if row.Phase != "owned" || row.Claim == nil || row.Claim.ID.Rep != rep || fmt.Sprint(row.Claim.ID.Rev) != part[1] || fmt.Sprint(row.Claim.ID.Try) != part[3] {
				v.bad(&v.Leaked, "%s holds a place for lead %s, revision %s, which is %s", rep, part[0], part[1], cmp.Or(row.Phase, "unknown"))
			}
		}
	}
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
