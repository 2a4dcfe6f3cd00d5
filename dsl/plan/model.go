package plan

import (
	"math"

	"github.com/leadroute/leadroute"
)

// Model ranks reps for a lead: a weighted sum of features of the lead and the rep. What it
// was learnt from, and how, is its author's.
type Model struct {
	File string // as the policy names it
	// Logistic shows the sum as a probability; the ranking is that of the sum.
	Logistic  bool
	Intercept float64
	Features  []Feature
	pairing
}

// Feature is one term of a Model. Exactly one of Number and Cond is set; a condition is worth
// 1 or 0.
type Feature struct {
	Name    string
	Weight  float64
	Missing float64 // what it is worth where it is missing, or undecided
	Number  *Number
	Cond    *Cond
}

// FactHeld is what a model may read of a rep besides the profile: the open places taken.
const FactHeld = "held"

// NewModel completes a model whose features are over that layout.
func NewModel(m Model, l *Layout) *Model {
	m.pairing = newPairing(l)
	return &m
}

// Of lays the offered lead out, to score one rep after the other.
func (m *Model) Of(o *leadroute.Offer) *Scored { return &Scored{m, m.lead(o)} }

// Scored is a Model with its lead.
type Scored struct {
	model *Model
	r     *Record
}

// Free gives the record back.
func (s *Scored) Free() { s.r.Free() }

// Score is the model's sum for the rep who holds so many leads: the more the better. The
// same everywhere, since no two steps are fused into one.
func (s *Scored) Score(rep *leadroute.Rep, held int) float64 {
	s.model.rep(s.r, rep, held)
	sum := s.model.Intercept
	for i := range s.model.Features {
		f := &s.model.Features[i]
		v := f.Missing
		switch {
		case f.Cond == nil:
			if n := f.Number.Of(s.r); !math.IsNaN(n) {
				v = n
			}
		case f.Cond.Holds(s.r):
			v = 1
		case f.Cond.Fails(s.r):
			v = 0
		}
		sum += float64(f.Weight * v) // the conversion forbids fusing it with the sum
	}
	if math.IsNaN(sum) { // infinities that cancel out
		return math.Inf(-1)
	}
	return sum
}

// Shown is a score as people read it.
func (m *Model) Shown(score float64) float64 {
	if m.Logistic {
		return 1 / (1 + math.Exp(-score))
	}
	return score
}
