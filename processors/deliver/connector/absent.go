package connector

import (
	"context"

	"github.com/leadroute/leadroute"
)

// absent stands in for a kind of destination that this version cannot speak: every
// delivery goes to the dead letters with the reason, and can be sent again from there.
type absent struct{ kind string }

func (a absent) Deliver(context.Context, *leadroute.Delivery) Attempt {
	return Attempt{Result: leadroute.ResultRejected, Reason: "this version has no connector for " + a.kind}
}
