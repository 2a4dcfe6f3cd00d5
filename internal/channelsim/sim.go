// Package channelsim stands in for the services by which people are told: Slack, Twilio,
// PagerDuty, a mail server and a signed webhook. It takes what their documentation says
// that they take, refuses all else as they do, misbehaves at seeded rates, and shows what
// came. It is a witness: it knows the services, and nothing of the product.
package channelsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The secrets that the services know; none is a secret.
const (
	SlackToken   = "xoxb-channelsim"
	TwilioSID    = "AC00000000000000000000000000000000"
	TwilioToken  = "channelsim"
	TwilioFrom   = "+15005550006"
	RoutingKey   = "channelsim0000000000000000000000"
	WebhookKey   = "whsec_Y2hhbm5lbHNpbS1zaWduaW5nLWtleS0zMi1ieXRlcw=="
	SlackHook    = "/services/T00000000/B00000000/channelsim"
	SlackMethod  = "/api/chat.postMessage"
	PagerEnqueue = "/v2/enqueue"
	WebhookPath  = "/hook"
)

// Options of a simulator.
type Options struct {
	// Seed decides which requests meet trouble: by what is sent and how often it came, not by
	// the order of requests.
	Seed   uint64
	Faults Faults
}

// Faults are the shares, from 0 to 1 and at most 1 together, of good requests that meet
// trouble. The zero value is a service in perfect health.
type Faults struct {
	Throttle float64 `json:"throttle"` // told to come again later: 429, of a mail server 451
	Fail     float64 `json:"fail"`     // 500; of a mail server 421
	Hang     float64 `json:"hang"`     // taken, and not answered
	Drop     float64 `json:"drop"`     // taken, and the connection dropped
	// RetryAfter is what a 429 asks for, in seconds, of the services that say it; 1 if zero.
	RetryAfter int `json:"retry_after_s"`
}

func (f Faults) check() error {
	sum := 0.0
	for _, r := range []float64{f.Throttle, f.Fail, f.Hang, f.Drop} {
		if !(r >= 0) {
			return fmt.Errorf("a fault rate is %v, want 0 to 1", r)
		}
		sum += r
	}
	if sum > 1 || f.RetryAfter < 0 {
		return fmt.Errorf("the fault rates add up to %v, want at most 1; and no negative time: %+v", sum, f)
	}
	return nil
}

// Received is one message that a service took. One that was taken twice is there twice.
type Received struct {
	Service string    `json:"service"` // slack, twilio, pagerduty, email or webhook
	ID      string    `json:"id,omitempty"`
	To      string    `json:"to,omitempty"`
	Action  string    `json:"action,omitempty"` // of PagerDuty
	Subject string    `json:"subject,omitempty"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// Counts are what came.
type Counts struct {
	Requests  int `json:"requests"`
	Taken     int `json:"taken"`
	Refused   int `json:"refused"` // as the service refuses what is wrong
	Throttled int `json:"throttled"`
	Failed    int `json:"failed"`
	Hung      int `json:"hung"`
	Dropped   int `json:"dropped"`
}

// Sim is all services together. It is safe for concurrent use.
type Sim struct {
	seed uint64
	hook *standardwebhooks.Webhook

	mu     sync.Mutex
	faults Faults
	got    []Received
	tries  map[uint64]uint64
	counts Counts
	open   map[string]bool // PagerDuty's incidents, by deduplication key
}

// New returns a simulator that listens nowhere yet.
func New(o Options) (*Sim, error) {
	if err := o.Faults.check(); err != nil {
		return nil, err
	}
	hook, err := standardwebhooks.NewWebhook(WebhookKey)
	if err != nil {
		return nil, err
	}
	return &Sim{seed: o.Seed, hook: hook, faults: o.Faults, tries: map[uint64]uint64{}, open: map[string]bool{}}, nil
}

// SetFaults changes what meets trouble from now on.
func (s *Sim) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	return nil
}

// Got is what the services took so far, in order.
func (s *Sim) Got() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Counts is what came so far.
func (s *Sim) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Incidents are the keys of PagerDuty's open incidents, sorted.
func (s *Sim) Incidents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]string, 0, len(s.open))
	for k := range s.open {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// reply is how a service answers.
type reply struct {
	status int
	kind   string // content type; empty: JSON
	header map[string]string
	body   string
	got    *Received // nil: refused
}

// service is one service behind HTTP.
type service struct {
	pattern string
	serve   func(*Sim, *http.Request, []byte) reply
	// busy and broken answer what meets trouble.
	busy, broken func(retryAfter int) reply
}

// services lists them all; the mail server is apart.
var services = []service{slackHook, slackMethod, twilio, pagerDuty, webhook}

// Handler serves the services, and shows what they took:
//
//	GET /got        every Received, as a JSON array
//	GET /incidents  the keys of the open incidents
//	GET /counts     Counts
//	PUT /faults     sets Faults
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, sv := range services {
		mux.HandleFunc(sv.pattern, func(w http.ResponseWriter, r *http.Request) { s.receive(&sv, w, r) })
	}
	show := func(pattern string, v func() any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v()) // the caller has hung up: nobody to tell
		})
	}
	show("GET /got", func() any { return append([]Received{}, s.Got()...) })
	show("GET /incidents", func() any { return s.Incidents() })
	show("GET /counts", func() any { return s.Counts() })
	mux.HandleFunc("PUT /faults", func(w http.ResponseWriter, r *http.Request) {
		var f Faults
		err := json.NewDecoder(r.Body).Decode(&f)
		if err == nil {
			err = s.SetFaults(f)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}

// maxBody bounds a request; PagerDuty takes 512 kB.
const maxBody = 512 << 10

func (s *Sim) receive(sv *service, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return // the sender left
	}
	a := sv.serve(s, r, body)
	fate := s.take(r.URL.Path, body, a.got)
	retryAfter := s.retryAfter()
	switch fate {
	case throttled:
		a = sv.busy(retryAfter)
	case failed:
		a = sv.broken(retryAfter)
	case hung:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case dropped:
		panic(http.ErrAbortHandler)
	case served:
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	kind := a.kind
	if kind == "" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the sender left: nobody to tell
}

// fate is what happens to one request.
type fate int

const (
	served fate = iota
	throttled
	failed
	hung
	dropped
)

// take draws the fate of a request and keeps what is taken; got is nil for one that the
// service refuses whatever happens.
func (s *Sim) take(where string, what []byte, got *Received) fate {
	h := fnv.New64a()
	_, _ = h.Write([]byte(where))
	_, _ = h.Write(what)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Requests++
	if got == nil {
		s.counts.Refused++
		return served
	}
	key := h.Sum64()
	s.tries[key]++
	x := rand.New(rand.NewPCG(s.seed+s.tries[key], key)).Float64()
	f := served
	for _, c := range []struct {
		rate  float64
		fate  fate
		count *int
	}{
		{s.faults.Throttle, throttled, &s.counts.Throttled},
		{s.faults.Fail, failed, &s.counts.Failed},
		{s.faults.Hang, hung, &s.counts.Hung},
		{s.faults.Drop, dropped, &s.counts.Dropped},
	} {
		if x < c.rate {
			f = c.fate
			*c.count++
			break
		}
		x -= c.rate
	}
	if f == throttled || f == failed {
		return f
	}
	got.At = time.Now().UTC()
	s.counts.Taken++
	s.got = append(s.got, *got)
	switch got.Action {
	case "trigger":
		s.open[got.ID] = true
	case "resolve":
		delete(s.open, got.ID)
	}
	return f
}

func (s *Sim) retryAfter() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.faults.RetryAfter, 1)
}

// Serve answers HTTP on ln until ctx ends, and returns nil after a clean stop. It closes ln.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }, // what hangs ends with ctx
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(over); _ = srv.Close() })
	err := srv.Serve(ln)
	if stop() {
		return fmt.Errorf("serve the services on %s: %w", ln.Addr(), err)
	}
	<-over
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func jsonBody(v any) string {
	b, _ := json.Marshal(v) // texts and numbers
	return string(b)
}

func retryHeader(seconds int) map[string]string {
	return map[string]string{"Retry-After": strconv.Itoa(seconds)}
}
