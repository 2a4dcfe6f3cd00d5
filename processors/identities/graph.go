package identities

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// sweepEvery is how often the rows are looked at: their time is days, and one that is over
// counts for nothing before it is swept.
const sweepEvery = time.Hour

// Stage is the identities stage on the log.
func Stage() stream.Stage[State, leadroute.IdentityMessage] {
	return stream.Stage[State, leadroute.IdentityMessage]{
		Name: leadroute.TopicIdentities,
		Apply: func(_ stream.Ctx, _ string, s *State, m *leadroute.IdentityMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
			return Apply(s, m, at)
		},
		Sweep: Sweep, SweepEvery: sweepEvery,
	}
}
