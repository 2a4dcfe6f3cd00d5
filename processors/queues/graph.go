package queues

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/stream"
)

// Stage is the queues stage on the log.
func Stage(current func() *plan.Plan) stream.Stage[State, leadroute.QueueMessage] {
	return stream.Stage[State, leadroute.QueueMessage]{
		Name: leadroute.TopicQueues,
		Apply: func(ctx stream.Ctx, key string, s *State, m *leadroute.QueueMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
			return Apply(Env{Plan: current}, leadroute.QueueID(key), s, m, at, ctx.Replay)
		},
	}
}
