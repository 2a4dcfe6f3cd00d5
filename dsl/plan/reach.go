package plan

import (
	"slices"

	"github.com/leadroute/leadroute"
)

// Path is how leads can reach a rep.
type Path struct {
	// Rule is the rule that sends them, with its condition; or Class and Step for an SLA step
	// that hands leads over.
	Rule  string          `json:"rule,omitempty"`
	Class leadroute.Class `json:"priority,omitempty"`
	Step  string          `json:"step,omitempty"`
	When  string          `json:"when,omitempty"` // as the author wrote it; empty: every lead that gets so far
	// Place is the target's place in the rule's list, from 1.
	Place int `json:"place,omitempty"`
	// Via are the pool and, where the lead waits first, the queue before it. Empty: directly.
	Via []Target `json:"via,omitempty"`
	// Named: only a lead that names the rep itself, such as by its account's owner.
	Named bool `json:"named,omitempty"`
	// Disabled rules send nothing now.
	Disabled bool `json:"disabled,omitempty"`
}

// Member tells whether the rep belongs to the pool.
func (p *Pool) Member(rep *leadroute.Rep) bool {
	if p.Where != nil {
		return p.Where(rep)
	}
	return slices.Contains(p.Members, rep.ID)
}

// Reach lists every path in which leads can come to the rep, in the order of the policy. It
// goes by the rules' form alone: whether some lead meets all of a path's conditions is not asked.
func (p *Plan) Reach(rep *leadroute.Rep) []Path {
	var paths []Path
	for i := range p.Rules {
		rule := &p.Rules[i]
		for j, t := range rule.Targets {
			base := Path{Rule: rule.Name, When: rule.When.Source, Place: j + 1, Disabled: rule.Disabled}
			if len(t.Could) == 0 {
				base.Named = true
				paths = append(paths, base)
				continue
			}
			paths = append(paths, p.through(base, t.Could, rep)...)
		}
	}
	for i := range p.Classes {
		for _, s := range p.Classes[i].Steps {
			if s.To != nil {
				paths = append(paths, p.through(Path{Class: p.Classes[i].Name, Step: s.Name}, []Target{*s.To}, rep)...)
			}
		}
	}
	return paths
}

// through follows targets to the rep: directly, through a pool, or through a queue that
// drains to a pool.
func (p *Plan) through(base Path, targets []Target, rep *leadroute.Rep) []Path {
	var paths []Path
	seen := map[leadroute.QueueID]bool{}
	var follow func(t Target, via []Target)
	follow = func(t Target, via []Target) {
		path := base
		switch pool := p.Pools[t.Pool]; {
		case t.Rep != "" && t.Rep == rep.ID:
			path.Via = via
			paths = append(paths, path)
		case pool != nil && pool.Member(rep):
			path.Via = append(slices.Clone(via), Target{Pool: t.Pool})
			paths = append(paths, path)
		case t.Queue != "" && !seen[t.Queue] && p.Queues[t.Queue] != nil:
			seen[t.Queue] = true
			via = append(slices.Clone(via), Target{Queue: t.Queue})
			for _, name := range p.Queues[t.Queue].DrainTo {
				follow(Target{Pool: name}, via)
			}
			if then := p.Queues[t.Queue].Then; then != nil {
				follow(*then, via)
			}
		}
	}
	for _, t := range targets {
		follow(t, nil)
	}
	return paths
}
