package pools

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/stream"
)

// Stage is the pools stage on the log. The roster must have recovered before it runs.
func Stage(plans func(leadroute.PlanID) *plan.Plan, roster *Roster) stream.Stage[State, leadroute.PoolMessage] {
	env := Env{Plan: plans, Roster: roster}
	return stream.Stage[State, leadroute.PoolMessage]{
		Name: leadroute.TopicPools,
		Apply: func(_ stream.Ctx, key string, s *State, m *leadroute.PoolMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
			return Apply(env, leadroute.PoolID(key), s, m, at)
		},
	}
}

// Live is the roster as a plan's conditions see it at one time.
func (r *Roster) Live(p *plan.Plan, at leadroute.Millis) plan.Live { return live{r, p, at} }

type live struct {
	roster *Roster
	plan   *plan.Plan
	at     leadroute.Millis
}

func (l live) Available(name leadroute.PoolID) int {
	pool := l.plan.Pools[name]
	if pool == nil {
		return 0
	}
	return l.roster.Available(l.plan, pool, l.at)
}
