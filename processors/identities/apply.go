// Package identities owns what is known of people: which lead came with an identity (a
// hash of an e-mail, say, or of a phone) first. It knows nobody: the door alone
// has the key of the hashes. Rows go when their time is over.
package identities

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
	"github.com/leadroute/leadroute/processors/ownership"
)

// State is an identity's row: some 150 bytes, its key of 24 included.
type State struct {
	// Root is the lead that came first, or the one that it turned out to be a duplicate of.
	Root leadroute.LeadID `json:"r"`
	// Receipt is the hash of the root's posting; 0: it was noted by another lead.
	Receipt uint64 `json:"k,omitempty"`
	// Stands: the root has asked all its identities and is nobody's duplicate.
	Stands bool             `json:"s,omitempty"`
	First  leadroute.Millis `json:"f"`
	Last   leadroute.Millis `json:"l"`
	// Until is when the row goes. Set by the policies of those who asked, and never made shorter.
	Until leadroute.Millis `json:"u"`
	// Owner is the rep who got the person's first lead; nil: nobody yet.
	Owner *leadroute.Ownership `json:"o,omitempty"`
}

// over tells whether nothing is known, or no more.
func (s *State) over(at leadroute.Millis) bool { return s == nil || at >= s.Until }

func (s *State) keep(from leadroute.Millis, within int64) {
	s.Until = max(s.Until, from.Add(time.Duration(within)*time.Millisecond))
}

// Apply decides what message m does to an identity at time at. It owns s and may change it
// in place; the row it returns replaces s, nil deletes it.
func Apply(s *State, m *leadroute.IdentityMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
	switch {
	case m.Ask != nil:
		return ask(s, m.Ask, at)
	case m.Settle != nil:
		return settle(s, m.Settle, at), nil
	case m.Own != nil:
		return own(s, m.Own, at)
	case m.Check != nil:
		if s.over(at) {
			return nil, nil
		}
	}
	return s, nil
}

func ask(s *State, m *leadroute.Ask, at leadroute.Millis) (*State, []leadroute.Effect) {
	if s.over(at) {
		s = &State{Root: m.Lead, Receipt: m.Receipt, First: at}
		s.keep(at, m.Within)
	}
	first := s.Root == m.Lead && (s.Receipt == m.Receipt || s.Receipt == 0)
	if s.Last != 0 && mutant.On("identities-copy-is-another") {
		first = false
	}
	if !first && m.Instead != "" && s.Root == m.Instead {
		s.Root, s.Receipt, s.Stands, first = m.Lead, m.Receipt, false, true
	}
	if first && m.Last {
		s.Stands = true
	}
	s.Last = at
	if m.Slide {
		s.keep(at, m.Within)
	}
	met := &leadroute.Met{N: m.N, First: first}
	if !first {
		met.Lead, met.Stands = s.Root, s.Stands
		if s.Owner != nil {
			met.Owner = s.Owner.Rep
		}
	}
	return s, []leadroute.Effect{{Topic: leadroute.TopicLedger, Key: string(m.Lead), Value: &leadroute.LedgerMessage{Met: met}}}
}

// own makes the rep of the first assignment the owner. A lead that gets so far is nobody's duplicate.
func own(s *State, m *leadroute.Own, at leadroute.Millis) (*State, []leadroute.Effect) {
	if s.over(at) {
		s = &State{Root: m.Claim.Lead, Stands: true, First: at, Last: at}
	}
	s.keep(at, m.Within)
	var owned *leadroute.Owned
	s.Owner, owned = ownership.Judge(s.Owner, m, at)
	return s, ownership.Answer(owned)
}

// settle notes what a lead turned out to be. An identity that nobody asked for learns of a
// root alone that stands: else two leads could become each other's duplicates.
func settle(s *State, m *leadroute.Settle, at leadroute.Millis) *State {
	switch {
	case s.over(at):
		if !m.Stands && !mutant.On("ledger-links-who-may-fall") || m.Root == m.Lead {
			return s
		}
		s = &State{Root: m.Root, Stands: m.Stands, First: at, Last: at}
		s.keep(at, m.Within)
	case s.Root == m.Lead:
		if m.Root != m.Lead {
			s.Root, s.Receipt = m.Root, 0
		}
		s.Stands = m.Stands || s.Stands
	}
	return s
}

// Sweep asks for a Check of a row whose time is over.
func Sweep(key string, s *State, now leadroute.Millis) []leadroute.Effect {
	if !s.over(now) || mutant.On("identities-never-expire") {
		return nil
	}
	return []leadroute.Effect{{
		Topic: leadroute.TopicIdentities, Key: key, Value: &leadroute.IdentityMessage{Check: &leadroute.Check{At: now}},
	}}
}
