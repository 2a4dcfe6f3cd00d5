package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/embedded"
	"github.com/leadroute/leadroute/processors"
	"github.com/leadroute/leadroute/processors/clock"
	"github.com/leadroute/leadroute/processors/deadletter"
	"github.com/leadroute/leadroute/processors/gateway"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/policies"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/sink"
	"github.com/leadroute/leadroute/views"
)

// serverOptions say what one instance runs on.
type serverOptions struct {
	Policy     []string // files or folders
	Brokers    []string // empty: the embedded broker
	ClickHouse string   // address; empty: the embedded server
	Listen     string   // host:port of the API
	Data       string   // folder
	Namespace  string
	Instance   string // static membership; unique per process, the same after a restart
	Partitions int32  // power of two
	Sync       bool   // the embedded broker survives power loss
	Enforce    bool   // the policy comes into force whatever was applied
	InFlight   int
	Redirect   map[leadroute.DestinationID]string // where deliveries go instead
	Site       string                             // address of the API as people reach it; empty: Listen's
	Secret     func(string) (string, bool)
	Log        *slog.Logger
	Progress   io.Writer // of downloads; nil: none
}

// server is one instance with its engines: the one place that knows everyone.
type server struct {
	opts     serverOptions
	settings settings
	policy   *dsl.Policy

	lock     *embedded.Lock
	broker   *embedded.Broker
	engine   *embedded.ClickHouse
	db       *sink.DB
	sink     *sink.Sink
	pipeline *processors.Pipeline
	policies *policies.Log
	governor *governor
	trial    *policies.Trial
	letters  *deadletter.Store
	open     *clock.Claimable
	api      *views.API
	producer *kgo.Client
	stream   stream.Config
	listener net.Listener
	http     *http.Server
	registry *prometheus.Registry
}

// gcPercent trades memory for CPU: at twice the live heap a lead costs some 5 % less than
// at Go's default, for some 60 MB. GOGC in the environment rules.
const gcPercent = 200

// memoryLimit is where the collector stops trading: compaction of the embedded log makes
// garbage by the hundred megabytes. GOMEMLIMIT in the environment rules.
const memoryLimit = 1 << 30

// The embedded log's bounds. A partition of a topic that is no table keeps this much: in an
// inbox more leads than the door lets queue there, in events some ten minutes at full speed
// without ClickHouse. Whole segments go, so they are small.
const (
	partitionBytes = 256 << 20
	segmentBytes   = 16 << 20
)

// newServer loads the policy, starts the engines that are not given, and builds
// everything. Close must be called, also when Run was.
func newServer(ctx context.Context, o serverOptions) (_ *server, err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	s := &server{opts: o, registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	var found dsl.Diagnostics
	if s.policy, found = dsl.Load(o.Policy...); found.HasErrors() {
		_ = found.WriteText(os.Stderr)
		return nil, errors.New("the policy has the errors above and nothing was started; correct it, and check it with: leadroute validate " + strings.Join(o.Policy, " "))
	}
	for name := range o.Redirect {
		if s.policy.Plan.Destination(name) == nil {
			return nil, fmt.Errorf("--destination %s: the policy has no destination of that name", name)
		}
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder; choose another with --data (%w)", err)
	}
	if s.lock, err = embedded.LockDir(o.Data); err != nil {
		return nil, err
	}
	s.policy = s.calendars().with(ctx, s.policy)
	if s.settings, err = loadSettings(o.Data); err != nil {
		return nil, err
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s is in use by another program; choose another address with --listen", o.Listen)
		}
		return nil, fmt.Errorf("cannot listen on %s; give --listen HOST:PORT with an address of this machine (%w)", o.Listen, err)
	}
	if err := s.openEngines(ctx); err != nil {
		return nil, err
	}
	s.stream = stream.Config{
		Brokers: s.opts.Brokers, Namespace: leadroute.Namespace(o.Namespace), InstanceID: o.Instance,
		Partitions: o.Partitions, Log: o.Log, Metrics: s.registry,
	}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s, s.build(ctx)
}

func (s *server) openEngines(ctx context.Context) (err error) {
	o := &s.opts
	if len(o.Brokers) == 0 {
		if s.broker, err = embedded.StartBroker(ctx, embedded.BrokerOptions{
			Dir: filepath.Join(o.Data, "broker"), SyncWrites: o.Sync, Log: o.Log,
			Config: map[string]string{"log.retention.bytes": strconv.Itoa(partitionBytes), "log.segment.bytes": strconv.Itoa(segmentBytes)},
		}); err != nil {
			return err
		}
		o.Brokers = s.broker.Addrs()
	}
	address := o.ClickHouse
	if address == "" {
		if s.engine, err = embedded.StartClickHouse(ctx, embedded.ClickHouseOptions{Dir: filepath.Join(o.Data, "clickhouse"), Progress: o.Progress, Log: o.Log}); err != nil {
			return err
		}
		address = s.engine.DSN()
	}
	a, err := sink.ParseAddress(address)
	if err != nil {
		return err
	}
	open, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	s.db, err = sink.Open(open, a)
	return err
}

func (s *server) build(ctx context.Context) (err error) {
	o := &s.opts
	if s.producer, err = kgo.NewClient(s.stream.Options()...); err != nil {
		return fmt.Errorf("brokers %s: %w", strings.Join(o.Brokers, ","), err)
	}
	reach, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.producer.Ping(reach); err != nil {
		return fmt.Errorf("cannot reach a broker at %s; check --brokers and that Kafka is up (%w)", strings.Join(o.Brokers, ","), err)
	}
	if err := s.govern(reach); err != nil {
		return err
	}
	plans := s.governor.plans
	keys, err := gateway.ParseKeys(s.settings.Keys)
	if err != nil {
		return fmt.Errorf("LEADROUTE_KEYS: %w", err)
	}
	cfg := processors.Config{
		Stream: s.stream, Plans: plans, Keys: keys, IDKey: []byte(s.settings.IDKey), Secret: o.Secret, InFlight: o.InFlight,
		Redirect: o.Redirect, Site: s.site(),
	}
	if cfg.Before, err = processors.FindBefore(reach, &cfg, s.governor.before(reach)); err != nil {
		return err
	}
	if s.pipeline, err = processors.Build(cfg); err != nil {
		return err
	}
	if err := s.pipeline.Topics(reach); err != nil {
		return err
	}
	s.governor.pipeline = s.pipeline
	s.trial = &policies.Trial{
		Policies: s.policies, Plan: plans.Have, Now: time.Now, Log: o.Log,
		Figures: func(ctx context.Context, base, candidate leadroute.PlanID, shadow bool, since time.Time) (policies.Figures, error) {
			f, err := s.db.Rollout(ctx, base, candidate, shadow, since)
			return policies.Figures(f), err
		},
	}
	if s.sink, err = sink.New(sink.Config{
		Brokers: o.Brokers, Namespace: s.stream.Namespace, DB: s.db, Instance: o.Instance, Metrics: s.registry, Log: o.Log,
	}); err != nil {
		return err
	}
	if s.letters, err = deadletter.New(s.stream); err != nil {
		return err
	}
	s.open = clock.NewClaimable(s.stream)
	if s.api, err = views.New(views.Config{
		Claimable: s.open.List,
		Member: func(name leadroute.PoolID, r *leadroute.Rep) bool {
			pool := plans.Current().Pools[name]
			return pool != nil && pool.Member(r)
		},
		Lead:  func(id leadroute.LeadID) (*ledger.State, bool, error) { return s.pipeline.Ledger.Get(string(id)) },
		Trail: s.db.Trail, Decisions: s.db.Decisions, Reps: s.pipeline.Reps.Rows, Rep: s.pipeline.Reps.Get, Accounts: s.pipeline.Accounts.Keys,
		Account: s.pipeline.Accounts.Get, Match: s.pipeline.Find,
		Queues: s.pipeline.Queues.Rows, Produce: s.produce, Log: o.Log,
		Plan: plans.Current, Leads: s.pipeline.Leads, Where: s.where, Decide: s.pipeline.Decide,
		By: func(r *http.Request) string {
			name, _ := keys.Source(r)
			return string(name)
		},
	}); err != nil {
		return err
	}
	s.http = &http.Server{
		Handler: s.routes(keys), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	return nil
}

// where compiles a condition over open leads by the policy in force.
func (s *server) where(ctx context.Context, expr string) (*plan.Where, error) {
	r, err := s.policies.Source(ctx, s.governor.plans.Current().ID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("the log has no such policy")
	}
	w, found := dsl.Where(r.Source, expr)
	if found.HasErrors() {
		var text strings.Builder
		_ = found.WriteText(&text) // a builder takes everything
		return nil, &views.ErrWhere{Text: text.String()}
	}
	return w, nil
}

// govern opens the log of policies and finds out by which one to start.
func (s *server) govern(ctx context.Context) (err error) {
	if err := stream.EnsurePolicies(ctx, s.stream, s.producer); err != nil {
		return err
	}
	if s.policies, err = policies.Open(ctx, s.stream); err != nil {
		return err
	}
	start := s.policy.Plan
	switch err := enact(ctx, s.policies, s.policy, s.opts.Enforce); {
	case errors.Is(err, errOther):
		standing, _ := s.policies.Standing()
		r, err := s.policies.Source(ctx, standing.Current)
		if err == nil && r != nil {
			start, err = compiled(r)
		}
		if err != nil {
			return fmt.Errorf("the policy that was applied last cannot be run; start with --enforce to put %s into force: %w", strings.Join(s.opts.Policy, " "), err)
		}
		s.opts.Log.Warn("another policy was applied since, and stays in force: leadroute policies list shows it, run --enforce puts the named one in its place",
			"plan", standing.Current, "by", standing.By, "named", s.policy.Plan.ID)
	case err != nil:
		return err
	}
	s.governor = &governor{
		log: s.policies, plans: processors.NewPlans(start, loadPlanFrom(s.policies, s.opts.Log)), out: s.opts.Log,
		seed: s.seedReps, running: policies.Running{Current: start.ID},
	}
	return nil
}

// URL is where the API answers.
func (s *server) URL() string { return "http://" + s.listener.Addr().String() }

// calendars keeps what it fetches in the data folder.
func (s *server) calendars() calendars {
	return calendars{Dir: filepath.Join(s.opts.Data, "calendars"), Log: s.opts.Log}
}

// site is where people find the API.
func (s *server) site() string {
	if s.opts.Site != "" {
		return strings.TrimSuffix(s.opts.Site, "/")
	}
	return s.URL()
}

func (s *server) routes(keys gateway.Keys) http.Handler {
	mux := http.NewServeMux()
	door := s.pipeline.Gateway.Handler()
	for _, p := range gateway.Patterns {
		mux.Handle(p, door)
	}
	s.api.Routes(mux, keys.Require)
	guarded := http.NewServeMux()
	s.letters.Routes(guarded)
	vetted := func(ctx context.Context, source map[string][]byte) (*plan.Plan, map[string][]byte, error) {
		return vet(ctx, source, s.pipeline.Check, s.calendars())
	}
	(&policies.API{Policies: s.policies, Vet: vetted, Running: s.governor.Running}).Routes(guarded)
	mux.Handle("/v1/policies", keys.Require(guarded))
	mux.Handle("/v1/policies/", keys.Require(guarded))
	mux.Handle("/v1/dead-letters", keys.Require(guarded))
	mux.Handle("/v1/dead-letters/", keys.Require(guarded))
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.pipeline.Gateway.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	return mux
}

// Run serves until ctx ends, then stops in the lead's order: the door, the stages, the
// sink. It returns nil after a clean stop.
func (s *server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g.Go(func() error {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the API: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if s.http.Shutdown(end) != nil {
			_ = s.http.Close()
		}
		stop()
		return nil
	})
	g.Go(func() error { return s.pipeline.Run(inner) })
	g.Go(func() error { return s.sink.Run(inner) })
	if err := writeRunFile(s.opts.Data, runFile{API: s.URL(), Key: s.settings.firstKey(), ClickHouse: s.address(), Brokers: s.opts.Brokers, PID: os.Getpid()}); err != nil {
		return err
	}
	defer removeRunFile(s.opts.Data)
	g.Go(func() error { return s.seedReps(inner, s.governor.plans.Current()) })
	g.Go(func() error { return s.governor.Run(inner) })
	g.Go(func() error { return s.trial.Run(inner) })
	return g.Wait()
}

// address is ClickHouse's, with its login.
func (s *server) address() string {
	if s.engine != nil {
		return s.engine.DSN()
	}
	return s.opts.ClickHouse
}

// seedReps writes a policy's rep blocks into the rep table: the policy owns the
// definition, events own the status.
func (s *server) seedReps(ctx context.Context, p *plan.Plan) error {
	for i := range p.Reps {
		r := p.Reps[i]
		if err := s.produce(ctx, leadroute.TopicReps, string(r.ID), &leadroute.RepMessage{Profile: &r}); err != nil && ctx.Err() == nil {
			return fmt.Errorf("write rep %s: %w", r.ID, err)
		}
	}
	return nil
}

// produce sends one message and returns when the log has it.
func (s *server) produce(ctx context.Context, t leadroute.Topic, key string, v any) error {
	b, err := leadroute.Encode(v)
	if err != nil {
		return err
	}
	return s.producer.ProduceSync(ctx, &kgo.Record{Topic: s.stream.Namespace.Topic(t), Key: []byte(key), Value: b}).FirstErr()
}

// Ready waits until leads flow.
func (s *server) Ready(ctx context.Context) error { return s.pipeline.Ready(ctx) }

// close ends the engines, the log last. It may be called on a server that is half built.
func (s *server) close() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.letters != nil {
		s.letters.Close()
	}
	if s.open != nil {
		s.open.Close()
	}
	if s.policies != nil {
		s.policies.Close()
	}
	if s.producer != nil {
		s.producer.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.engine != nil {
		s.engine.Stop()
	}
	if s.broker != nil {
		s.broker.Close()
	}
	if s.lock != nil {
		s.lock.Unlock()
	}
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
