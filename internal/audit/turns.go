package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
)

// settle is how long a rep who declined, or was taken a lead from, is not judged.
const settle = 6 * time.Second

// How turns are judged. A pool in turn gives leads to whoever of its free reps has waited for
// longest, so of two reps who are both free all the time neither gets two more than the other.
// Free here means by the rep's inbox: hired, available, not paused, with room, and all that for
// at least Lag, so that every view shows it. The turns of a pool are its offers in the order of its
// inbox, each given to the rep who was claimed for it. Two reps are compared over every
// stretch of turns in which both are free; a stretch ends where one is not, where an offer had to
// avoid one, where one declined (the turn is refunded, out of the order), where one offer was
// answered twice with different reps, while instances come and go (Rules.Unsettled), and while
// an offer or a claim waits for longer than a quarter of Lag: then a row stands still, or the
// whole machine is slow, and what pools know is as old.

// pick is a turn: who got the offer, and when.
type pick struct {
	offer
	rep leadroute.RepID
	at  leadroute.Millis
}

// picks are a pool's turns in order. ok is false for an offer that was answered in two ways.
func (l *Log) picks(pool leadroute.PoolID) (out []pick) {
	seen := map[try]bool{}
	for _, o := range l.offers[pool] {
		if seen[o.try] {
			continue
		}
		seen[o.try] = true
		got := l.claims[o.try]
		if len(got) == 0 {
			continue // nobody was free
		}
		p := pick{offer: o, rep: got[0].rep, at: got[0].at}
		for _, c := range got[1:] {
			p.at = min(p.at, c.at)
			if c.rep != p.rep {
				p.rep = ""
			}
		}
		out = append(out, p)
	}
	return out
}

// freedom are the spans in which a rep was free for a pool.
func (l *Log) freedom(rep leadroute.RepID, pool leadroute.PoolID, r *Rules) (spans []Span) {
	var now leadroute.Millis
	open := false
	l.replay(rep, r, func(d *desk, m *deskMessage, _ bool) {
		now = max(now, m.at)
		free := d.free(pool)
		from := max(now, d.paused)
		if open && (!free || d.paused > now) {
			spans[len(spans)-1].Until = now
			open = false
		}
		if free && !open {
			spans = append(spans, Span{From: from, Until: 1 << 62})
			open = true
		}
	})
	return spans
}

// pair compares two reps over the stretch in which both are free: diff is how many turns the
// first had more than the second.
type pair struct{ diff, low, high, turns int }

// add books a turn of the first (1) or the second (-1) and returns by how many the two ever
// differed within the stretch.
func (p *pair) add(by int) (spread int) {
	p.diff += by
	p.low, p.high = min(p.low, p.diff), max(p.high, p.diff)
	p.turns++
	return p.high - p.low
}

// table are the pairs of a pool's members.
type table [][]pair

func newTable(members int) table {
	t := make(table, members)
	for i := range t {
		t[i] = make([]pair, members)
	}
	return t
}

// of is the pair of members i and j, and 1 if i is the first of it, else -1.
func (t table) of(i, j int) (*pair, int) {
	if i < j {
		return &t[i][j], 1
	}
	return &t[j][i], -1
}

// forget ends the stretches of member i.
func (t table) forget(i int) {
	for j := range t {
		if j != i {
			p, _ := t.of(i, j)
			*p = pair{}
		}
	}
}

// late are the spans in which an offer or a claim waited for longer than a quarter of lag.
func (l *Log) late(lag time.Duration) (spans []Span) {
	wait := func(from, until leadroute.Millis) {
		if until > from.Add(lag/4) {
			spans = append(spans, Span{from, until.Add(lag)})
		}
	}
	for _, inbox := range l.desks {
		for i := range inbox {
			if m := &inbox[i]; m.kind == claimed {
				wait(m.at, l.answers[about(m.claim)].told)
			}
		}
	}
	for _, offers := range l.offers {
		for _, o := range offers {
			for _, c := range l.claims[o.try] {
				wait(o.came, c.at)
			}
		}
	}
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && s.From <= merged[n-1].Until {
			merged[n-1].Until = max(merged[n-1].Until, s.Until)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// inTurn judges the pools that give leads in turn.
func (l *Log) inTurn(v *Verdict, r *Rules) {
	lag := cmp.Or(r.Lag, time.Second)
	unsettled := append(l.late(lag), r.Unsettled...)
	for _, pool := range sorted(r.InTurn) {
		members := r.InTurn[pool]
		free := make([][]Span, len(members))
		for i, rep := range members {
			free[i] = l.freedom(rep, pool, r)
		}
		pairs, settled := newTable(len(members)), make([]bool, len(members))
		owed := make([]bool, len(members))             // who declined gets a turn out of the order
		rest := make([]leadroute.Millis, len(members)) // until when who declined is not judged
		for _, p := range l.picks(pool) {
			calm := p.rep != "" && !slices.ContainsFunc(unsettled, func(s Span) bool { return s.has(p.at) })
			for i, rep := range members {
				settled[i] = calm && !owed[i] && p.at > rest[i] && rep != p.avoid && rep != p.declined && freeFor(free[i], p.at, lag, rep == p.rep)
				if !settled[i] {
					pairs.forget(i)
				}
			}
			at := slices.Index(members, p.rep)
			if at < 0 {
				continue
			}
			if a := l.answers[asked{p.try, p.rep}]; a.declined {
				owed[at], rest[at] = true, p.at.Add(settle)
				pairs.forget(at)
				continue
			}
			if owed[at] = false; settled[at] {
				v.turn(pairs, settled, at, members, pool, p)
			}
		}
	}
}

// turn books the turn of member at against all others who are free.
func (v *Verdict) turn(pairs table, settled []bool, at int, members []leadroute.RepID, pool leadroute.PoolID, p pick) {
	judged, fair := false, true
	for j := range members {
		if j == at || !settled[j] {
			continue
		}
		judged = true
		both, first := pairs.of(at, j)
		n := both.add(first)
		if n > 1 && fair {
			fair = false
			v.bad(&v.Unfair, "pool %s gave %s to %s at %s: over %d turns for which %s was free as well, the two differ by %d",
				pool, p.lead, p.rep, p.at.Time().Format("15:04:05.000"), both.turns, members[j], n)
		}
		if n > 1 {
			*both = pair{}
		}
		v.Longest = max(v.Longest, both.turns)
	}
	if judged {
		v.Turns++
	}
}

// freeFor tells whether a rep has been free for so long, and still is. Whoever gets the turn may
// be full by it; of all others the last instant of being free is left out, because it may be
// that of a turn which the pool has just given to them.
func freeFor(spans []Span, at leadroute.Millis, lag time.Duration, gets bool) bool {
	i, found := slices.BinarySearchFunc(spans, at, func(s Span, at leadroute.Millis) int { return cmp.Compare(s.From, at) })
	if !found {
		i--
	}
	return i >= 0 && spans[i].From.Add(lag) <= at && (at < spans[i].Until || gets && at == spans[i].Until)
}
