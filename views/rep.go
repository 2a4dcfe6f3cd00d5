package views

import (
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

// patchRep merges some members into the profile, as RFC 7396 has it: null takes one out.
func (a *API) patchRep(r *http.Request) answer {
	id := r.PathValue("id")
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	var patch map[string]any
	if json.Unmarshal(raw, &patch) != nil || patch == nil {
		return refuse(http.StatusUnprocessableEntity, "", "the body is no JSON object", `write the members that change, like {"caps": {"open": 20}}`)
	}
	if said, ok := patch["id"]; ok && said != id {
		return refuse(http.StatusUnprocessableEntity, "/id", "a rep's id cannot change", "leave it out; to rename a rep, remove one and import the other")
	}
	s := a.known(r.Context(), id)
	if s == nil || s.Gone {
		return noRep(id)
	}
	var profile map[string]any
	have, err := json.Marshal(&s.Profile)
	if err == nil {
		err = json.Unmarshal(have, &profile)
	}
	if err != nil {
		return away("the rep's profile cannot be read", "set the whole of it: PUT /v1/reps/"+id)
	}
	merged, err := json.Marshal(merge7396(profile, patch))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "", "the body cannot be merged into the profile", "write the members that change")
	}
	rows, faults := a.table().Read([]json.RawMessage{merged})
	if len(faults) > 0 {
		return faulty(faults, false)
	}
	return a.accept(r, id, &leadroute.RepMessage{Profile: &rows[0]})
}

func merge7396(into, patch map[string]any) map[string]any {
	if into == nil {
		into = map[string]any{}
	}
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(into, name)
		case map[string]any:
			had, _ := into[name].(map[string]any)
			into[name] = merge7396(had, v)
		default:
			into[name] = v
		}
	}
	return into
}

func (a *API) putStatus(r *http.Request) answer {
	id := r.PathValue("id")
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	var in struct {
		Status leadroute.RepStatus `json:"status"`
		Until  string              `json:"until"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return refuse(http.StatusUnprocessableEntity, "/status", "the body is not {\"status\": ...} with a text", "write available, busy, away or off")
	}
	if _, f := intake.Status(string(in.Status)); f != nil {
		return refuse(http.StatusUnprocessableEntity, f.Pointer, f.Message, f.Remedy)
	}
	s := a.known(r.Context(), id)
	if s == nil || s.Gone {
		return noRep(id)
	}
	m := &leadroute.RepMessage{Status: &in.Status}
	if in.Until != "" {
		if in.Status == leadroute.StatusAvailable {
			return refuse(http.StatusUnprocessableEntity, "/until", "who is available is so until told otherwise", "leave until out; shifts and away say when a rep is not there")
		}
		until, f := intake.EndOf(in.Until, leadroute.At(a.cfg.Now()), a.cfg.Plan().RepZone(&s.Profile))
		if f != nil {
			return refuse(http.StatusUnprocessableEntity, f.Pointer, f.Message, f.Remedy)
		}
		m.Until = until
	}
	return a.accept(r, id, m)
}

// putAway adds times out of the office.
func (a *API) putAway(r *http.Request) answer {
	id := r.PathValue("id")
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	now := leadroute.At(a.cfg.Now())
	add, faults := intake.Aways(raw)
	if len(faults) > 0 {
		return faulty(faults, false)
	}
	for _, o := range add {
		if o.Over(now) {
			return refuse(http.StatusUnprocessableEntity, "/until", fmt.Sprintf("until %s is over", o.Until), "write an end that is to come, or leave it out for until further notice")
		}
	}
	s := a.known(r.Context(), id)
	if s == nil || s.Gone {
		return noRep(id)
	}
	n := len(add)
	for _, have := range s.Away {
		if !have.Over(now) && !slices.ContainsFunc(add, func(o leadroute.Away) bool { return o.From == have.From }) {
			n++
		}
	}
	if n > leadroute.MaxAway {
		return refuse(http.StatusConflict, "", fmt.Sprintf("the rep would have %d times out of the office, at most %d are kept", n, leadroute.MaxAway), "end some first: DELETE /v1/reps/"+id+"/away?all=true")
	}
	return a.accept(r, id, &leadroute.RepMessage{Away: &leadroute.RepAway{Add: add}})
}

// endAway says that the rep is back.
func (a *API) endAway(r *http.Request) answer {
	id := r.PathValue("id")
	if s := a.known(r.Context(), id); s == nil || s.Gone {
		return noRep(id)
	}
	return a.accept(r, id, &leadroute.RepMessage{Away: &leadroute.RepAway{Back: leadroute.At(a.cfg.Now()), All: r.URL.Query().Get("all") == "true"}})
}

// removeRep takes a rep off the floor. Where leads are on the desk, who asks must say what
// becomes of them.
func (a *API) removeRep(r *http.Request) answer {
	id := r.PathValue("id")
	leads := r.URL.Query().Get("leads")
	s := a.known(r.Context(), id)
	switch {
	case leads != "" && leads != "reassign" && leads != "keep":
		return refuse(http.StatusBadRequest, "", fmt.Sprintf("leads=%s is not known", leads), "write leads=reassign or leads=keep")
	case s == nil, s.Left():
		return noRep(id)
	case leads == "" && len(s.Held) > 0 && !s.Gone:
		return refuse(http.StatusConflict, "", fmt.Sprintf("%s holds %s", id, many(len(s.Held), "lead")),
			"say what becomes of them: leads=reassign (--reassign) lets them move on at once, with leads=keep (--keep) the rep takes no new one and goes when the desk is empty")
	}
	m := &leadroute.RepRemoval{Reason: "operator", Keep: leads != "reassign", At: leadroute.At(a.cfg.Now())}
	return a.accept(r, id, &leadroute.RepMessage{Remove: m})
}

func many(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
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
