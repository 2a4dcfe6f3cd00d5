// Package accounts owns the materialized account-ownership table, keyed by domain; a row
// is a leadroute.Account. The ledger reads it as a hint when it decides a lead.
package accounts

import "github.com/leadroute/leadroute"

// Apply sets or removes an account. The row is keyed by domain, whatever the message says.
func Apply(domain string, s *leadroute.Account, m *leadroute.AccountMessage) *leadroute.Account {
	switch {
	case m.Set != nil:
		a := *m.Set
		a.Domain = domain
		return &a
	case m.Remove != nil:
		return nil
	}
	return s
}
