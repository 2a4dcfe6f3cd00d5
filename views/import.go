package views

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute/internal/intake"
)

// Imported is the answer to an import.
type Imported struct {
	Accepted int  `json:"accepted"`
	DryRun   bool `json:"dry_run,omitempty"` // checked only: nothing was written
	// Warnings say what is most likely a mistake, and was taken all the same; at most maxFaults.
	Warnings []string `json:"warnings,omitempty"`
}

// refusal carries an answer out of an errgroup.
type refusal struct{ answer answer }

func (*refusal) Error() string { return "refused" }

// importRows takes an array of rows, all or none: it writes after all have been checked.
// If the log fails in between, the answer is 503 and the same is to be sent again.
// mind says what is odd about a row that is right; nil: nothing.
func importRows[T any](a *API, r *http.Request, table *intake.Table[T], mind func(*T) string, write func(context.Context, *T) *answer) answer {
	raw, bad := body(r, maxBody)
	if bad != nil {
		return *bad
	}
	var records []json.RawMessage
	if err := json.Unmarshal(raw, &records); err != nil || len(records) == 0 {
		return refuse(http.StatusBadRequest, "", "the body is no array of records, or an empty one", "send an array, also of a single record")
	}
	if len(records) > maxRows {
		return refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("%d records at once, the limit is %d", len(records), maxRows), "send them in parts")
	}
	rows, faults := table.Read(records)
	if len(faults) > 0 {
		return faulty(faults, true)
	}
	out := &Imported{Accepted: len(rows)}
	for i := range rows {
		if mind == nil || len(out.Warnings) >= maxFaults {
			break
		}
		if w := mind(&rows[i]); w != "" {
			out.Warnings = append(out.Warnings, w)
		}
	}
	if r.URL.Query().Get("dry_run") == "true" {
		out.DryRun = true
		return answer{http.StatusOK, out}
	}
	if bad := writeAll(r.Context(), len(rows), func(ctx context.Context, i int) *answer { return write(ctx, &rows[i]) }); bad != nil {
		return *bad
	}
	return answer{http.StatusAccepted, out}
}

// writeAll writes n things, some at once, and returns the first answer that says why not.
func writeAll(ctx context.Context, n int, write func(ctx context.Context, i int) *answer) *answer {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i := range n {
		g.Go(func() error {
			if bad := write(ctx, i); bad != nil {
				return &refusal{*bad}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return &err.(*refusal).answer //nolint:errorlint,forcetypeassert // the only one there is
	}
	return nil
}
