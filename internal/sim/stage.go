package sim

import (
	"cmp"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/accounts"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/identities"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/pools"
	"github.com/leadroute/leadroute/processors/queues"
	"github.com/leadroute/leadroute/processors/reps"
)

// stage is one stateful stage: the real decision behind the real codec.
type stage struct {
	name  leadroute.Topic
	parts []*partition
	decision
	recovered func(*owner)
}

// decision is a stage's decision on encoded rows and messages, and its words for them.
type decision struct {
	apply   func(own *owner, key string, row, msg []byte, at leadroute.Millis) ([]byte, []leadroute.Effect, error)
	message func(msg []byte) string
	change  func(was, is []byte) string
}

// adapt puts the codec around a decision, as the stream does.
func adapt[S, M any](decide func(own *owner, key string, s *S, m *M, at leadroute.Millis) (*S, []leadroute.Effect)) decision {
	apply := func(own *owner, key string, row, msg []byte, at leadroute.Millis) ([]byte, []leadroute.Effect, error) {
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
		next, out := decide(own, key, s, m, at)
		if next == nil {
			return nil, out, nil
		}
		b, err := leadroute.Encode(next)
		return b, out, err
	}
	row := func(b []byte) *S {
		s, _ := leadroute.Decode[S](b) // it was encoded here
		return s
	}
	return decision{
		apply: apply,
		message: func(msg []byte) string {
			m, _ := leadroute.Decode[M](msg) // apply has read it
			return brief(m)
		},
		change: func(was, is []byte) string { return differences(row(was), row(is)) },
	}
}

func (w *World) build() {
	le := ledger.Env{Plan: w.planOf, Decide: w.decideAndNote}
	re := reps.Env{Plan: w.planOf}
	w.ledger = w.stage(leadroute.TopicLedger, adapt(func(own *owner, key string, s *ledger.State, m *leadroute.LedgerMessage, at leadroute.Millis) (*ledger.State, []leadroute.Effect) {
		before, had := ownerOf(s), claimOf(s)
		open, try := s != nil && s.OpenUntil != 0, 0
		if open {
			try = s.Try
		}
		held, owned, rev := s != nil && s.Held != nil, leadroute.RepID(""), 0
		if s != nil {
			owned, rev = s.Owner(), s.Rev
		}
		fired, alive := firings(s), s != nil && s.Open()
		next, out := ledger.Hear(le, leadroute.LeadID(key), s, m, at, own.from())
		if m.Due != nil && at < m.Due.Due && firings(next) != fired {
			w.violate("7 steps", "%s of %s fired %d ms before it was due", m.Due.Name, key, m.Due.Due-at)
		}
		w.checkHold(own, key, next, held, owned, out)
		w.checkReroute(own, key, next, held, rev, m.Revise)
		w.ownerChanged(own, key, before, ownerOf(next))
		w.checkMember(key, next)
		w.checkRefused(key, open, try, next, m)
		w.checkCommit(own, had, next)
		w.checkTakenIn(own, key, alive, m, out)
		return next, out
	}))
	w.ledger.recovered = w.countOwners
	w.pools = w.stage(leadroute.TopicPools, adapt(func(own *owner, key string, s *pools.State, m *leadroute.PoolMessage, at leadroute.Millis) (*pools.State, []leadroute.Effect) {
		before := pools.State{}
		if s != nil {
			before = pools.State{Made: s.Made, Recent: slices.Clone(s.Recent), Missed: slices.Clone(s.Missed)}
		}
		even := pools.Turn{}
		if s != nil {
			even = s.Even
		}
		among := w.fits(key, own, m, at)
		check := w.checkLine(own, key, s, m.Offer, at)
		next, out := pools.Apply(pools.Env{Plan: w.planOf, Roster: own.by.view.roster}, leadroute.PoolID(key), s, m, at)
		check(out)
		w.checkTurns(key, &before, next, m)
		w.checkFit(key, among, even, &before, next, m)
		return next, out
	}))
	w.pools.recovered = w.forgetLines
	w.reps = w.stage(leadroute.TopicReps, adapt(func(own *owner, key string, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
		held, back := 0, s == nil || s.Gone
		if s != nil {
			held = len(s.Held)
		}
		next, out := reps.Hear(re, leadroute.RepID(key), s, m, at, own.from())
		w.answered(own, m, out)
		w.checkCaps(own, next, m)
		w.checkPause(own, key, held, next, m, at)
		w.checkStatus(own, key, back, next, m, at)
		w.checkThere(own, key, held, next, m, out, at)
		return next, out
	}))
	w.identities = w.stage(leadroute.TopicIdentities, adapt(func(own *owner, key string, s *identities.State, m *leadroute.IdentityMessage, at leadroute.Millis) (*identities.State, []leadroute.Effect) {
		next, out := identities.Apply(s, m, at)
		w.checkOwn(own, key, m.Own, out)
		return next, out
	}))
	w.accounts = w.stage(leadroute.TopicAccounts, adapt(func(own *owner, key string, s *leadroute.Account, m *leadroute.AccountMessage, at leadroute.Millis) (*leadroute.Account, []leadroute.Effect) {
		next, out := accounts.Apply(key, s, m, at)
		w.accountSaid(own, key, s, m)
		w.checkOwn(own, key, m.Own, out)
		return next, out
	}))
	w.queues = w.stage(leadroute.TopicQueues, adapt(func(own *owner, key string, s *queues.State, m *leadroute.QueueMessage, at leadroute.Millis) (*queues.State, []leadroute.Effect) {
		check := w.checkAlert(own, leadroute.QueueID(key), s, m, at)
		next, out := queues.Apply(queues.Env{Plan: func() *plan.Plan { return w.plan }}, leadroute.QueueID(key), s, m, at, own.pos-1 < own.seen)
		check(next, out)
		return next, out
	}))
	w.stages = []*stage{w.ledger, w.pools, w.reps, w.identities, w.accounts, w.queues}
	for range max(w.opt.Processes, 1) {
		w.startProcess()
	}
	for _, st := range w.stages {
		for _, p := range st.parts {
			w.takeOver(st, p, w.procs[w.rng.IntN(len(w.procs))])
		}
	}
}

func (w *World) stage(name leadroute.Topic, d decision) *stage {
	st := &stage{name: name, decision: d}
	for range w.opt.Partitions {
		st.parts = append(st.parts, &partition{})
	}
	return st
}

// view is a process's lagging copy of the rep table.
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
func (w *World) handle(own *owner) {
	r := own.part.inbox[own.pos]
	t := &txn{offset: own.pos}
	own.pos++
	own.txns = append(own.txns, t)
	row := own.table[r.key]
	at := max(r.at, row.at)
	if w.opt.Trace {
		w.note("%s: %s hears %s", own, r.key, own.stage.message(r.value))
	}
	next, out, err := own.stage.apply(own, r.key, row.value, r.value, at)
	if err != nil {
		w.violate("codec", "%s: %v", own.stage.name, err)
		return
	}
	if string(next) != string(row.value) {
		n := row.n
		if row.term != own.term {
			n = 0
		}
		c := change{key: r.key, value: next, at: at, term: own.term, n: n + 1}
		own.table[r.key] = c
		if w.opt.Trace {
			w.note("%s", cmp.Or(own.stage.change(row.value, next), "row"))
		}
		w.put(own.id, item{from: own, txn: t, row: &c, key: r.key})
	}
	for _, e := range out {
		it := item{from: own, txn: t, to: e.Topic, key: e.Key}
		if e.Value != nil {
			if it.val, err = leadroute.Encode(e.Value); err != nil {
				w.violate("codec", "%s: %v", e.Topic, err)
				return
			}
		}
		if w.opt.Trace {
			it.what = describe(e.Topic, e.Key, e.Value)
			w.note("→ %s", it.what)
		}
		w.put(own.id, it)
	}
	w.commit(own)
}

// decideAndNote decides, and notes the leads that are decided otherwise than before: tables change
// between a decision and its replay.
func (w *World) decideAndNote(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
	d, err := w.decider(p, l, at)
	said, _ := leadroute.Encode(&d)
	seen, _ := leadroute.Encode(d.Seen)
	now := string(said) + string(seen)
	if was, again := w.decisions[l.ID]; again && was != now {
		w.otherwise[l.ID] = true
	}
	w.decisions[l.ID] = now
	return d, err
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
	it := item{to: to, key: key, val: b}
	if w.opt.Trace {
		it.what = describe(to, key, v)
		w.note("%s → %s", outsider(sender), it.what)
	}
	w.put(sender, it)
}
