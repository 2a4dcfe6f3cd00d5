package views

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/processors/desk"
)

// Board is the answer to GET /v1/reps, by id.
type Board struct {
	At   leadroute.Millis `json:"at"`
	Reps []BoardRow       `json:"reps"`
}

// BoardRow is one rep on the board. Instants are milliseconds since 1970.
type BoardRow struct {
	ID     leadroute.RepID     `json:"id"`
	Name   string              `json:"name,omitempty"`
	Team   string              `json:"team,omitempty"`
	Region string              `json:"region,omitempty"`
	Status leadroute.RepStatus `json:"status"` // now
	// StatusUntil is when the status ends; 0: it has no end.
	StatusUntil leadroute.Millis `json:"status_until,omitempty"`
	// Absent is why the rep gets no lead now, however much room there is: a status, leaving, removed, out_of_office,
	// holiday, closed, off_shift, paused; empty: the rep is there.
	Absent string `json:"absent,omitempty"`
	// AbsentUntil is when the rep will be there again; 0: nobody can say.
	AbsentUntil leadroute.Millis   `json:"absent_until,omitempty"`
	Reason      string             `json:"reason,omitempty"`     // why out of the office: vacation, ...
	AwayUntil   leadroute.Millis   `json:"away_until,omitempty"` // 0: until further notice
	Open        int                `json:"open"`                 // own places in use
	Cap         int                `json:"cap"`                  // own places
	Held        int                `json:"held"`                 // leads on the desk, those beyond the cap (even_if_full) included
	Hour        *Counted           `json:"hour,omitempty"`
	Day         *Counted           `json:"day,omitempty"`
	Week        *Counted           `json:"week,omitempty"`
	Last        leadroute.Millis   `json:"last,omitempty"` // when the rep took the last lead
	Pools       []leadroute.PoolID `json:"pools,omitempty"`
	// ShiftEnds is until when the rep is at work, NextShift when the rep comes to work next.
	ShiftEnds leadroute.Millis `json:"shift_ends,omitempty"`
	NextShift leadroute.Millis `json:"next_shift,omitempty"`
	Timezone  string           `json:"timezone"` // in which the rep lives
	Weight    float64          `json:"weight"`
	Version   int64            `json:"version"`
	Gone      bool             `json:"gone,omitempty"`    // removed; the row stays until the desk is empty
	Leaving   bool             `json:"leaving,omitempty"` // takes no new lead, and goes when the desk is empty
	Policy    bool             `json:"policy,omitempty"`  // a rep block of the policy defines the rep
	// Warnings say what about the rep is most likely a mistake.
	Warnings []string       `json:"warnings,omitempty"`
	Profile  *leadroute.Rep `json:"profile,omitempty"` // on request
}

// Counted is how many leads count against a cap over time.
type Counted struct {
	Taken int `json:"taken"`
	Cap   int `json:"cap"`
}

func (a *API) board(r *http.Request) answer {
	p, at := a.cfg.Plan(), leadroute.At(a.cfg.Now())
	b := Board{At: at, Reps: []BoardRow{}}
	profiles := r.URL.Query().Get("profiles") == "true"
	a.cfg.Reps(func(key string, s *desk.State) bool {
		if s.Left() {
			return true
		}
		row := a.row(p, leadroute.RepID(key), s, at)
		if profiles {
			row.Profile = &s.Profile
		}
		b.Reps = append(b.Reps, row)
		return true
	})
	slices.SortFunc(b.Reps, func(x, y BoardRow) int { return cmp.Compare(x.ID, y.ID) })
	return answer{http.StatusOK, &b}
}

func (a *API) getRep(r *http.Request) answer {
	id := r.PathValue("id")
	s := a.known(r.Context(), id)
	if s == nil || s.Left() {
		return noRep(id)
	}
	row := a.row(a.cfg.Plan(), leadroute.RepID(id), s, leadroute.At(a.cfg.Now()))
	row.Profile = &s.Profile
	return answer{http.StatusOK, &row}
}

func (a *API) row(p *plan.Plan, id leadroute.RepID, s *desk.State, at leadroute.Millis) BoardRow {
	row := BoardRow{
		ID: id, Name: s.Profile.Name, Team: s.Profile.Team, Region: s.Profile.Region, Status: s.StatusNow(at),
		Open: s.Open(), Cap: desk.OpenCap(&s.Profile), Held: len(s.Held), Last: s.Last, Timezone: p.RepZone(&s.Profile).String(),
		Weight: s.Profile.Weight, Version: s.Version, Gone: s.Gone, Leaving: s.Leaving,
		Policy: slices.ContainsFunc(p.Reps, func(r leadroute.Rep) bool { return r.ID == id }),
	}
	if row.Weight == 0 {
		row.Weight = 1
	}
	if row.Status != leadroute.StatusAvailable {
		row.StatusUntil = s.StatusUntil
	}
	row.Absent = desk.Absent(s, p, nil, at)
	switch {
	case s.Gone:
		row.Absent = "removed"
	case row.Absent == "" && at < s.Paused:
		row.Absent = "paused"
	}
	if row.Absent != "" {
		row.AbsentUntil = s.Returns(p, at)
	}
	if out, until := s.AwayNow(p, at); out != nil {
		row.Reason, row.AwayUntil = out.Reason, until
	}
	row.ShiftEnds, row.NextShift = s.Shift(p, at)
	hour, day, week := s.Count(p, at)
	row.Hour, row.Day, row.Week = counted(hour, s.Profile.Caps.PerHour), counted(day, s.Profile.Caps.PerDay), counted(week, s.Profile.Caps.PerWeek)
	row.Pools = poolsOf(p, &s.Profile)
	row.Warnings = warnings(p, &s.Profile, row.Pools)
	return row
}

func counted(n, limit int) *Counted {
	if limit == 0 {
		return nil
	}
	return &Counted{n, limit}
}

func poolsOf(p *plan.Plan, r *leadroute.Rep) []leadroute.PoolID {
	var in []leadroute.PoolID
	for name, pool := range p.Pools {
		if pool.Member(r) {
			in = append(in, name)
		}
	}
	slices.Sort(in)
	return in
}

// warnings say what of a profile is most likely a mistake.
func warnings(p *plan.Plan, r *leadroute.Rep, in []leadroute.PoolID) []string {
	var all []string
	if len(in) == 0 {
		all = append(all, "is in no pool, and gets leads by name alone")
	}
	if r.Hours != "" && p.Hours[r.Hours] == nil {
		all = append(all, fmt.Sprintf("keeps the hours %q, which the policy does not have: they are always open", r.Hours))
	}
	for _, name := range r.Holidays {
		if p.Calendars[name] == nil {
			all = append(all, fmt.Sprintf("keeps the holidays %q, which the policy does not have: they are working days", name))
		}
	}
	return all
}

// table reads reps by the names of the policy in force.
func (a *API) table() *intake.Table[leadroute.Rep] {
	return intake.Reps(intake.KnownOf(a.cfg.Plan()))
}

func (a *API) importReps(r *http.Request) answer {
	p := a.cfg.Plan()
	mind := func(rep *leadroute.Rep) string {
		if w := warnings(p, rep, poolsOf(p, rep)); len(w) > 0 {
			return fmt.Sprintf("rep %q %s", rep.ID, strings.Join(w, "; "))
		}
		return ""
	}
	return importRows(a, r, a.table(), mind, func(ctx context.Context, rep *leadroute.Rep) *answer {
		return a.produce(ctx, leadroute.TopicReps, string(rep.ID), &leadroute.RepMessage{Profile: rep})
	})
}
