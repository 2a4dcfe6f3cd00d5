// Package ownership is the one rule of who owns what leads share, a person or a company: the
// first lead that is assigned makes its rep the owner. The identities and the accounts keep
// it in their rows. It is no stage.
package ownership

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Judge answers whether the rep whom a lead is about to be assigned to may have it, and
// returns who owns it from now on. have is nil where nobody does. It may change have in place.
//
// The lead that made the owner may make another one, since it moved on. Where the owner has
// just declined the lead it goes to somebody else, and to the owner it stays, unless that one
// is no rep any more.
func Judge(have *leadroute.Ownership, m *leadroute.Own, at leadroute.Millis) (*leadroute.Ownership, *leadroute.Owned) {
	c := &m.Claim
	owned := &leadroute.Owned{Claim: *c, N: m.N, Yes: true, Bid: m.Bid}
	mine := &leadroute.Ownership{Rep: c.Rep, Lead: c.Lead, Rev: c.Rev, Try: c.Try, At: at}
	switch {
	case have == nil, mutant.On("ownership-last-wins"):
		owned.Made = true
		return mine, owned
	case have.Lead == c.Lead:
		if older(c, have) {
			owned.Yes, owned.Owner = have.Rep == c.Rep, have.Rep
			return have, owned
		}
		owned.Made = true
		if have.Rep == c.Rep && have.Rev == c.Rev && have.Try == c.Try {
			return have, owned
		}
		mine.Instead = have.Instead
		return mine, owned
	case have.Rep == c.Rep:
		return have, owned
	case slices.Contains(m.Gone, have.Rep):
		owned.Made, mine.Instead = true, have.Rep
		return mine, owned
	case slices.Contains(m.Passed, have.Rep), m.Yield:
		return have, owned
	}
	owned.Yes, owned.Owner = false, have.Rep
	return have, owned
}

// older tells whether the claim is of a try before the one that made the owner.
func older(c *leadroute.ClaimID, have *leadroute.Ownership) bool {
	return c.Rev < have.Rev || c.Rev == have.Rev && c.Try < have.Try
}

// Answer is the message that brings it to the ledger.
func Answer(owned *leadroute.Owned) []leadroute.Effect {
	return []leadroute.Effect{{
		Topic: leadroute.TopicLedger, Key: string(owned.Claim.Lead), Value: &leadroute.LedgerMessage{Owned: owned},
	}}
}
