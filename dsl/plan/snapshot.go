package plan

import "github.com/leadroute/leadroute"

// Snapshot is what a decision reads besides the lead and the time, as the tables showed
// it. With the plan, the lead and the time it makes the decision again, byte for byte.
type Snapshot struct {
	Account *leadroute.Account `json:"account,omitempty"`
	// Found is how the account was found, or what was like the lead's company; nil: the policy
	// looks no account up, or nothing was.
	Found *Found `json:"found,omitempty"`
	// Free are the live figures that the plan's conditions may read: of a pool the members
	// who could take a lead.
	Free map[leadroute.PoolID]int `json:"free,omitempty"`
}

// See takes down what a decision by this plan may read now.
func (p *Plan) See(account *leadroute.Account, found *Found, live Live) *Snapshot {
	s := &Snapshot{Account: account, Found: found}
	for _, pool := range p.LiveReads {
		if s.Free == nil {
			s.Free = make(map[leadroute.PoolID]int, len(p.LiveReads))
		}
		s.Free[pool] = live.Available(pool)
	}
	return s
}

// Available is the figure as it was, 0 for a pool whose figure the plan did not read.
func (s *Snapshot) Available(pool leadroute.PoolID) int { return s.Free[pool] }
