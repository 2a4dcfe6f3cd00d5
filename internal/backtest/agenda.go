package backtest

import (
	"cmp"

	"github.com/leadroute/leadroute"
)

// agenda is what will happen, in the order of the time; at one time, in the order in which
// it was put down. It is a heap of its own, because container/heap allocates for each entry.
type agenda struct {
	entries []entry
	n       uint64
}

type entry struct {
	at  leadroute.Millis
	seq uint64
	cue cue
}

func (e *entry) before(f *entry) bool {
	return cmp.Or(cmp.Compare(e.at, f.at), cmp.Compare(e.seq, f.seq)) < 0
}

func (a *agenda) add(at leadroute.Millis, c cue) {
	a.n++
	a.entries = append(a.entries, entry{at, a.n, c})
	for i := len(a.entries) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.entries[i].before(&a.entries[up]) {
			return
		}
		a.entries[i], a.entries[up] = a.entries[up], a.entries[i]
		i = up
	}
}

// pop takes what happens next, if it is due by then.
func (a *agenda) pop(by leadroute.Millis) (at leadroute.Millis, c cue, ok bool) {
	if len(a.entries) == 0 || a.entries[0].at > by {
		return 0, cue{}, false
	}
	first := a.entries[0]
	last := len(a.entries) - 1
	a.entries[0] = a.entries[last]
	a.entries[last] = entry{}
	a.entries = a.entries[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && a.entries[down+1].before(&a.entries[down]) {
			down++
		}
		if !a.entries[down].before(&a.entries[i]) {
			break
		}
		a.entries[i], a.entries[down] = a.entries[down], a.entries[i]
		i = down
	}
	return first.at, first.cue, true
}
