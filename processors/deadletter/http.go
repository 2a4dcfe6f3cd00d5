package deadletter

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// View is a dead letter as the API shows it. The payload's values are withheld, as they
// may be personal, unless the caller asks for them.
type View struct {
	ID          string                  `json:"id"`
	Kind        string                  `json:"kind"`
	Stage       string                  `json:"stage"`
	Lead        leadroute.LeadID        `json:"lead,omitempty"`
	Rev         int                     `json:"rev,omitempty"`
	Destination leadroute.DestinationID `json:"destination,omitempty"`
	Class       leadroute.Class         `json:"class,omitempty"`
	Attempts    int                     `json:"attempts,omitempty"`
	Reason      string                  `json:"reason"`
	At          time.Time               `json:"at"`
	ReplayedAt  *time.Time              `json:"replayed_at,omitempty"`
	Topic       string                  `json:"topic,omitempty"`
	Partition   int32                   `json:"partition,omitempty"`
	Offset      int64                   `json:"offset,omitempty"`
	Bytes       int                     `json:"bytes"` // of the payload
	// Shape is the payload with every value replaced by its type; absent if it is not JSON.
	Shape any `json:"shape,omitempty"`
	// Payload is the payload itself, on request: JSON, or a text where it is not JSON.
	Payload any `json:"payload,omitempty"`
}

// Page is the answer to a list.
type Page struct {
	DeadLetters []View `json:"dead_letters"`
	More        bool   `json:"more"` // there may be further ones
}

// view shows a letter, its payload only if asked for.
func view(l *Letter, payload bool) View {
	v := View{
		ID: l.ID, Kind: l.Kind, Stage: l.Stage, Lead: l.Lead, Rev: l.Rev, Destination: l.Destination, Class: l.Class, Attempts: l.Attempts,
		Reason: l.Reason, At: l.At.Time(), Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, Bytes: len(l.Payload),
	}
	if l.ReplayedAt != 0 {
		at := l.ReplayedAt.Time()
		v.ReplayedAt = &at
	}
	var parsed any
	isJSON := json.Unmarshal(l.Payload, &parsed) == nil
	if isJSON {
		v.Shape = shape(parsed)
	}
	switch {
	case !payload:
	case isJSON:
		v.Payload = json.RawMessage(l.Payload)
	default:
		v.Payload = string(l.Payload)
	}
	return v
}

// shape replaces every value by the name of its type; the names of members stay.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			v[k] = shape(m)
		}
		return v
	case []any:
		if len(v) == 0 {
			return v
		}
		return []any{shape(v[0])}
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return "null"
}

// Routes adds the API to mux; who may call it is up to whoever serves the mux.
//
//	GET  /v1/dead-letters?kind=&destination=&since=&replayed=&limit=&payload=
//	GET  /v1/dead-letters/{id}?payload=
//	POST /v1/dead-letters/{id}/replay
//
// An id holds slashes; they may come as they are or escaped.
func (s *Store) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/dead-letters", s.list)
	mux.HandleFunc("GET /v1/dead-letters/{id...}", s.show)
	mux.HandleFunc("POST /v1/dead-letters/{id...}", s.replay)
}

func (s *Store) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := Filter{Kind: q.Get("kind"), Destination: leadroute.DestinationID(q.Get("destination")), Replayed: q.Get("replayed") == "true"}
	switch f.Kind {
	case "", leadroute.DeadDelivery, leadroute.DeadLead, leadroute.DeadMessage, leadroute.DeadNotification:
	default:
		refuse(w, http.StatusBadRequest, "kind must be delivery, lead, message or notification")
		return
	}
	if v := q.Get("since"); v != "" {
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			refuse(w, http.StatusBadRequest, "since must be a time like 2026-01-31T12:00:00Z")
			return
		}
		f.Since = leadroute.At(at)
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > MaxLimit {
			refuse(w, http.StatusBadRequest, "limit must be a number from 1 to "+strconv.Itoa(MaxLimit))
			return
		}
		f.Limit = n
	}
	letters, more, err := s.List(r.Context(), f)
	if err != nil {
		s.fail(w, err)
		return
	}
	page := Page{DeadLetters: make([]View, 0, len(letters)), More: more}
	for i := range letters {
		page.DeadLetters = append(page.DeadLetters, view(&letters[i], q.Get("payload") == "true"))
	}
	reply(w, http.StatusOK, "application/json", page)
}

func (s *Store) show(w http.ResponseWriter, r *http.Request) {
	l, err := s.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, err)
		return
	}
	reply(w, http.StatusOK, "application/json", view(l, r.URL.Query().Get("payload") == "true"))
}

func (s *Store) replay(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("id"), "/replay")
	if !ok {
		refuse(w, http.StatusNotFound, "POST goes to /v1/dead-letters/{id}/replay")
		return
	}
	l, err := s.Replay(r.Context(), id)
	if err != nil {
		s.fail(w, err)
		return
	}
	reply(w, http.StatusAccepted, "application/json", view(l, false))
}

// fail answers an error of the Store.
func (s *Store) fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, ErrNotReplayed):
		refuse(w, http.StatusConflict, err.Error())
	default:
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, "the log does not answer")
		if s.cfg.Log != nil {
			s.cfg.Log.Warn("dead letters not read", "error", err)
		}
	}
}

func refuse(w http.ResponseWriter, status int, detail string) {
	reply(w, status, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func reply(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has hung up: nobody to tell
}
