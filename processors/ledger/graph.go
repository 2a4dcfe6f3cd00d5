package ledger

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/stream"
)

// Plans are the plans that leads are decided by.
type Plans interface {
	// Of returns the plan of an id, or the current one where nobody has that.
	Of(id leadroute.PlanID) *plan.Plan
	// Beside returns the plan whose decision is compared with that of the one that decides,
	// while a change is tried; nil: none.
	Beside(decides leadroute.PlanID) *plan.Plan
}

// Accounts are the accounts as they are known here, a little behind their table.
type Accounts interface {
	// Find looks the account of a lead up as the plan says it, and tells how; nil: none.
	Find(p *plan.Plan, l *leadroute.Lead) (*leadroute.Account, *plan.Found)
}

// Stage is the ledger on the log. live is what a plan's conditions may read of the rep table.
func Stage(plans Plans, accounts Accounts, live func(*plan.Plan, leadroute.Millis) plan.Live) stream.Stage[State, leadroute.LedgerMessage] {
	return stream.Stage[State, leadroute.LedgerMessage]{
		Name: leadroute.TopicLedger,
		Apply: func(ctx stream.Ctx, key string, s *State, m *leadroute.LedgerMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
			decide := func(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
				return Decide(p, l, accounts, live(p, at), at)
			}
			env := Env{Plan: plans.Of, Decide: func(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
				d, err := decide(p, l, at)
				if other := plans.Beside(p.ID); err == nil && other != nil {
					if o, err := decide(other, l, at); err == nil {
						d.Compared = d.Compare(&o)
					}
				}
				return d, err
			}}
			return Hear(env, leadroute.LeadID(key), s, m, at, leadroute.From{Offset: ctx.Offset, Replay: ctx.Replay})
		},
		Sweep: func(key string, s *State, now leadroute.Millis) []leadroute.Effect {
			return Sweep(Env{Plan: plans.Of}, leadroute.LeadID(key), s, now)
		},
	}
}

// Decide runs the plan on a lead with what the tables show now.
func Decide(p *plan.Plan, l *leadroute.Lead, accounts Accounts, live plan.Live, at leadroute.Millis) (plan.Decision, error) {
	account, found, claims := AccountOf(p, l, accounts)
	r, err := p.Record(l, account)
	if err != nil {
		return plan.Decision{}, err
	}
	seen := p.See(account, found, live)
	d := p.Decide(r, seen, at.Time())
	d.Seen, d.Company = seen, claims
	return d, nil
}

// AccountOf finds the lead's account, and the key at which its first assignment makes an
// owner; none where the lead itself says who that is.
func AccountOf(p *plan.Plan, l *leadroute.Lead, accounts Accounts) (account *leadroute.Account, found *plan.Found, claims string) {
	account, found = accounts.Find(p, l)
	switch {
	case p.Company(l).Owner != "":
	case account != nil && !mutant.On("ledger-claims-beside-account"):
		claims = account.Domain
	default:
		claims, _ = company.Key(p, l)
	}
	return account, found, claims
}
