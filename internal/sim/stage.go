package sim

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/pools"
	"github.com/leadroute/leadroute/processors/reps"
)

// stage is one stateful stage: the real decision behind the real codec.
type stage struct {
	name      leadroute.Topic
	parts     []*partition
	apply     func(in *instance, key string, row, msg []byte, at leadroute.Millis) ([]byte, []leadroute.Effect, error)
	recovered func(*instance)
}

// adapt puts the codec around a decision, as the stream does.
func adapt[S, M any](decide func(in *instance, key string, s *S, m *M, at leadroute.Millis) (*S, []leadroute.Effect)) func(*instance, string, []byte, []byte, leadroute.Millis) ([]byte, []leadroute.Effect, error) {
	return func(in *instance, key string, row, msg []byte, at leadroute.Millis) ([]byte, []leadroute.Effect, error) {
		m, err := leadroute.Decode[M](msg)
		if err != nil {
			return nil, nil, err
		}
		var s *S
		if row != nil {
			if s, err = leadroute.Decode[S](row); err != nil {
				return nil, nil, err
			}
		}
		next, out := decide(in, key, s, m, at)
		if next == nil {
			return nil, out, nil
		}
		b, err := leadroute.Encode(next)
		return b, out, err
	}
}

func (w *World) build() {
	le := ledger.Env{Plan: w.planOf, Decide: w.decider}
	re := reps.Env{Plan: w.planOf}
	w.ledger = w.stage(leadroute.TopicLedger, adapt(func(in *instance, key string, s *ledger.State, m *leadroute.LedgerMessage, at leadroute.Millis) (*ledger.State, []leadroute.Effect) {
		before := ownerOf(s)
		next, out := ledger.Apply(le, leadroute.LeadID(key), s, m, at, in.pos-1 < in.seen)
		w.ownerChanged(in, key, before, ownerOf(next))
		return next, out
	}))
	w.ledger.recovered = w.countOwners
	w.pools = w.stage(leadroute.TopicPools, adapt(func(in *instance, key string, s *pools.State, m *leadroute.PoolMessage, at leadroute.Millis) (*pools.State, []leadroute.Effect) {
		return pools.Apply(pools.Env{Plan: w.planOf, Roster: w.views[in.id].roster}, leadroute.PoolID(key), s, m, at)
	}))
	w.pools.recovered = func(in *instance) {
		w.views[in.id] = &view{roster: pools.NewRoster(), read: make([]int, w.opt.Partitions)}
	}
	w.reps = w.stage(leadroute.TopicReps, adapt(func(in *instance, key string, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
		held := 0
		if s != nil {
			held = len(s.Held)
		}
		next, out := reps.Apply(re, leadroute.RepID(key), s, m, at)
		w.checkCaps(in, next, m)
		w.checkPause(in, key, held, next, m, at)
		return next, out
	}))
	w.stages = []*stage{w.ledger, w.pools, w.reps}
	for _, st := range w.stages {
		for _, p := range st.parts {
			w.takeOver(st, p)
		}
	}
}

func (w *World) stage(name leadroute.Topic, apply func(*instance, string, []byte, []byte, leadroute.Millis) ([]byte, []leadroute.Effect, error)) *stage {
	st := &stage{name: name, apply: apply}
	for range w.opt.Partitions {
		st.parts = append(st.parts, &partition{})
	}
	return st
}

// view is a pools instance's lagging copy of the rep table.
type view struct {
	roster *pools.Roster
	read   []int // of each partition's changelog
}

// catchUp reads up to n rows of one partition of the rep table.
func (w *World) catchUp(v *view, part, n int) {
	log := w.reps.parts[part].changelog
	for ; n > 0 && v.read[part] < len(log); n-- {
		c := log[v.read[part]]
		v.read[part]++
		if c.value == nil {
			v.roster.Update(leadroute.RepID(c.key), nil)
			continue
		}
		s, err := leadroute.Decode[desk.State](c.value)
		if err != nil {
			w.violate("codec", "rep row %s: %v", c.key, err)
			return
		}
		v.roster.Update(leadroute.RepID(c.key), s)
	}
}

// handle lets an owner take the next record of its inbox.
func (w *World) handle(in *instance) {
	r := in.part.inbox[in.pos]
	t := &txn{offset: in.pos}
	in.pos++
	in.txns = append(in.txns, t)
	in.last = max(in.last, r.at)
	row := in.table[r.key]
	w.tracef("%s#%d handles %s %s", in.stage.name, in.id, r.key, r.value)
	next, out, err := in.stage.apply(in, r.key, row.value, r.value, in.last)
	if err != nil {
		w.violate("codec", "%s: %v", in.stage.name, err)
		return
	}
	if string(next) != string(row.value) {
		n := row.n
		if row.term != in.term {
			n = 0
		}
		c := change{key: r.key, value: next, term: in.term, n: n + 1}
		in.table[r.key] = c
		w.tracef("  row %s", next)
		w.put(in.id, item{from: in, txn: t, row: &c})
	}
	for _, e := range out {
		it := item{from: in, txn: t, to: e.Topic, key: e.Key}
		if e.Value != nil {
			if it.val, err = leadroute.Encode(e.Value); err != nil {
				w.violate("codec", "%s: %v", e.Topic, err)
				return
			}
		}
		w.tracef("  -> %s %s %s", e.Topic, e.Key, it.val)
		w.put(in.id, it)
	}
	w.commit(in)
}

func ownerOf(s *ledger.State) leadroute.RepID {
	if s == nil || s.Phase != ledger.Owned || s.Claim.EvenIfFull {
		return ""
	}
	return s.Owner()
}

// send lets an outsider (door, clock, worker, human) put a message into an inbox.
func (w *World) send(sender int, to leadroute.Topic, key string, v any) {
	b, err := leadroute.Encode(v)
	if err != nil {
		w.violate("codec", "%s: %v", to, err)
		return
	}
	w.put(sender, item{to: to, key: key, val: b})
}
