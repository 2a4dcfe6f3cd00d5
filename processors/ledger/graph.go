package ledger

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/stream"
)

// Stage is the ledger on the log. plans returns the plan of an id, or the current one;
// live is what that plan's conditions may read of the rep table.
func Stage(plans func(leadroute.PlanID) *plan.Plan, live func(*plan.Plan, leadroute.Millis) plan.Live) stream.Stage[State, leadroute.LedgerMessage] {
	return stream.Stage[State, leadroute.LedgerMessage]{
		Name:    leadroute.TopicLedger,
		Lookups: []leadroute.Topic{leadroute.TopicAccounts},
		Apply: func(ctx stream.Ctx, key string, s *State, m *leadroute.LedgerMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
			env := Env{Plan: plans, Decide: func(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
				var account *leadroute.Account
				if domain := p.AccountKey(l); domain != "" {
					account = stream.Lookup[leadroute.Account](ctx, leadroute.TopicAccounts, domain)
				}
				r, err := p.Record(l, account)
				if err != nil {
					return plan.Decision{}, err
				}
				seen := p.See(account, live(p, at))
				d := p.Decide(r, seen, at.Time())
				d.Seen = seen
				return d, nil
			}}
			return Apply(env, leadroute.LeadID(key), s, m, at, ctx.Replay)
		},
		Sweep: func(key string, s *State, now leadroute.Millis) []leadroute.Effect {
			return Sweep(Env{Plan: plans}, leadroute.LeadID(key), s, now)
		},
	}
}
