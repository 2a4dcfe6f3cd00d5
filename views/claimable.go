package views

import (
	"net/http"

	"github.com/leadroute/leadroute"
)

// Claimables are the leads that are open to claim, the most urgent first.
type Claimables struct {
	Leads []Claimable `json:"leads"`
}

// Claimable is a lead that is open to claim.
type Claimable struct {
	ID   leadroute.LeadID `json:"id"`
	Pool leadroute.PoolID `json:"pool"`
	// OpenUntil is when it goes to the next target; Deadline that of the class's deliver_within.
	OpenUntil leadroute.Millis `json:"open_until"`
	Deadline  leadroute.Millis `json:"deadline,omitempty"`
}

// claimable lists what is open, to all or to one rep: what lies in pools of which the rep is
// a member. Whether the rep meets what a pool requires for the lead is found out by the claim.
func (a *API) claimable(r *http.Request) answer {
	var rep *leadroute.Rep
	if id := r.URL.Query().Get("rep"); id != "" {
		s := a.known(r.Context(), id)
		if s == nil {
			return noRep(id)
		}
		rep = &s.Profile
	}
	timers, err := a.cfg.Claimable(r.Context())
	if err != nil {
		a.cfg.Log.Warn("leads that are open to claim not read", "error", err)
		return away("which leads are open to claim cannot be read now", "ask again in a moment, and see the log of the router")
	}
	out := Claimables{Leads: []Claimable{}}
	for _, t := range timers {
		if pool := leadroute.PoolID(t.Name); rep == nil || a.cfg.Member(pool, rep) {
			out.Leads = append(out.Leads, Claimable{t.Lead, pool, t.Due, t.Deadline})
		}
	}
	return answer{http.StatusOK, &out}
}
