package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
)

// deskMessage is one message in a rep's inbox, as far as it moves the desk.
type deskMessage struct {
	at     leadroute.Millis
	kind   kind
	claim  leadroute.ClaimID
	pool   leadroute.PoolID
	class  leadroute.Class
	n      int              // the profile's open cap
	free   bool             // the status takes leads
	until  leadroute.Millis // of a pause
	exempt bool
	late   bool // took effect after its turn
	moot   bool // a copy of a claim that another one put on the desk
}

type kind int

const (
	claimed kind = iota
	released
	confirmed
	hired
	removed
	statusSaid
	paused
)

func (l *Log) toRep(rep leadroute.RepID, m *leadroute.RepMessage, at leadroute.Millis) {
	d := deskMessage{at: at}
	switch {
	case m.Claim != nil:
		d.kind, d.claim, d.pool, d.class, d.exempt = claimed, m.Claim.ID, m.Claim.Pool, m.Claim.Class, m.Claim.EvenIfFull
		if m.Claim.Pool != "" {
			id := try{m.Claim.ID.Lead, m.Claim.ID.Rev, m.Claim.ID.Try}
			l.claims[id] = append(l.claims[id], claim{rep, at})
		}
	case m.Release != nil:
		d.kind, d.claim = released, m.Release.Claim
	case m.Confirm != nil:
		c := &m.Confirm.Claim
		d.kind, d.claim, d.pool, d.class, d.exempt = confirmed, c.ID, c.Pool, c.Class, c.EvenIfFull
	case m.Profile != nil:
		d.kind, d.n = hired, cmp.Or(m.Profile.Caps.Open, leadroute.DefaultOpenCap)
	case m.Remove != nil:
		d.kind = removed
	case m.Status != nil:
		d.kind, d.free = statusSaid, *m.Status == leadroute.StatusAvailable
	case m.Pause != nil:
		d.kind, d.until = paused, m.Pause.Until
	default:
		return
	}
	l.desks[rep] = append(l.desks[rep], d)
}

// desk is a rep's desk at one place in the inbox.
type desk struct {
	rep    leadroute.RepID
	rules  *Rules
	cap    int
	here   bool // hired and not removed
	ready  bool // the status takes leads
	paused leadroute.Millis
	held   map[leadroute.ClaimID]deskMessage
}

// open counts the rep's own places that are taken, or those of a pool if it is named.
func (d *desk) open(pool leadroute.PoolID) int {
	n := 0
	for _, m := range d.held {
		if !m.exempt && (pool == "" || m.pool == pool) {
			n += d.rules.price(seat{d.rep, pool}, m.class)
		}
	}
	return n
}

// free tells whether a lead that takes one place would fit, through that pool.
func (d *desk) free(pool leadroute.PoolID) bool {
	most := d.rules.PoolOpen[pool]
	return d.here && d.ready && d.open("") < d.cap && (most == 0 || d.open(pool) < most)
}

// inOrder are a rep's messages in the order in which they took effect: that of the inbox, but
// for claims whose acceptance the rep itself dates later. A replay after a crash may find room
// where there was none, because the row knows of releases that stand behind the claim: its date
// is that of the last message that the row knows, so that it comes after those of the same instant.
// Of copies the first one counts, or the last one before the acceptance if one was declined.
func (l *Log) inOrder(rep leadroute.RepID) []deskMessage {
	inbox := slices.Clone(l.desks[rep])
	var now leadroute.Millis
	taken := map[leadroute.ClaimID]*deskMessage{}
	for i := range inbox {
		m := &inbox[i]
		now = max(now, m.at)
		m.at = now
		a := l.answers[about(m.claim)]
		if m.kind != claimed || !a.accepted {
			continue
		}
		m.late, m.at = a.at > now, max(now, a.at)
		switch have := taken[m.claim]; {
		case have == nil:
			taken[m.claim] = m
		case a.declined && now <= a.at:
			have.moot, taken[m.claim] = true, m
		default:
			m.moot = true
		}
	}
	slices.SortStableFunc(inbox, func(a, b deskMessage) int {
		switch c := cmp.Compare(a.at, b.at); {
		case c != 0 || a.late == b.late:
			return c
		case a.late:
			return 1
		}
		return -1
	})
	return inbox
}

// replay walks through a rep's inbox and calls f after each message. A claim is on the desk
// from its place on if the rep accepted it.
func (l *Log) replay(rep leadroute.RepID, r *Rules, f func(d *desk, m *deskMessage, taken bool)) {
	inbox := l.inOrder(rep)
	d := &desk{rep: rep, rules: r, held: map[leadroute.ClaimID]deskMessage{}}
	given := map[leadroute.ClaimID]bool{} // back
	for i := range inbox {
		m, taken := &inbox[i], false
		switch m.kind {
		case claimed:
			a := l.answers[about(m.claim)]
			_, holds := d.held[m.claim]
			if taken = a.accepted && !m.moot && !holds && !given[m.claim]; taken {
				d.held[m.claim] = *m
			}
		case confirmed:
			if _, holds := d.held[m.claim]; !holds {
				d.held[m.claim] = *m
			}
		case released:
			delete(d.held, m.claim)
			given[m.claim] = true
		case hired:
			d.ready = d.ready || !d.here
			d.cap, d.here = m.n, true
		case removed:
			d.here = false
		case statusSaid:
			d.ready = m.free
		case paused:
			d.paused = max(d.paused, m.until)
		}
		f(d, m, taken)
	}
}

// desksHold checks each rep's desk, by the inbox, whenever a claim came onto it.
func (l *Log) desksHold(v *Verdict, r *Rules) {
	for _, rep := range sorted(l.desks) {
		l.replay(rep, r, func(d *desk, m *deskMessage, taken bool) {
			if !taken || m.exempt {
				return
			}
			if n := d.open(""); n > d.cap {
				v.bad(&v.OverCapacity, "%s accepted %s and then held %d places of %d", rep, m.claim, n, d.cap)
			} else if most := r.PoolOpen[m.pool]; most > 0 && d.open(m.pool) > most {
				v.bad(&v.OverCapacity, "%s accepted %s and then held %d places of %d in pool %s", rep, m.claim, d.open(m.pool), most, m.pool)
			}
		})
	}
}

// leaving is how near a removal may be for a claim to be answered as if it were before: a replay
// meets the row of a later time.
const leaving = 15 * time.Second

// repsKnown checks that nobody who is on the floor is unknown to the stage.
func (l *Log) repsKnown(v *Verdict, r *Rules) {
	for _, rep := range sorted(l.desks) {
		var gone []leadroute.Millis
		for i := range l.desks[rep] {
			if m := &l.desks[rep][i]; m.kind == removed {
				gone = append(gone, m.at)
			}
		}
		l.replay(rep, r, func(d *desk, m *deskMessage, _ bool) {
			a := l.answers[about(m.claim)]
			if m.kind != claimed || !d.here || !a.unknown || a.accepted {
				return
			}
			if !slices.ContainsFunc(gone, func(at leadroute.Millis) bool { return at >= m.at && at < m.at.Add(leaving) }) {
				v.bad(&v.Forgotten, "%s was unknown when %s came", rep, m.claim)
			}
		})
	}
}

// move is places that are taken (by > 0) or given back at a time.
type move struct {
	at   leadroute.Millis
	by   int
	lead leadroute.LeadID
}

// staysFit checks the same by the events: who owned what at the same time, by the ledger, and
// by the CRM from its commit until the rep closed the lead there or the ledger took it back.
// Both lie within the time for which the rep's places are taken.
func (l *Log) staysFit(v *Verdict, r *Rules, e *Evidence) {
	ledger, crm := moves{}, moves{}
	for _, id := range sorted(l.lives) {
		life := l.lives[id]
		for _, s := range life.stays {
			ledger.add(r, seat{s.rep, s.pool}, id, life.class, Span{s.from, life.ends[s.rev]})
		}
	}
	for i := range e.CRM {
		rec := &e.CRM[i]
		life := l.lives[rec.Lead]
		if life == nil {
			continue
		}
		for i, a := range rec.History {
			until := life.ends[a.Revision]
			if a.EndedAt != 0 {
				until = min(cmp.Or(until, 1<<62), leadroute.Millis(a.EndedAt/1000))
			}
			if i+1 < len(rec.History) {
				until = min(cmp.Or(until, 1<<62), leadroute.Millis(rec.History[i+1].At/1000))
			}
			if from := leadroute.Millis(a.At / 1000); a.Owner != "" && (until == 0 || from < until) {
				crm.add(r, seat{a.Owner, a.Pool}, rec.Lead, rec.Priority, Span{from, until})
			}
		}
	}
	l.movesFit(v, r, ledger, "by the events")
	l.movesFit(v, r, crm, "by the CRM")
}

// moves are places taken and given back, in the order of the seats.
type moves map[seat][]move

// add books a lead's stay with a rep, and with the pool it came through; no end: it goes on.
func (m moves) add(r *Rules, s seat, lead leadroute.LeadID, class leadroute.Class, stay Span) {
	book := func(s seat) {
		n := r.price(s, class)
		m[s] = append(m[s], move{stay.From, n, lead})
		if stay.Until != 0 {
			m[s] = append(m[s], move{stay.Until, -n, lead})
		}
	}
	book(seat{rep: s.rep})
	if s.pool != "" {
		book(s)
	}
}

// movesFit holds each rep against the largest cap that the profile ever had, and each pool's
// share of a rep against the pool's.
func (l *Log) movesFit(v *Verdict, r *Rules, m moves, whose string) {
	for _, s := range slices.SortedFunc(maps.Keys(m), func(a, b seat) int { return cmp.Or(cmp.Compare(a.rep, b.rep), cmp.Compare(a.pool, b.pool)) }) {
		most, where := r.PoolOpen[s.pool], fmt.Sprintf(" in pool %s", s.pool)
		if s.pool == "" {
			where = ""
			for _, d := range l.desks[s.rep] {
				if d.kind == hired {
					most = max(most, d.n)
				}
			}
		} else if most == 0 {
			continue
		}
		// In one millisecond leaving goes first: doubt speaks for the product.
		slices.SortStableFunc(m[s], func(a, b move) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
		open := 0
		for _, one := range m[s] {
			if open += one.by; one.by > 0 && open > most {
				v.bad(&v.OverCapacity, "%s owned %d places of %d%s when lead %s came, %s", s.rep, open, most, where, one.lead, whose)
			}
		}
	}
}
