package reps

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/stream"
)

// Stage is the reps stage on the log.
func Stage(plans func(leadroute.PlanID) *plan.Plan) stream.Stage[desk.State, leadroute.RepMessage] {
	env := Env{Plan: plans}
	return stream.Stage[desk.State, leadroute.RepMessage]{
		Name: leadroute.TopicReps,
		Apply: func(ctx stream.Ctx, key string, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
			return Hear(env, leadroute.RepID(key), s, m, at, leadroute.From{Offset: ctx.Offset, Replay: ctx.Replay})
		},
		Sweep: func(key string, s *desk.State, now leadroute.Millis) []leadroute.Effect {
			return Sweep(leadroute.RepID(key), s, now)
		},
	}
}
