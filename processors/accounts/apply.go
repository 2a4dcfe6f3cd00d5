// Package accounts owns the materialized account-ownership table, keyed by domain. The
// ledger reads it as a hint when it decides a lead.
package accounts

import "github.com/leadroute/leadroute"

// State is an account's row.
type State struct {
	Account leadroute.Account `json:"account"`
}

// Apply sets or removes an account. The row is keyed by domain, whatever the message says.
func Apply(domain string, s *State, m *leadroute.AccountMessage, _ leadroute.Millis) (*State, []leadroute.Effect) {
	switch {
	case m.Set != nil:
		a := *m.Set
		a.Domain = domain
		return &State{Account: a}, nil
	case m.Remove != nil:
		return nil, nil
	}
	return s, nil
}
