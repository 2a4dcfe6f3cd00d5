package sim

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

// Case is one run: a seed, less what is left out of it.
type Case struct {
	Seed uint64
	Skip []bool // steps, by number
	Trim []bool // parts of the world, by their place in World.trims
	// until is the last step that matters, 0: all do.
	until int
}

// Steps counts the steps up to the violation that are not left out.
func (c Case) Steps(v *Violation) int {
	n := v.Step
	for _, out := range c.Skip[:min(len(c.Skip), v.Step+1)] {
		if out {
			n--
		}
	}
	return n
}

// trim is something that a world can do without.
type trim struct {
	cut   func()
	staff bool // it is a rep
}

// trims are all that the drawn world may do without. They are the same for one seed, and none
// changes what the steps draw, if it can be helped.
func (w *World) trims() []trim {
	ts := []trim{
		{cut: func() { w.opt.Processes = 1 }},
		{cut: func() { w.opt.Partitions = 1 }},
		{cut: func() { w.opt.Stalls = false }},
		{cut: func() { w.opt.Faults, w.opt.Stalls = false, false }},
		{cut: func() { w.opt.Skew = 0 }},
		{cut: func() { w.opt.Busy = 0 }},
		{cut: func() { w.opt.Temper = 0 }},
		{cut: func() { w.accept = 0 }},
		{cut: func() { w.plans = w.plans[:1] }},
	}
	for n := w.opt.Leads / 2; n > 0; n /= 2 {
		ts = append(ts, trim{cut: func() { w.opt.Leads = n }})
	}
	for i := range w.opt.Reps {
		ts = append(ts, trim{cut: func() { w.absent[i] = true }, staff: true})
	}
	for _, p := range w.plans {
		if len(p.Destinations) > 1 {
			ts = append(ts, trim{cut: func() { p.Destinations = p.Destinations[:1] }})
		}
		for i := range p.Classes {
			ts = append(ts, zeros(&p.Classes[i])...)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Pools)) {
			ts = append(ts, zeros(p.Pools[name])...)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
			ts = append(ts, zeros(p.Queues[name])...)
		}
	}
	return ts
}

// needed are members without which a part of a plan is none.
var needed = map[string]bool{"Name": true, "Members": true, "When": true, "Where": true}

// zeros take away each member of a part of a plan, so that what is added to plans is shrunk
// without a line here.
func zeros(part any) (ts []trim) {
	v := reflect.ValueOf(part).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && !needed[f.Name] && !v.Field(i).IsZero() {
			ts = append(ts, trim{cut: func() { v.Field(i).SetZero() }})
		}
	}
	return ts
}

// shrinker makes a failing case smaller for as long as there is time.
type shrinker struct {
	best Case
	v    *Violation
	// whole is what is violated if nothing is left out.
	whole *Violation
	end   time.Time
	late  bool // the time was up before all had been tried
}

// Shrink makes a failing case small: it leaves out parts of the world, and steps in ever
// smaller runs (delta debugging), until no single one can go, or the time is up. What is left
// breaks the same invariant. minimal tells whether all was tried; v is the violation then, nil
// for a case that does not fail.
func Shrink(seed uint64, within time.Duration) (c Case, v *Violation, minimal bool) {
	s := &shrinker{best: Case{Seed: seed}, end: time.Now().Add(within)}
	if s.v, _ = Run(s.best, false); s.v == nil {
		return s.best, nil, true
	}
	s.whole = s.v
	s.best.Trim = make([]bool, len(newDrawn(s.best, false).trims()))
	s.best.Skip = make([]bool, s.last()+1)
	for again := true; again && !s.late; {
		again = s.trim()
		for size := max(s.last()/2, 1); size > 0; size /= 2 {
			for s.sweep(size) && size == 1 { // a step may have been needed for one that is gone now
				again = true
			}
		}
	}
	s.best.until = 0
	v, _ = Run(s.best, false)
	return s.best, v, !s.late
}

// last is the last step that may be left out. The draining of a world that never comes to rest
// shows that it does not.
func (s *shrinker) last() int {
	if s.v.Invariant == liveness {
		return s.v.busy
	}
	return s.v.Step
}

// sweep tries to leave out each run of so many steps, and tells whether one could go.
func (s *shrinker) sweep(size int) (went bool) {
	for from := s.last(); from > 0; from -= size { // what happened last matters most: the first goes last
		low, high := max(from-size+1, 1), min(from, len(s.best.Skip)-1)
		if low > min(high, s.last()) || !slices.Contains(s.best.Skip[low:high+1], false) {
			continue
		}
		less := s.best
		less.Skip = slices.Clone(s.best.Skip)
		for i := low; i <= high; i++ {
			less.Skip[i] = true
		}
		went = s.try(less) || went
	}
	return went
}

// trim tries to leave out each part of the world.
func (s *shrinker) trim() (went bool) {
	trims := newDrawn(s.best, false).trims()
	for i, out := range s.best.Trim {
		if out || trims[i].staff && s.whole.Invariant == liveness { // without anybody all leads wait
			continue
		}
		less := s.best
		less.Trim = slices.Clone(s.best.Trim)
		less.Trim[i] = true
		went = s.try(less) || went
	}
	return went
}

// same tells whether a violation is the one that is looked for. A world that does not come to
// rest may do so for many reasons, that all reps were left out among them: nothing may be left
// over in a way in which nothing was before.
func (v *Violation) same(u *Violation) bool {
	return u != nil && u.Invariant == v.Invariant && !slices.ContainsFunc(u.left, func(l left) bool {
		return !slices.ContainsFunc(v.left, func(had left) bool { return had.how == l.how })
	})
}

// try keeps the case if it breaks the same invariant, no later.
func (s *shrinker) try(less Case) bool {
	if s.late = s.late || time.Now().After(s.end); s.late {
		return false
	}
	less.until = s.v.Step
	v, _ := Run(less, false)
	if !s.whole.same(v) || v.Step > s.v.Step {
		return false
	}
	s.best, s.v = less, v
	return true
}
