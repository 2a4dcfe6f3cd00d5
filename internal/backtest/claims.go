package backtest

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
)

// defaultClaim is how long it takes on average until somebody claims a lead.
const defaultClaim = 30 * time.Second

// opened puts on the agenda when somebody claims a lead that is open: after the time that
// the record says, else one that is drawn by a hash of the lead and the try, evenly between
// none and twice the average. One that is not claimed while it is open is not claimed.
func (f *floor) opened(t *leadroute.Timer) {
	r := f.leads[t.Lead]
	if r == nil {
		return
	}
	wait := time.Duration(draw(string(t.Lead), strconv.Itoa(t.Rev), strconv.Itoa(t.N)) % uint64(2*f.claim+1)) //nolint:gosec // below twice a duration
	if r.assignedAt > f.now && t.N == 1 && t.Rev == 1 {
		wait = r.assignedAt.Sub(f.now)
	}
	f.agenda.add(f.now.Add(wait), cue{kind: cueClaim, lead: t.Lead, rev: t.Rev, key: t.Key(), timer: t})
}

// claimers are the pool's reps in the order in which they try to claim the lead: whoever
// has it on record, and then as it is drawn.
func (f *floor) claimers(lead leadroute.LeadID, pool leadroute.PoolID) []leadroute.RepID {
	var list []leadroute.RepID
	for _, id := range f.ids {
		for _, p := range f.poolsOf[id] {
			if p.Name == pool {
				list = append(list, id)
			}
		}
	}
	was := f.leads[lead].was
	slices.SortFunc(list, func(a, b leadroute.RepID) int {
		switch {
		case a == b:
			return 0
		case a == was || b != was && draw(string(lead), string(a)) < draw(string(lead), string(b)):
			return -1
		}
		return 1
	})
	return list
}

// bid has the next rep try to claim a lead.
func (f *floor) bid(lead leadroute.LeadID) {
	r := f.leads[lead]
	if r == nil || len(r.claimers) == 0 {
		return
	}
	rep := r.claimers[0]
	r.claimers = r.claimers[1:]
	f.tell(lead, &leadroute.LedgerMessage{Bid: &leadroute.Bid{Rep: rep, At: f.now, Reply: "floor"}})
}

// replied is what a rep who claimed was told: if she may not, or cannot, the next one tries.
func (f *floor) replied(m *leadroute.Reply) {
	if !m.Agreed && m.Known && m.Owner == "" {
		f.bid(m.Lead)
	}
}

func draw(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "/"))
	}
	x := h.Sum64() // the last byte has hardly moved the first bits: mix
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
