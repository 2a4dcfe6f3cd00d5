package views

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/processors/desk"
)

// Board is the answer to GET /v1/reps, by id.
type Board struct {
	Reps []BoardRow `json:"reps"`
}

// BoardRow is one rep on the board.
type BoardRow struct {
	ID      leadroute.RepID     `json:"id"`
	Name    string              `json:"name,omitempty"`
	Team    string              `json:"team,omitempty"`
	Region  string              `json:"region,omitempty"`
	Status  leadroute.RepStatus `json:"status"`
	Open    int                 `json:"open"` // slots in use
	Cap     int                 `json:"cap"`  // slots
	Held    int                 `json:"held"` // leads on the desk, those beyond the cap (even_if_full) included
	Weight  float64             `json:"weight"`
	Version int64               `json:"version"`
	Gone    bool                `json:"gone,omitempty"` // removed; the row stays until the desk is empty
}

func (a *API) board(*http.Request) answer {
	b := Board{Reps: []BoardRow{}}
	a.cfg.Reps(func(key string, s *desk.State) bool {
		row := BoardRow{
			ID: leadroute.RepID(key), Name: s.Profile.Name, Team: s.Profile.Team, Region: s.Profile.Region, Status: s.Status,
			Open: s.Open(), Cap: desk.OpenCap(&s.Profile), Held: len(s.Held), Weight: s.Profile.Weight, Version: s.Version, Gone: s.Gone,
		}
		if row.Weight == 0 {
			row.Weight = 1
		}
		b.Reps = append(b.Reps, row)
		return true
	})
	slices.SortFunc(b.Reps, func(x, y BoardRow) int { return cmp.Compare(x.ID, y.ID) })
	return answer{http.StatusOK, &b}
}

// table reads reps by the names of the policy in force.
func (a *API) table() *intake.Table[leadroute.Rep] {
	return intake.Reps(intake.KnownOf(a.cfg.Plan()))
}

func (a *API) importReps(r *http.Request) answer {
	return importRows(a, r, a.table(), func(ctx context.Context, rep *leadroute.Rep) *answer {
		return a.produce(ctx, leadroute.TopicReps, string(rep.ID), &leadroute.RepMessage{Profile: rep})
	})
}

// accepted is what a change of one rep answers.
type accepted struct {
	ID     leadroute.RepID `json:"id"`
	Status string          `json:"status"` // "accepted"
}

func (a *API) accept(r *http.Request, id string, m *leadroute.RepMessage) answer {
	if bad := a.produce(r.Context(), leadroute.TopicReps, id, m); bad != nil {
		return *bad
	}
	return answer{http.StatusAccepted, accepted{leadroute.RepID(id), "accepted"}}
}

func (a *API) putRep(r *http.Request) answer {
	id := r.PathValue("id")
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	raw, said := intake.WithKey(raw, "id", id)
	if said != "" && said != id {
		return refuse(http.StatusUnprocessableEntity, "/id", fmt.Sprintf("the body is of rep %q, the address of %q", said, id), "make them the same, or leave the id out of the body")
	}
	rows, faults := a.table().Read([]json.RawMessage{raw})
	if len(faults) > 0 {
		return faulty(faults, false)
	}
	return a.accept(r, id, &leadroute.RepMessage{Profile: &rows[0]})
}

func (a *API) putStatus(r *http.Request) answer {
	id := r.PathValue("id")
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	var in struct {
		Status leadroute.RepStatus `json:"status"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return refuse(http.StatusUnprocessableEntity, "/status", "the body is not {\"status\": ...} with a text", "write available, busy, away or off")
	}
	if _, f := intake.Status(string(in.Status)); f != nil {
		return refuse(http.StatusUnprocessableEntity, f.Pointer, f.Message, f.Remedy)
	}
	if s := a.known(r.Context(), id); s == nil || s.Gone {
		return noRep(id)
	}
	return a.accept(r, id, &leadroute.RepMessage{Status: &in.Status})
}

func (a *API) removeRep(r *http.Request) answer {
	id := r.PathValue("id")
	if a.known(r.Context(), id) == nil {
		return noRep(id)
	}
	return a.accept(r, id, &leadroute.RepMessage{Remove: &leadroute.RepRemoval{Reason: "operator"}})
}

func noRep(id string) answer {
	return refuse(http.StatusNotFound, "", fmt.Sprintf("there is no rep %q", id), "check the id with `leadroute reps list`, or import the rep first")
}

// known returns a rep's row. The table may be behind the log, so it waits a little for one
// that is not there.
func (a *API) known(ctx context.Context, id string) *desk.State {
	return settled(ctx, a.cfg.Settle, func() *desk.State { return a.cfg.Rep(id) })
}

// settled reads a row, and waits a little for one that is not there.
func settled[T any](ctx context.Context, patience time.Duration, read func() *T) *T {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		if s := read(); s != nil {
			return s
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
