// Package gateway is the door: it takes leads over HTTP, checks them, gives each an
// id, and answers 2xx only after the log has them. What a lead is worth and where it
// goes is the business of admit and the ledger; reading leads back is that of views.
//
// A lead's id is global: two sources that send the same id send the same lead.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Checker is what the door needs of the plan in force. It must be safe for concurrent
// use and must not keep a reference to the bytes it is given.
type Checker interface {
	// Check holds one lead's fields against the plan's schema. Normalised is the object
	// to keep (blanks removed, defaults set), nil to keep fields as they are. Problems
	// reject the lead; err is a fault of ours.
	Check(fields json.RawMessage) (normalised json.RawMessage, problems []Problem, err error)
	// ClassOf is the lead's class as far as the door can tell; admit decides the final one.
	ClassOf(l *leadroute.Lead, at time.Time) (class leadroute.Class, deliverWithin time.Duration)
	// Identities are what tells the lead's person, hashed under the key; see leadroute.Lead.
	Identities(key []byte, l *leadroute.Lead) []string
	PlanID() leadroute.PlanID
	// JSONSchema is the schema as a JSON Schema (draft 2020-12) document.
	JSONSchema() []byte
}

// Config configures a Gateway. Zero values mean the defaults named below.
type Config struct {
	// Stream says where the log is, and where to log and count.
	Stream stream.Config
	// Kafka holds further client options (TLS, SASL); they come after the door's own.
	Kafka []kgo.Opt
	// Keys are who may send; at least one is required. See ParseKeys.
	Keys Keys
	// IDKey is the deployment's secret from which lead ids are derived, at least 16
	// bytes. Changing it gives every lead a new id, so that the same person counts as new.
	IDKey []byte
	// Checker returns the plan in force, nil while there is none (answered with 503).
	Checker func() Checker
	// Classes are the classes that have an inbox, most urgent first; required. A lead of
	// any other class goes into the last one's inbox, and admit puts it right.
	Classes []leadroute.Class

	// Hook returns who checks the messages signed for a destination, nil if nobody can; nil:
	// there are no hooks.
	Hook func(leadroute.DestinationID) Verifier
	// Owners returns who has that id in the CRM; nil: nobody has.
	Owners func(crmID string) []leadroute.RepID

	MaxRecord      int           // bytes of one lead, 64 kB
	MaxBatch       int           // bytes of one batch after decompression, 5 MB
	MaxRecords     int           // leads in one batch, 1000
	MaxBatches     int           // batches being read or waited for at once, 16; more answer 429
	MaxInFlight    int           // leads sent to the log and not yet acknowledged, 4096; more answer 429. The least urgent class gets two thirds of it
	MaxBacklog     int64         // leads in the least urgent inbox that admit has not taken, 100 000; more answer 429. Each more urgent class gets as much again
	AckTimeout     time.Duration // how long a post waits for the log before it answers 503, 5s
	DedupeWindow   time.Duration // how long an id is remembered at least, 10m, unless MaxIDs bites
	MaxIDs         int           // ids remembered at most, 1 000 000 (some 40 MB)
	FutureLimit    time.Duration // how far emitted_at may lie ahead, 24h; further is rejected. (Any future time counts as the time of receipt.)
	BacklogEvery   time.Duration // how often the backlog is measured, 1s
	AgreeWithin    time.Duration // how long a response waits for the ledger before it answers 202, 2s
	AdmitGroup     string        // admit's consumer group before the namespace, "admit"
	backlogChanged func()        // called after each measurement, for tests
}

func (c *Config) withDefaults() Config {
	d := *c
	def(&d.MaxRecord, 64<<10)
	def(&d.MaxBatch, 5<<20)
	def(&d.MaxRecords, 1000)
	def(&d.MaxBatches, 16)
	def(&d.MaxInFlight, 4096)
	def(&d.MaxBacklog, 100_000)
	def(&d.AckTimeout, 5*time.Second)
	def(&d.DedupeWindow, 10*time.Minute)
	def(&d.MaxIDs, 1_000_000)
	def(&d.FutureLimit, 24*time.Hour)
	def(&d.AgreeWithin, 2*time.Second)
	def(&d.BacklogEvery, time.Second)
	def(&d.AdmitGroup, "admit")
	def(&d.Stream.Metrics, prometheus.Registerer(prometheus.NewRegistry()))
	def(&d.Stream.Log, slog.Default())
	if d.Stream.Clock == nil {
		d.Stream.Clock = time.Now
	}
	return d
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func (c *Config) check() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New(what))
		}
	}
	need(len(c.Stream.Brokers) > 0, "no brokers given")
	need(len(c.Keys) > 0, "no API keys given: set at least one source=secret")
	need(len(c.IDKey) >= 16, "the deployment key for lead ids must have at least 16 bytes")
	need(c.Checker != nil, "no checker given")
	need(len(c.Classes) > 0, "no classes given")
	for _, n := range []int{c.MaxRecord, c.MaxBatch, c.MaxRecords, c.MaxBatches, c.MaxInFlight, c.MaxIDs} {
		need(n > 0, fmt.Sprintf("a limit must not be negative (%d)", n))
	}
	if len(errs) == 0 {
		last := inFlightLimit(c.MaxInFlight, len(c.Classes)-1, len(c.Classes))
		need(last >= int64(c.MaxRecords), fmt.Sprintf(
			"max in flight %d leaves the least urgent class %d places, less than one batch of %d: raise it or lower the batch",
			c.MaxInFlight, last, c.MaxRecords))
	}
	return errors.Join(errs...)
}

// Gateway is the door. Its Handler answers 503 before Run has started and after it ended.
type Gateway struct {
	cfg     Config
	opts    []kgo.Opt
	log     atomic.Pointer[kgo.Client] // nil: Run is not running
	window  *window
	load    *load
	schemas schemas
	metrics *metrics
	replies replies
	heard   heard
	batches atomic.Int64 // being read or waited for
	events  atomic.Int64 // on their way into the log
	away    atomic.Bool  // the last produce failed: so that the log says it once
	mux     *http.ServeMux
}

// Patterns are the routes of Handler, for a mux that has others beside.
var Patterns = []string{
	"POST /v1/leads", "POST /v1/leads/batch", "POST /v1/leads/{id}/respond", "POST /v1/leads/respond", "GET /v1/schema",
	"POST /v1/hooks/crm/{destination}", "POST /v1/leads/{id}/claim", "POST /v1/leads/{id}/hold", "POST /v1/leads/{id}/release",
}

// New checks the configuration and starts nothing.
func New(cfg Config) (*Gateway, error) {
	c := cfg.withDefaults()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	opts := slices.Concat(c.Stream.Options(), []kgo.Opt{
		kgo.ClientID("leadroute-gateway"),
		// Leads and as many events.
		kgo.MaxBufferedRecords(2 * c.MaxInFlight),
		// A record that cannot be sent is given up when its sender is: the sender tries again.
		kgo.RecordDeliveryTimeout(max(c.AckTimeout, time.Second)), // the client's minimum
	}, c.Kafka)
	if err := kgo.ValidateOpts(opts...); err != nil {
		return nil, fmt.Errorf("gateway: kafka options: %w", err)
	}
	m, err := newMetrics(c.Stream.Metrics)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g := &Gateway{
		cfg:     c,
		opts:    opts,
		window:  newWindow(c.DedupeWindow, c.MaxIDs),
		load:    newLoad(c.Classes, c.MaxInFlight, c.MaxBacklog),
		metrics: m,
		mux:     http.NewServeMux(),
	}
	g.mux.Handle(Patterns[0], g.route("leads", g.postLead))
	g.mux.Handle(Patterns[1], g.route("batch", g.postBatch))
	g.mux.Handle(Patterns[2], g.route("respond", g.postRespond))
	g.mux.Handle(Patterns[3], g.route("responds", g.postResponds))
	g.mux.Handle(Patterns[4], g.route("schema", g.getSchema))
	g.mux.HandleFunc(Patterns[5], func(w http.ResponseWriter, r *http.Request) {
		a := g.postHook(w, r)
		g.metrics.request("hook", a.status)
		write(w, a)
	})
	g.mux.Handle(Patterns[6], g.route("claim", g.postClaim))
	g.mux.Handle(Patterns[7], g.route("hold", g.postHold))
	g.mux.Handle(Patterns[8], g.route("release", g.postRelease))
	return g, nil
}

// SetClasses makes these the classes that have an inbox, most urgent first, as when the
// policy changed. Their topics must be there.
func (g *Gateway) SetClasses(classes []leadroute.Class) { g.load.set(classes) }

// Handler serves Patterns.
func (g *Gateway) Handler() http.Handler { return g.mux }

// Run connects to the log and measures the backlog until ctx ends; then it waits, for
// at most AckTimeout, until what is in flight is acknowledged. Stop the HTTP server first.
func (g *Gateway) Run(ctx context.Context) error {
	cl, err := kgo.NewClient(g.opts...)
	if err != nil {
		return fmt.Errorf("gateway: connect: %w", err)
	}
	defer cl.Close()
	if !g.log.CompareAndSwap(nil, cl) {
		return errors.New("gateway: already running")
	}
	var listening sync.WaitGroup
	listening.Go(func() { g.listen(ctx) })
	g.measureBacklog(ctx, cl)
	listening.Wait()
	g.log.Store(nil)
	fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(g.cfg.AckTimeout, 2*time.Second))
	defer cancel()
	if err := cl.Flush(fctx); err != nil {
		g.cfg.Stream.Log.Warn("gateway stopped with unacknowledged records", "records", cl.BufferedProduceRecords())
	}
	return nil
}

// Ready says why the door could not take a lead now, nil if it could.
func (g *Gateway) Ready() error {
	switch {
	case g.log.Load() == nil:
		return errors.New("gateway: not running")
	case g.cfg.Checker() == nil:
		return errors.New("gateway: no policy in force")
	case g.away.Load():
		return errors.New("gateway: the log does not answer")
	}
	return nil
}

// answer is what a route writes.
type answer struct {
	status int
	body   any // of type *problem for problem+json; []byte is sent as it is
}

// route authenticates, calls h and writes its answer.
func (g *Gateway) route(name string, h func(http.ResponseWriter, *http.Request, leadroute.SourceID) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var a answer
		if src, ok := g.cfg.Keys.Source(r); ok {
			a = h(w, r, src)
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer realm="leadroute"`)
			a = refuse(errUnauthorized)
		}
		g.metrics.request(name, a.status)
		write(w, a)
	})
}
