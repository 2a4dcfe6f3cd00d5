package identities

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

// walker is a lead that asks its identities as the ledger does.
type walker struct {
	id     leadroute.LeadID
	keys   []string
	next   int
	root   leadroute.LeadID // empty: nobody came before
	done   bool
	stands bool
}

// world is some leads and identities; what is on its way arrives in any order of the senders.
type world struct {
	rows    map[string]*State
	walkers []*walker
	way     []func() // settles on their way
	now     leadroute.Millis
}

func (w *world) apply(key string, m *leadroute.IdentityMessage) *leadroute.Met {
	s, out := Apply(w.rows[key], m, w.now)
	w.rows[key] = s
	if len(out) == 0 {
		return nil
	}
	return out[0].Value.(*leadroute.LedgerMessage).Met
}

// step lets the lead ask its next identity, twice if it is unsure.
func (w *world) step(l *walker, twice bool) {
	m := &leadroute.IdentityMessage{Ask: &leadroute.Ask{Lead: l.id, Receipt: 1, N: l.next, Last: l.next == len(l.keys)-1, Within: 24 * 3600_000}}
	met := w.apply(l.keys[l.next], m)
	if twice {
		met = w.apply(l.keys[l.next], m)
	}
	if met.First && l.next+1 < len(l.keys) {
		l.next++
		return
	}
	l.done = true
	settle := leadroute.Settle{Lead: l.id, Root: l.id, Stands: true, Within: 24 * 3600_000}
	if !met.First {
		l.root, l.stands = met.Lead, met.Stands
		settle.Root, settle.Stands = met.Lead, met.Stands
	}
	for i, key := range l.keys {
		if i < l.next || i > l.next && settle.Stands {
			w.way = append(w.way, func() { w.apply(key, &leadroute.IdentityMessage{Settle: &settle}) })
		}
	}
}

// TestNobodyIsEachOthersDuplicate: however the leads of some people come together, each is
// the first or the duplicate of another lead, and who follows that to its end comes to one
// that is nobody's. A lead that came when all before it was told is the duplicate of a lead
// that stands, if it shares anything with one that did.
func TestNobodyIsEachOthersDuplicate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{rows: map[string]*State{}, now: 1768384800000}
		names := rapid.IntRange(1, 6).Draw(t, "identities")
		for i := range rapid.IntRange(2, 8).Draw(t, "leads") {
			keys := rapid.SliceOfNDistinct(rapid.IntRange(0, names-1), 1, min(3, names), rapid.ID[int]).Draw(t, "keys")
			slices.Sort(keys)
			l := &walker{id: leadroute.LeadID(fmt.Sprint("L", i))}
			for _, k := range keys {
				l.keys = append(l.keys, fmt.Sprint("k", k))
			}
			w.walkers = append(w.walkers, l)
		}
		for {
			var open []*walker
			for _, l := range w.walkers {
				if !l.done {
					open = append(open, l)
				}
			}
			if len(open) == 0 {
				break
			}
			w.now = w.now.Add(time.Millisecond)
			if i := rapid.IntRange(0, len(open)+len(w.way)-1).Draw(t, "who"); i < len(open) {
				w.step(open[i], rapid.Bool().Draw(t, "twice"))
			} else {
				i -= len(open)
				w.way[i]()
				w.way = slices.Delete(w.way, i, i+1)
			}
		}
		for _, tell := range w.way {
			tell()
		}
		roots := map[leadroute.LeadID]leadroute.LeadID{}
		for _, l := range w.walkers {
			roots[l.id] = l.root
		}
		for id := range roots {
			seen := []leadroute.LeadID{id}
			for at := roots[id]; at != ""; at = roots[at] {
				if slices.Contains(seen, at) {
					t.Fatalf("%v are each other's duplicates: %v", append(seen, at), roots)
				}
				seen = append(seen, at)
			}
		}
		late := &walker{id: "late", keys: w.walkers[0].keys}
		shares := false
		for _, key := range late.keys {
			shares = shares || w.rows[key] != nil && w.rows[key].Stands
		}
		for !late.done {
			w.step(late, false)
		}
		if shares && late.root == "" {
			t.Fatalf("late is the first, and shares one of %v with a lead that stands", late.keys)
		}
		for _, tell := range w.way {
			tell()
		}
	})
}
