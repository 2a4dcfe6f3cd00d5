package crmsim

import (
	"cmp"
	"slices"

	"github.com/leadroute/leadroute"
)

// End says how a revision's time on its owner's desk ended.
type End string

// The ends; empty: it has not.
const (
	EndClosed     End = "closed"     // by the rep
	EndSuperseded End = "superseded" // by a higher revision
)

// Applied is one revision of a lead as the CRM applied it. Times are in microseconds
// since the Unix epoch, 0 where there is none.
type Applied struct {
	Lead      leadroute.LeadID  `json:"lead"`
	WebhookID string            `json:"webhook_id"`
	Revision  int               `json:"revision"`
	Owner     leadroute.RepID   `json:"owner,omitempty"`
	OwnerCRM  string            `json:"owner_crm_id,omitempty"`
	Queue     leadroute.QueueID `json:"queue,omitempty"`
	Pool      leadroute.PoolID  `json:"pool,omitempty"` // empty: straight to the owner
	At        int64             `json:"at_us"`
	EndedAt   int64             `json:"ended_at_us,omitempty"`
	End       End               `json:"end,omitempty"`
}

// same tells whether two deliveries mean the same.
func (a *Applied) same(b *Applied) bool {
	return a.Lead == b.Lead && a.Revision == b.Revision && a.Owner == b.Owner && a.OwnerCRM == b.OwnerCRM && a.Queue == b.Queue
}

// Record is the CRM's row of one lead.
type Record struct {
	Applied // the highest revision applied

	Person   string          `json:"person"` // the lead's e-mail address, normalised
	Priority leadroute.Class `json:"priority"`
	// FirstAck is when the CRM first acknowledged the lead, OwnedAck when it first did so
	// with an owner; microseconds since the Unix epoch, 0: not yet.
	FirstAck int64     `json:"first_ack_us"`
	OwnedAck int64     `json:"owned_ack_us"`
	History  []Applied `json:"history"` // in order of application, the current one included
}

func (r *record) export() Record {
	out := Record{Applied: *r.current, Person: r.person, Priority: r.priority, FirstAck: r.firstAck, OwnedAck: r.ownedAck}
	for _, a := range r.history {
		out.History = append(out.History, *a)
	}
	return out
}

// Record returns a lead's record; ok is false if the CRM has none.
func (s *Sim) Record(id leadroute.LeadID) (rec Record, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[id]; r != nil {
		return r.export(), true
	}
	return Record{}, false
}

// Records returns a copy of every record, by lead id.
func (s *Sim) Records() []Record {
	s.mu.Lock()
	out := make([]Record, 0, len(s.records))
	for _, r := range s.records {
		out = append(out, r.export())
	}
	s.mu.Unlock()
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.Lead, b.Lead) })
	return out
}

// RepStats are one rep's desk as the CRM saw it.
type RepStats struct {
	Leads   int `json:"leads"`    // revisions applied with this owner
	Open    int `json:"open"`     // now
	MaxOpen int `json:"max_open"` // ever at once, superseded revisions left out
	Cap     int `json:"cap"`      // 0: none
	// OverCapacity is how many leads came to the desk when it was full: the rep's own cap
	// or the one of the pool through which the lead came.
	OverCapacity int `json:"over_capacity"`
}

// Stats are the CRM's figures.
type Stats struct {
	Counts
	Records int `json:"records"`
	// DuplicateRecords are records beyond one per person, and conflicts.
	DuplicateRecords int `json:"duplicate_records"`
	// OverCapacity sums that of the reps.
	OverCapacity int                           `json:"over_capacity"`
	Open         int                           `json:"open"`
	Reps         map[leadroute.RepID]*RepStats `json:"reps"`
}

// Stats returns the figures as of now. It walks all records.
//
// A lead counts as on its owner's desk from the CRM's commit until the rep closes it
// (before the product is told). Both lie within the time for which the product holds
// the rep's slot, so whatever exceeds a cap here exceeded it there. A revision that another one
// followed is left out, even if the rep closed it before: the CRM cannot see when the product
// took it back.
func (s *Sim) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Counts: s.counts, Records: len(s.records), DuplicateRecords: s.counts.Conflicts, Reps: make(map[leadroute.RepID]*RepStats)}
	for _, n := range s.persons {
		st.DuplicateRecords += n - 1
	}
	moves := make(map[desk][]move)
	for _, r := range s.records {
		for i, a := range r.history {
			if a.Owner == "" {
				continue
			}
			rep := st.Reps[a.Owner]
			if rep == nil {
				rep = &RepStats{Cap: s.caps[a.Owner]}
				st.Reps[a.Owner] = rep
			}
			rep.Leads++
			// Where the rep has closed the lead before, a delivery was only late: nothing is decided anew
			// about a closed lead, and it takes no place.
			if i < len(r.history)-1 || slices.ContainsFunc(r.history[:i], func(b *Applied) bool { return b.End == EndClosed }) {
				continue
			}
			for _, d := range [...]desk{{a.Owner, ""}, {a.Owner, a.Pool}} {
				moves[d] = append(moves[d], move{a.At, 1})
				if a.End == EndClosed {
					moves[d] = append(moves[d], move{a.EndedAt, -1})
				}
				if a.Pool == "" {
					break
				}
			}
		}
	}
	for d, m := range moves {
		if d.pool == "" {
			st.Reps[d.rep].replay(m)
			continue
		}
		part := RepStats{Cap: s.pools[d.pool]}
		part.replay(m)
		st.Reps[d.rep].OverCapacity += part.OverCapacity
	}
	for _, rep := range st.Reps {
		st.Open += rep.Open
		st.OverCapacity += rep.OverCapacity
	}
	return st
}

// desk is all that a rep holds, or what of it came through one pool.
type desk struct {
	rep  leadroute.RepID
	pool leadroute.PoolID
}

// move is a lead that comes to a desk (+1) or leaves it (-1).
type move struct {
	at int64
	by int
}

func (r *RepStats) replay(moves []move) {
	// In one microsecond leaving goes first: doubt speaks for the product.
	slices.SortFunc(moves, func(a, b move) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	for _, m := range moves {
		r.Open += m.by
		if m.by > 0 && r.Cap > 0 && r.Open > r.Cap {
			r.OverCapacity++
		}
		r.MaxOpen = max(r.MaxOpen, r.Open)
	}
}

// Count is the number of records.
func (s *Sim) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}
