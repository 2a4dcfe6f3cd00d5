package sim

import (
	"hash/fnv"
	"slices"

	"github.com/leadroute/leadroute"
)

// record is one message in a partition of an inbox.
type record struct {
	key   string
	value []byte // nil: a tombstone
	at    leadroute.Millis
}

// partition is one partition of a stateful stage: its inbox, its changelog, and how far
// its group has committed.
type partition struct {
	inbox     []record
	changelog []change
	committed int
	terms     int // how many owners it has had
	swept     leadroute.Millis
	owner     *owner
}

// change is one write of a table row. Term is the owner's number, n its writes of this row:
// on recovery a later term wins over an earlier one, whatever arrived last.
type change struct {
	key     string
	value   []byte           // nil: deleted
	at      leadroute.Millis // of the message that made it
	term, n int
}

func (c change) olderThan(o change) bool {
	if c.term != o.term {
		return c.term < o.term
	}
	return c.n < o.n
}

// owner is a process in its part as the owner of one partition, living or stalled.
type owner struct {
	id    int
	by    *process
	stage *stage
	part  *partition
	pos   int // next record of the inbox
	seen  int // the inbox's length when this owner took over: what lies before may be a replay
	term  int
	table map[string]change
	txns  []*txn // handled, not yet committed, in order
}

// from is where the message lies that is being handled.
func (o *owner) from() leadroute.From {
	return leadroute.From{Offset: int64(o.pos - 1), Replay: o.pos-1 < o.seen}
}

// txn is one handled message: its offset may be committed when all it caused is flushed.
type txn struct {
	offset  int
	pending int
}

// item is one produced record on its way: a table write or a message. Items of one sender
// to one partition keep their order; all else may overtake.
type item struct {
	from *owner // nil: not a stateful stage
	txn  *txn
	row  *change
	to   leadroute.Topic
	key  string
	val  []byte
	at   leadroute.Millis // by its sender's clock
	what string           // for the trace
}

// String is what the trace says of it.
func (it item) String() string {
	if it.row != nil {
		return "row " + it.key + " of " + string(it.from.stage.name)
	}
	return it.what
}

// lane is the way of one sender to one partition.
type lane struct {
	sender int
	topic  leadroute.Topic
	part   int
}

func partitionOf(key string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % uint32(n))
}

// takeOver makes a process the owner of a partition, with what the changelog holds, from the
// committed offset on.
func (w *World) takeOver(st *stage, p *partition, by *process) {
	w.owners++
	p.terms++
	own := &owner{
		id: w.owners, by: by, stage: st, part: p, pos: p.committed, seen: len(p.inbox), term: p.terms, table: map[string]change{},
	}
	for _, c := range p.changelog {
		if have, ok := own.table[c.key]; !ok || have.olderThan(c) {
			own.table[c.key] = c
		}
	}
	p.owner = own
	if st.recovered != nil {
		st.recovered(own)
	}
}

// put appends an item to its lane.
func (w *World) put(sender int, it item) {
	l := lane{sender: sender, topic: it.to}
	if it.row != nil {
		l.topic = "table:" + it.from.stage.name
	} else {
		l.part = partitionOf(it.key, w.opt.Partitions)
	}
	if _, ok := w.lanes[l]; !ok {
		w.order = append(w.order, l)
	}
	it.at = w.now + w.skew(sender, it.from)
	w.lanes[l] = append(w.lanes[l], it)
	w.flying++
	if it.txn != nil {
		it.txn.pending++
	}
}

// flush lets the head of one lane arrive.
func (w *World) flush(l lane) {
	q := w.lanes[l]
	it := q[0]
	w.lanes[l] = q[1:]
	w.flying--
	w.note("arrived: %s", it)
	w.arrive(it)
	if it.txn != nil {
		it.txn.pending--
		w.commit(it.from)
	}
	if len(w.lanes[l]) == 0 {
		delete(w.lanes, l)
		w.order = slices.Delete(w.order, slices.Index(w.order, l), slices.Index(w.order, l)+1)
	}
}

// commit moves the group's offset over the fully flushed prefix. A stalled owner's commits are refused.
func (w *World) commit(own *owner) {
	for len(own.txns) > 0 && own.txns[0].pending == 0 {
		if own.part.owner == own {
			own.part.committed = own.txns[0].offset + 1
		}
		own.txns = own.txns[1:]
	}
}

// cut ends an owner's sending: each item on its way survives or not, whatever became of the
// others.
func (w *World) cut(own *owner, survive func() bool) {
	for _, l := range w.lanesOf(own) {
		for _, it := range w.lanes[l] {
			w.flying--
			if survive() {
				w.note("arrived: %s", it)
				w.arrive(it)
			} else {
				w.note("lost: %s", it)
			}
		}
		delete(w.lanes, l)
		w.order = slices.Delete(w.order, slices.Index(w.order, l), slices.Index(w.order, l)+1)
	}
	own.txns = nil
}

// letGo lets everything that an owner sent arrive, and commits.
func (w *World) letGo(own *owner) {
	for _, l := range w.lanesOf(own) {
		for range len(w.lanes[l]) {
			w.flush(l)
		}
	}
}

func (w *World) lanesOf(own *owner) []lane {
	return slices.DeleteFunc(slices.Clone(w.order), func(l lane) bool { return l.sender != own.id })
}
