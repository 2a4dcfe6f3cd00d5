// Package connector speaks the wire of each kind of destination: one attempt in, its
// result out. It decides neither when to try nor whether to try again: the deliver
// worker schedules, the ledger counts.
package connector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Connector makes attempts at one destination. It is safe for concurrent use.
type Connector interface {
	// Deliver makes one attempt; the context's end bounds it. It never fails otherwise
	// than by its Attempt. When the context was cancelled (not timed out) the Attempt
	// means nothing: nobody knows whether the destination took the delivery.
	Deliver(ctx context.Context, d *leadroute.Delivery) Attempt
}

// Attempt is how one attempt ended; the worker lays it into a leadroute.Outcome.
type Attempt struct {
	Result leadroute.Result
	Status int    // HTTP status, 0 if none came
	Reason string // a few words without secrets or personal data; empty when delivered
	// RetryAfter is the instant before which the destination wants no further attempt; 0: it did not say.
	RetryAfter leadroute.Millis
}

// Kind is one kind of destination that a policy may name.
type Kind struct {
	Name string
	// Is tells whether the destination is of this kind.
	Is func(*plan.Destination) bool
	// New makes its connector; the destination's secrets are resolved (plan.Secret.Literal).
	New func(*plan.Destination, func() time.Time) (Connector, error)
}

// Builtin lists every kind.
var Builtin = []Kind{
	{Name: "webhook", Is: func(d *plan.Destination) bool { return d.Webhook != nil }, New: newWebhook},
}

// New makes the destination's connector. Its secrets must be resolved; now is the
// clock of timestamps and of Retry-After, time.Now if nil.
func New(kinds []Kind, d *plan.Destination, now func() time.Time) (Connector, error) {
	if now == nil {
		now = time.Now
	}
	var names []string
	for _, k := range kinds {
		if k.Is(d) {
			c, err := k.New(d, now)
			if err != nil {
				return nil, fmt.Errorf("destination %s: %s: %w", d.Name, k.Name, err)
			}
			return c, nil
		}
		names = append(names, k.Name)
	}
	if d.Other != nil {
		return absent{d.Other.Kind}, nil
	}
	return nil, fmt.Errorf("destination %s: it has no block that says how to deliver; give it one of: %s", d.Name, strings.Join(names, ", "))
}

var errUnresolved = errors.New("not resolved")

// secret returns a resolved secret's text; what names the setting in errors.
func secret(s plan.Secret, what string) (string, error) {
	if s.Name != "" {
		return "", fmt.Errorf("%s: secret %q is %w", what, s.Name, errUnresolved)
	}
	return s.Literal, nil
}
