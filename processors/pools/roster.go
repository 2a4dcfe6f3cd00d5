package pools

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// pickTTL is how long what was heard counts that the view never shows: a pick whose claim was
// declined, or lost with a crash, and the answer of a rep who was removed since and hired again,
// whose versions began anew.
const pickTTL = 5 * time.Second

// Roster is the live view of the rep table, indexed for picking. It is a hint: the view
// lags, so what this instance picked lately is laid over it. It is safe for concurrent use.
type Roster struct {
	mu   sync.RWMutex
	rows map[leadroute.RepID]*row
	// pools caches who is a member, by plan and pool, and orders who comes first; dropped when
	// a profile changes.
	pools  map[poolKey][]*row
	orders map[orderKey]*order
	scan   bool // the tests compare: look at every member
}

type poolKey struct {
	plan leadroute.PlanID
	pool leadroute.PoolID
}

type row struct {
	id    leadroute.RepID
	state *desk.State // as the view has it
	// said is what a later answer said, laid over the view until that catches up.
	said  *leadroute.Answer
	picks []pick // of this instance, not yet seen in the view
	// known are the places in orders that know something about this row, which is over when
	// it changes.
	known []place
}

type pick struct {
	id   leadroute.ClaimID
	pool leadroute.PoolID
	// own and cost are how many places it takes, of the rep's own and of the pool's.
	own, cost int
	at        leadroute.Millis
}

// NewRoster returns an empty roster.
func NewRoster() *Roster {
	return &Roster{rows: map[leadroute.RepID]*row{}, pools: map[poolKey][]*row{}, orders: map[orderKey]*order{}}
}

// Update lays a row of the rep table into the roster; nil, or one of a rep who has left,
// takes the rep out.
func (r *Roster) Update(id leadroute.RepID, s *desk.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.rows[id]
	if s == nil || s.Left() {
		if w != nil {
			delete(r.rows, id)
			r.forget()
		}
		return
	}
	if w == nil {
		w = &row{id: id}
		r.rows[id] = w
		r.forget()
	} else if !sameRep(&w.state.Profile, &s.Profile) {
		r.forget()
	}
	w.state = s
	defer w.changed()
	if w.said != nil && w.said.Version <= s.Version {
		w.said = nil
	}
	w.picks = slices.DeleteFunc(w.picks, func(p pick) bool {
		return slices.ContainsFunc(s.Held, func(c desk.Claim) bool {
			return c.Lead == p.id.Lead && c.Rev == p.id.Rev && c.Try == p.id.Try
		})
	})
}

// forget drops what depends on who is a member of which pool.
func (r *Roster) forget() {
	clear(r.pools)
	for _, o := range r.orders {
		o.over = true
	}
	clear(r.orders)
}

// sameRep tells whether two profiles are alike.
func sameRep(a, b *leadroute.Rep) bool {
	if a == b {
		return true
	}
	return a.ID == b.ID && a.Email == b.Email && a.CRMID == b.CRMID && a.Name == b.Name && a.Team == b.Team && a.Region == b.Region &&
		a.Timezone == b.Timezone && a.Hours == b.Hours && a.Weight == b.Weight && a.StartedOn == b.StartedOn && a.Caps == b.Caps &&
		slices.Equal(a.Skills, b.Skills) && slices.Equal(a.Languages, b.Languages) && slices.Equal(a.Holidays, b.Holidays) &&
		slices.Equal(a.Away, b.Away) && maps.Equal(a.Cost, b.Cost) && slices.EqualFunc(a.Shifts[:], b.Shifts[:], slices.Equal) &&
		(len(a.Attrs)+len(b.Attrs) == 0 || reflect.DeepEqual(a.Attrs, b.Attrs))
}

// Said lays a rep's answer over the view, where the view is older.
func (r *Roster) Said(a *leadroute.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.rows[a.Claim.Rep]
	if w == nil {
		return
	}
	w.picks = slices.DeleteFunc(w.picks, func(p pick) bool { return p.id == a.Claim })
	defer w.changed()
	if a.Version > w.state.Version && (w.said == nil || a.Version > w.said.Version) {
		w.said = a
	}
}

// Picked notes a pick, so that it counts until the view shows the claim.
func (r *Roster) Picked(id leadroute.ClaimID, pool *plan.Pool, class leadroute.Class, at leadroute.Millis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.rows[id.Rep]; w != nil {
		w.picked(pick{id, pool.Name, w.state.Profile.CostOf(class), pool.CostOf(class), at})
	}
}

// picked notes a pick, and forgets those that have long ceased to count.
func (w *row) picked(p pick) {
	w.picks = slices.DeleteFunc(w.picks, func(old pick) bool { return old.at.Add(10*pickTTL) < p.at })
	w.picks = append(w.picks, p)
}

// Candidates appends to buf the pool's members who could take the offered lead at that
// time, by rep id. Where there is nobody no says why: no_members, too_few_present,
// nobody_fits or nobody_available. Where the pool lets reps catch up, away are those who
// are not there or have no room.
func (r *Roster) Candidates(buf []Candidate, p *plan.Plan, pool *plan.Pool, o *leadroute.Offer, at leadroute.Millis) (among, away []Candidate, no string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.members(p, pool)
	if len(members) == 0 {
		return buf, nil, "no_members"
	}
	if !present(members, p, pool, at) {
		return buf, nil, "too_few_present"
	}
	fits := newFit(pool, o)
	defer fits.free()
	unfit := 0
	for _, w := range members {
		c, no := w.candidate(p, pool, o.Class, at)
		switch {
		case no != "":
			if missable(pool.CatchUp) > 0 && makesUp(no) {
				away = append(away, w.shape(pool, at))
			}
		case !fits.require(&w.state.Profile):
			unfit++
		default:
			c.Preferred = fits.prefer(&w.state.Profile)
			c.Score = fits.score(&w.state.Profile, c.Open)
			buf = append(buf, c)
		}
	}
	switch {
	case len(buf) > 0:
		return buf, away, ""
	case unfit > 0:
		return buf, away, "nobody_fits"
	}
	return buf, away, nobodyAvailable
}

// member tells whether the rep is in the pool now.
func (r *Roster) member(pool *plan.Pool, rep leadroute.RepID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	w := r.rows[rep]
	return w != nil && pool.Member(&w.state.Profile)
}

// present tells whether so many members are there, free or not, as the pool wants.
func present(members []*row, p *plan.Plan, pool *plan.Pool, at leadroute.Millis) bool {
	if pool.MinPresent <= 1 {
		return true
	}
	n := 0
	for _, w := range members {
		if desk.Absent(w.state, p, pool, at) == "" {
			if n++; n >= pool.MinPresent {
				return true
			}
		}
	}
	return false
}

// fit holds a lead against the pool's wishes, rep by rep.
type fit struct {
	must, rather *plan.Asked
	model        *plan.Scored
}

func newFit(pool *plan.Pool, o *leadroute.Offer) (f fit) {
	if pool.Require != nil {
		f.must = pool.Require.Of(o)
	}
	if pool.Prefer != nil {
		f.rather = pool.Prefer.Of(o)
	}
	if pool.Model != nil {
		f.model = pool.Model.Of(o)
	}
	return f
}

func (f fit) require(r *leadroute.Rep) bool { return f.must == nil || f.must.Holds(r) }
func (f fit) prefer(r *leadroute.Rep) bool  { return f.rather != nil && f.rather.Holds(r) }

// score is 0 where the pool has no model.
func (f fit) score(r *leadroute.Rep, held int) float64 {
	if f.model == nil {
		return 0
	}
	return f.model.Score(r, held)
}

func (f fit) free() {
	if f.model != nil {
		f.model.Free()
	}
	for _, a := range []*plan.Asked{f.must, f.rather} {
		if a != nil {
			a.Free()
		}
	}
}

// Standing is how a member of a pool stands when a lead is offered.
type Standing struct {
	Rep  leadroute.RepID `json:"rep"`
	Open int             `json:"open"` // leads held
	// Turn is the place in the order in which the strategy would pick, from 1; 0: passed over.
	Turn int `json:"turn,omitempty"`
	// Score is what the pool's model says, a probability where it is logistic.
	Score *float64 `json:"score,omitempty"`
	// Even: the lead is one of those that are given out evenly, whoever fits best.
	Even bool `json:"even,omitempty"`
	// Claims: the rep may claim the lead, as may others.
	Claims bool `json:"claims,omitempty"`
	// Passed says why the rep was passed over, in the words of desk.Refuse.
	Passed string `json:"passed,omitempty"`
	// Until is when a rep who is not there will be; 0: nobody can say, or that is not what keeps the rep.
	Until leadroute.Millis `json:"until,omitempty"`
}

// Standings lists the pool's members, whoever the strategy would pick first at the head and
// those who are passed over at the end. It changes nothing: turn is the pool's row, nil for
// one that has handed out no lead yet; o is the offer of the lead in question.
func (r *Roster) Standings(p *plan.Plan, pool *plan.Pool, turn *State, o *leadroute.Offer, at leadroute.Millis) []Standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	var among []Candidate
	var passed []Standing
	members := r.members(p, pool)
	enough := present(members, p, pool, at)
	fits := newFit(pool, o)
	defer fits.free()
	for _, w := range members {
		c, no := w.candidate(p, pool, o.Class, at)
		switch {
		case no == "" && !enough:
			no = "too_few_present"
		case no == "" && !fits.require(&w.state.Profile):
			no = "unfit"
		}
		if no == "" {
			c.Preferred = fits.prefer(&w.state.Profile)
			c.Score = fits.score(&w.state.Profile, c.Open)
			among = append(among, c)
		} else {
			one := Standing{Rep: w.id, Open: w.state.Open(), Passed: no}
			if back := w.state.Returns(p, at); back > at {
				one.Until = back
			}
			passed = append(passed, one)
		}
	}
	s := State{}
	if turn != nil {
		s = *turn
		s.Owed, s.Missed = slices.Clone(turn.Owed), slices.Clone(turn.Missed)
	}
	list := []Standing{}
	for by := strategyOf(pool, o); len(among) > 0; {
		rep, even := s.among(by, pool, o, among, nil, nil)
		i := slices.IndexFunc(among, func(c Candidate) bool { return c.Rep == rep })
		one := Standing{Rep: rep, Open: among[i].Open, Turn: len(list) + 1, Even: even}
		if pool.Model != nil && by.Name() == plan.BestFit {
			one.Score = new(pool.Model.Shown(among[i].Score))
		}
		if by.Name() == plan.Claim {
			one.Turn, one.Claims = 0, true // whoever claims first
		}
		list = append(list, one)
		among = slices.Delete(among, i, i+1)
	}
	return append(list, passed...)
}

// Available counts the pool's members who could take a lead at that time, if it fits them
// and takes one place.
func (r *Roster) Available(p *plan.Plan, pool *plan.Pool, at leadroute.Millis) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	members := r.members(p, pool)
	if !present(members, p, pool, at) {
		return 0
	}
	for _, w := range members {
		if _, no := w.candidate(p, pool, "", at); no == "" {
			n++
		}
	}
	return n
}

// Room is how many such leads the candidates could take together, at least one each. Caps
// over time are not counted through: with them it is one.
func (r *Roster) Room(pool *plan.Pool, cost int, among []Candidate) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for i := range among {
		if w := r.rows[among[i].Rep]; w != nil {
			n += w.room(pool, cost, among[i].Open)
		}
	}
	return n
}

func (w *row) room(pool *plan.Pool, cost, open int) int {
	own := w.state.Profile.Caps
	if own.PerHour+own.PerDay+own.PerWeek+pool.Caps.PerHour+pool.Caps.PerDay+pool.Caps.PerWeek > 0 {
		return 1
	}
	n := (desk.OpenCap(&w.state.Profile) - open) / cost
	if pool.Caps.Open > 0 {
		in := w.state.OpenIn(pool.Name)
		if w.said != nil && w.said.Pool == pool.Name {
			in = w.said.OpenInPool
		}
		for _, p := range w.picks {
			if p.pool == pool.Name {
				in += p.cost
			}
		}
		n = min(n, (pool.Caps.Open-in)/cost)
	}
	return max(n, 1)
}

// members are the pool's reps, by id.
func (r *Roster) members(p *plan.Plan, pool *plan.Pool) []*row {
	k := poolKey{p.ID, pool.Name}
	if m, ok := r.pools[k]; ok {
		return m
	}
	m := []*row{}
	if pool.Where == nil { // they are listed: no need to ask all reps there are
		for _, id := range pool.Members {
			if w := r.rows[id]; w != nil {
				m = append(m, w)
			}
		}
	} else {
		for _, w := range r.rows {
			if pool.Where(&w.state.Profile) {
				m = append(m, w)
			}
		}
	}
	slices.SortFunc(m, func(a, b *row) int { return cmp.Compare(a.id, b.id) })
	m = slices.Compact(m)
	r.pools[k] = m
	return m
}

// candidate tells whether the rep could take a lead from the pool, by what is known here: no
// says why not, in the words of desk.Refuse, and is empty if so.
func (w *row) candidate(p *plan.Plan, pool *plan.Pool, class leadroute.Class, at leadroute.Millis) (c Candidate, no string) {
	s := w.state
	own, cost := s.Profile.CostOf(class), pool.CostOf(class)
	if no := desk.Refuse(s, p, pool, class, at, false); no != "" {
		return Candidate{}, no
	}
	open, inPool := s.Open(), -1
	a := w.said
	if a != nil && a.At.Add(pickTTL) < at {
		a = nil
	}
	if a != nil {
		if a.Status != leadroute.StatusAvailable {
			return Candidate{}, string(a.Status)
		}
		open = a.Open
		if a.Pool == pool.Name {
			inPool = a.OpenInPool
		}
	}
	if overlaid := a != nil || len(w.picks) > 0; overlaid && inPool < 0 && pool.Caps.Open > 0 { // else desk.Refuse has looked
		inPool = s.OpenIn(pool.Name)
	}
	for i := range w.picks {
		if w.picks[i].at.Add(pickTTL) < at {
			continue
		}
		open += w.picks[i].own
		if w.picks[i].pool == pool.Name {
			inPool += w.picks[i].cost
		}
	}
	switch {
	case open+own > desk.OpenCap(&s.Profile):
		return Candidate{}, "full"
	case pool.Caps.Open > 0 && inPool+cost > pool.Caps.Open:
		return Candidate{}, "pool_full"
	}
	c = w.shape(pool, at)
	c.Open = open
	return c, ""
}

// shape is what a strategy sees of the rep, but for what lies on the desk.
func (w *row) shape(pool *plan.Pool, at leadroute.Millis) Candidate {
	r := &w.state.Profile
	weight := r.Weight
	if pool.WeightBy != nil {
		weight = pool.WeightBy(r)
	}
	return Candidate{Rep: w.id, Weight: weight, Ramp: pool.Ramp.Share(r.StartedOn, at)}
}
