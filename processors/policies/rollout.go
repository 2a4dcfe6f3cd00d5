package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// enough is how many leads a share is taken of at least: one lead of three is no 33 %.
const enough = 30

// Figures are what became of the leads since a rollout began. Those of a canary are the
// leads that the candidate decided; those of a shadow all leads, as the candidate would
// have decided them.
type Figures struct {
	Leads      uint64 `json:"leads"`
	Moved      uint64 `json:"moved"`      // would have gone elsewhere under the other plan
	Unassigned uint64 `json:"unassigned"` // no rule takes them, or nobody and no queue of the policy
	// Settled leads were acknowledged by the primary destination or missed their
	// deliver_within; Missed did the latter.
	Settled uint64 `json:"settled"`
	Missed  uint64 `json:"missed"`
}

// Verdict is what is to become of a rollout.
type Verdict struct {
	Abort, Promote bool
	Reason         string
}

// Judge holds the figures against the rollout's bounds. A share counts from 30 leads on,
// and a plan of which no lead is known is not promoted.
func Judge(o *plan.Rollout, f Figures, age time.Duration) Verdict {
	for _, c := range []struct {
		what     string
		of, from uint64
		above    *float64
	}{
		{"sla_missed", f.Missed, f.Settled, o.Abort.SLAMissedAbove},
		{"unassigned", f.Unassigned, f.Leads, o.Abort.UnassignedAbove},
		{"moved_leads", f.Moved, f.Leads, o.Abort.MovedLeadsAbove},
	} {
		if c.above == nil || c.from < enough {
			continue
		}
		if share := float64(c.of) / float64(c.from); share > *c.above {
			return Verdict{Abort: true, Reason: fmt.Sprintf("%s: %d of %d leads, %.2g above %.2g", c.what, c.of, c.from, share, *c.above)}
		}
	}
	if o.Hold > 0 && age >= o.Hold && f.Leads > 0 {
		return Verdict{Promote: true, Reason: fmt.Sprintf("held for %v over %d leads", o.Hold, f.Leads)}
	}
	return Verdict{}
}

// Trial watches the rollouts: it takes back one whose figures are bad and puts the plan of
// one that held into force. Every instance may run one; the log lets one of them win.
type Trial struct {
	Policies *Log
	// Plan returns a plan by its id, nil where it cannot be had.
	Plan func(leadroute.PlanID) *plan.Plan
	// Figures are those of candidate, or with shadow those of base's leads, since then.
	Figures func(ctx context.Context, base, candidate leadroute.PlanID, shadow bool, since time.Time) (Figures, error)
	Every   time.Duration // between looks, 2s if zero
	Now     func() time.Time
	Log     *slog.Logger
}

// Run watches until ctx ends. While the figures are not to be had nothing happens.
func (t *Trial) Run(ctx context.Context) error {
	every := t.Every
	if every == 0 {
		every = 2 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := t.look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrMoved) {
			t.Log.Warn("the rollout of a policy cannot be judged, it goes on", "error", err)
		}
	}
}

func (t *Trial) look(ctx context.Context) error {
	s, _ := t.Policies.Standing()
	if s.Candidate == "" {
		return nil
	}
	p := t.Plan(s.Candidate)
	if p == nil || p.Rollout == nil {
		return nil // a person promotes it or takes it back
	}
	f, err := t.Figures(ctx, s.Current, s.Candidate, p.Rollout.Mode == plan.RolloutShadow, s.Since.Time())
	if err != nil {
		return err
	}
	switch v := Judge(p.Rollout, f, t.Now().Sub(s.Since.Time())); {
	case v.Abort:
		if err := t.Policies.Withdraw(ctx, s.Candidate, ByRollout, v.Reason); err != nil {
			return err
		}
		t.Log.Warn("the rollout of a policy was taken back", "plan", s.Candidate, "reason", v.Reason)
	case v.Promote:
		if err := t.Policies.Promote(ctx, s.Candidate, s.Current, ByRollout, v.Reason); err != nil {
			return err
		}
		t.Log.Info("a policy came into force", "plan", s.Candidate, "reason", v.Reason)
	}
	return nil
}
