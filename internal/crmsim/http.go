package crmsim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/goccy/go-json"

	"github.com/leadroute/leadroute"
)

// WebhookPath is where leads are delivered.
const WebhookPath = "/webhook"

// maxBody bounds a delivery; ours are some kilobytes.
const maxBody = 1 << 20

// Handler serves the webhook and, for tests that run the simulator as a process,
//
//	GET  /records        every Record, as a JSON array
//	GET  /records/{id}   one Record, or 404
//	GET  /stats          Stats
//	GET  /faults         Faults
//	PUT  /faults         sets them (POST does too)
//	PUT  /caps           {"rep": n, ...}: see SetCaps (POST does too)
//	PUT  /pool-caps      {"pool": n, ...}: see SetPoolCaps (POST does too)
//	GET  /healthz        200
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+WebhookPath, s.receive)
	mux.HandleFunc("GET /records", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Records()) })
	mux.HandleFunc("GET /records/{id}", func(w http.ResponseWriter, r *http.Request) {
		rec, ok := s.Record(leadroute.LeadID(r.PathValue("id")))
		if !ok {
			writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such record"})
			return
		}
		writeJSON(w, http.StatusOK, rec)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Stats()) })
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		f := s.faults
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, f)
	})
	setFaults := set(s.SetFaults)
	mux.HandleFunc("PUT /faults", setFaults)
	mux.HandleFunc("POST /faults", setFaults)
	setCaps := set(func(c map[leadroute.RepID]int) error { s.SetCaps(c); return nil })
	mux.HandleFunc("PUT /caps", setCaps)
	mux.HandleFunc("POST /caps", setCaps)
	setPools := set(func(c map[leadroute.PoolID]int) error { s.SetPoolCaps(c); return nil })
	mux.HandleFunc("PUT /pool-caps", setPools)
	mux.HandleFunc("POST /pool-caps", setPools)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// Serve answers on ln until ctx ends, and returns nil after a clean stop. It closes ln.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// Hanging requests end with ctx.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			err = srv.Close()
			stopped <- err
			return
		}
		stopped <- nil
	})
	err := srv.Serve(ln)
	if stop() { // ctx has not ended: the listener broke
		return fmt.Errorf("serve the CRM simulator on %s: %w", ln.Addr(), err)
	}
	return <-stopped
}

// receive is the webhook.
func (s *Sim) receive(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		return // the sender left
	}
	id := r.Header.Get("Webhook-Id")
	err = s.hook.Verify(body, r.Header)
	if err != nil {
		s.mu.Lock()
		s.counts.Requests++
		s.counts.BadSignatures++
		s.mu.Unlock()
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "signature"})
		return
	}
	var hook webhook
	var data webhookData
	err = json.Unmarshal(body, &hook)
	if err == nil {
		err = json.Unmarshal(hook.Data, &data)
	}
	if err != nil || data.ID == "" || data.Revision < 1 {
		s.mu.Lock()
		s.counts.Requests++
		s.counts.Malformed++
		s.mu.Unlock()
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "not a lead with an id and a revision"})
		return
	}
	sum := xxhash.Sum64(hook.Data)

	s.mu.Lock()
	s.counts.Requests++
	c := s.calls[id]
	if c == nil {
		c = &call{}
		s.calls[id] = c
	}
	c.tries++
	faults := s.faults
	fate, latency := faults.fate(s.seed, id, c.tries)
	switch fate {
	case fateThrottle:
		s.counts.Throttled++
	case fateFail:
		s.counts.Failed++
	case fateHang:
		s.counts.Hung++
	case fateDrop:
		s.counts.Dropped++
	}
	s.mu.Unlock()

	if latency > 0 {
		wait(r.Context(), latency)
	}
	switch fate {
	case fateThrottle:
		if faults.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(faults.RetryAfter))
		}
		writeJSON(w, http.StatusTooManyRequests, map[string]string{"error": "slow down"})
		return
	case fateFail:
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "out of order"})
		return
	}

	s.mu.Lock()
	now := time.Now().UnixMicro()
	v := s.commit(id, c, &data, sum, now)
	if fate == fateServe {
		s.acknowledged(data.ID, now)
	}
	s.mu.Unlock()

	switch fate {
	case fateHang:
		wait(r.Context(), faults.hang())
		panic(http.ErrAbortHandler)
	case fateDrop:
		panic(http.ErrAbortHandler)
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, answers[v]) // an error is the sender's loss: it will ask again
}

var (
	jsonType = []string{"application/json"}
	answers  = map[verdict]string{
		verdictApplied:  `{"status":"applied"}`,
		verdictRepeated: `{"status":"repeated"}`,
		verdictStale:    `{"status":"stale"}`,
		verdictConflict: `{"status":"conflict"}`,
	}
)

func readBody(r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n > 0 && n <= maxBody {
		b := make([]byte, n)
		_, err := io.ReadFull(r.Body, b)
		return b, err
	}
	return io.ReadAll(io.LimitReader(r.Body, maxBody))
}

// set answers 204 after f took the value in the body, 400 if it is none.
func set[T any](f func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			return
		}
		var v T
		err = json.Unmarshal(body, &v)
		if err == nil {
			err = f(v)
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error is the reader's loss
}

// wait returns when d has passed or ctx has ended.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
