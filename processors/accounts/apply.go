// Package accounts owns the materialized account-ownership table, keyed by domain (or by
// what else a company without one is known by); a row is a leadroute.Account. The ledger
// reads it as a hint when it decides a lead, and asks it whose a new company is.
package accounts

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/ownership"
)

// Apply decides what message m does to an account at time at. The row is keyed by domain,
// whatever the message says.
func Apply(domain string, s *leadroute.Account, m *leadroute.AccountMessage, at leadroute.Millis) (*leadroute.Account, []leadroute.Effect) {
	switch {
	case m.Set != nil:
		a := *m.Set
		a.Domain, a.Claim = domain, nil
		if a.Owner == "" && s != nil && s.Claim != nil { // what is said names no other owner
			a.Owner, a.Claim = s.Owner, s.Claim
		}
		return &a, nil
	case m.Remove != nil:
		return nil, nil
	case m.Own != nil:
		return own(domain, s, m.Own, at)
	}
	return s, nil
}

// own makes the rep of the first assignment the owner. One whom somebody named is none of
// a lead's to question: the rules say what that owner gets.
func own(domain string, s *leadroute.Account, m *leadroute.Own, at leadroute.Millis) (*leadroute.Account, []leadroute.Effect) {
	if s != nil && s.Owner != "" && s.Claim == nil {
		return s, ownership.Answer(&leadroute.Owned{Claim: m.Claim, N: m.N, Yes: true, Bid: m.Bid})
	}
	if s == nil {
		s = &leadroute.Account{Domain: domain}
	}
	claim, owned := ownership.Judge(s.Claim, m, at)
	s.Claim, s.Owner = claim, claim.Rep
	return s, ownership.Answer(owned)
}
