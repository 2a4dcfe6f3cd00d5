package processors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/accounts"
	"github.com/leadroute/leadroute/processors/clock"
	"github.com/leadroute/leadroute/processors/deliver"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/deliver/notify"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/feeds"
	"github.com/leadroute/leadroute/processors/gateway"
	"github.com/leadroute/leadroute/processors/identities"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/pools"
	"github.com/leadroute/leadroute/processors/queues"
	"github.com/leadroute/leadroute/processors/reps"
	"github.com/leadroute/leadroute/processors/stream"
)

// Config is what a pipeline needs besides its plan.
type Config struct {
	Stream stream.Config
	Plans  *Plans
	// Keys and IDKey are the gateway's; see gateway.Config.
	Keys  gateway.Keys
	IDKey []byte
	// Secret resolves secret("NAME"); ok is false where it is not set.
	Secret func(name string) (value string, ok bool)
	// Redirect sends the deliveries of a destination to another address, as a webhook.
	Redirect map[leadroute.DestinationID]string
	// Site is the address of the API, which decision.url begins with.
	Site string
	// Before are the classes and destinations of policies before, which have topics and maybe
	// leads on their way.
	Before Before
	// InFlight is how many leads are in the middle at once, admit's default if 0.
	InFlight int
}

// Pipeline is one instance of everything that routes leads.
type Pipeline struct {
	Gateway  *gateway.Gateway
	Ledger   *stream.Processor[ledger.State]
	Reps     *stream.View[desk.State]
	Accounts *stream.View[leadroute.Account]
	Queues   *stream.View[queues.State]

	cfg     Config
	roster  *pools.Roster
	stages  []runner // that need the roster, and others that need to know the reps
	others  []runner
	ready   []<-chan struct{}
	world   *world
	book    *book
	metrics *deliver.Metrics

	mu      sync.Mutex // guards what follows
	parts   map[string]*part
	classes []leadroute.Class // that the parts serve
	launch  func(*part)       // set while Run runs
}

// runner is a part of the pipeline, named for its errors.
type runner struct {
	name string
	run  func(context.Context) error
}

// Build checks the configuration and starts nothing. Every secret that the plan names must be set.
func Build(cfg Config) (*Pipeline, error) {
	p := &Pipeline{cfg: cfg, parts: map[string]*part{}, world: &world{options: cfg.Stream.Options()}, metrics: deliver.NewMetrics(cfg.Stream.Metrics)}
	current := cfg.Plans.Current()
	roster, directory := pools.NewRoster(), &desk.Directory{}
	p.roster = roster
	var err error
	if p.Gateway, err = gateway.New(gateway.Config{
		Stream: cfg.Stream, Keys: cfg.Keys, IDKey: cfg.IDKey, Classes: classesOf(current, nil),
		Checker: func() gateway.Checker { return door{cfg.Plans.Current()} },
		Hook:    p.hook, Owners: directory.Owners,
	}); err != nil {
		return nil, err
	}
	p.other("gateway", p.Gateway.Run)
	if p.book, err = newBook(cfg.Stream, current); err != nil {
		return nil, err
	}
	p.Accounts = p.book.view
	p.other("view of the accounts", p.Accounts.Run)
	p.other("names of the accounts", p.book.run)
	if p.Ledger, err = addStage(p, ledger.Stage(cfg.Plans, p.book, roster.Live)); err != nil {
		return nil, err
	}
	if _, err = addStage(p, pools.Stage(cfg.Plans.Of, roster)); err != nil {
		return nil, err
	}
	if _, err = addStage(p, reps.Stage(cfg.Plans.Of)); err != nil {
		return nil, err
	}
	if _, err = addStage(p, accounts.Stage()); err != nil {
		return nil, err
	}
	if _, err = addStage(p, identities.Stage()); err != nil {
		return nil, err
	}
	if _, err = addStage(p, queues.Stage(cfg.Plans.Current)); err != nil {
		return nil, err
	}
	if p.Reps, err = stream.NewView(cfg.Stream, leadroute.TopicReps, func(key string, s *desk.State) {
		roster.Update(leadroute.RepID(key), s)
		directory.Update(leadroute.RepID(key), s)
	}); err != nil {
		return nil, err
	}
	if p.Queues, err = stream.NewView[queues.State](cfg.Stream, leadroute.TopicQueues, nil); err != nil {
		return nil, err
	}
	p.other("view of the queues", p.Queues.Run)
	p.other("view of the reps", p.Reps.Run)
	told, err := notify.New(notify.Config{
		Stream: cfg.Stream, Plan: cfg.Plans.Of, Secret: cfg.Secret, Site: cfg.Site,
		Rep: func(id leadroute.RepID) *leadroute.Rep {
			if s := p.Reps.Get(string(id)); s != nil {
				return &s.Profile
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	p.other("notifications", told.Run)
	if err := notify.Check(current, cfg.Secret); err != nil {
		return nil, err
	}
	outer, err := feeds.New(feeds.Config{
		Stream: cfg.Stream, Owners: directory.Owners, Ask: p.Gateway.Ask,
		Plan: cfg.Plans.Current,
		Rep:  func(id leadroute.RepID) *desk.State { return p.Reps.Get(string(id)) },
	})
	if err != nil {
		return nil, err
	}
	p.late("feeds", outer.Run)
	ticks, err := clock.New(clock.Config{Stream: cfg.Stream, Metrics: clock.NewMetrics(cfg.Stream.Metrics)})
	if err != nil {
		return nil, err
	}
	p.other("clock", ticks.Run)
	return p, p.arrange(current, nil)
}

// Decide is what the plan in force says of a lead now; nothing comes of it.
func (p *Pipeline) Decide(l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
	v := p.cfg.Plans.Current()
	return ledger.Decide(v, l, p.book, p.roster.Live(v, at), at)
}

// Leads reads the rows of all leads, of whatever instance, as stream.Scan does.
func (p *Pipeline) Leads(ctx context.Context, yield func(id string, s *ledger.State) error) error {
	return stream.Scan(ctx, p.cfg.Stream, leadroute.TopicLedger, yield)
}

func addStage[S, M any](p *Pipeline, st stream.Stage[S, M]) (*stream.Processor[S], error) {
	proc, err := stream.New(p.cfg.Stream, st)
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, runner{string(st.Name), proc.Run})
	p.ready = append(p.ready, proc.Ready())
	return proc, nil
}

// late adds what must not start before the reps are known.
func (p *Pipeline) late(name string, run func(context.Context) error) {
	p.stages = append(p.stages, runner{name, run})
}

func (p *Pipeline) other(name string, run func(context.Context) error) {
	p.others = append(p.others, runner{name, run})
}

// Find tells which account a lead finds by the policy in force, and how; looks is false where
// that looks none up.
func (p *Pipeline) Find(l *leadroute.Lead) (a *leadroute.Account, found *plan.Found, looks bool) {
	current := p.cfg.Plans.Current()
	a, found = p.book.Find(current, l)
	return a, found, current.Accounts != nil
}

// Topics creates the topics that are absent.
func (p *Pipeline) Topics(ctx context.Context) error {
	return p.topics(ctx, p.cfg.Plans.Current(), nil)
}

func (p *Pipeline) topics(ctx context.Context, current, candidate *plan.Plan) error {
	cl, err := kgo.NewClient(p.cfg.Stream.Options()...)
	if err != nil {
		return fmt.Errorf("topics: %w", err)
	}
	defer cl.Close()
	destinations := p.destinations(current, candidate)
	names := make([]leadroute.DestinationID, len(destinations))
	for i := range destinations {
		names[i] = destinations[i].Name
	}
	n := p.cfg.Stream.Partitions
	if n == 0 {
		n = stream.DefaultPartitions
	}
	adm := kadm.NewClient(cl)
	if err := stream.EnsureTopics(ctx, adm, stream.Specs(p.cfg.Stream.Namespace, p.allClasses(current, candidate), names, n)); err != nil {
		return err
	}
	return p.outerTopics(ctx, adm, destinations, n)
}

// hook checks what is signed for a destination, with the destination's key.
func (p *Pipeline) hook(name leadroute.DestinationID) gateway.Verifier {
	d := p.cfg.Plans.Current().Destination(name)
	if d == nil || d.Webhook == nil || d.Webhook.Sign == "" {
		return nil
	}
	own := *d
	if p.cfg.resolve(&own) != nil {
		return nil
	}
	s, err := connector.NewSigner(own.Webhook.Key.Literal)
	if err != nil {
		return nil
	}
	return s
}

// outerTopics creates the topics that are destinations, where they are absent: those that
// are there belong to others and stay as they are.
func (p *Pipeline) outerTopics(ctx context.Context, adm *kadm.Client, destinations []plan.Destination, partitions int32) error {
	for i := range destinations {
		name, topic := destinations[i].Name, outerTopic(&destinations[i])
		if topic == "" {
			continue
		}
		if strings.HasPrefix(topic, p.cfg.Stream.Namespace.Topic("")) {
			return fmt.Errorf("destination %s: the topic %s is one of leadroute's own; name another", name, topic)
		}
		have, err := adm.ListTopics(ctx, topic)
		if err != nil {
			return fmt.Errorf("destination %s: %w", name, err)
		}
		if have.Has(topic) {
			continue
		}
		if _, err := adm.CreateTopic(ctx, partitions, -1, nil, topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("destination %s: create the topic %s: %w", name, topic, err)
		}
	}
	return nil
}

// outerTopic is the topic of a kafka destination, empty for another kind.
func outerTopic(d *plan.Destination) string {
	if d.Other == nil || d.Other.Kind != connector.KindKafka {
		return ""
	}
	return d.Other.Settings["topic"].Literal
}

// Run runs everything until ctx ends, then stops it and returns nil. Topics must have been called.
func (p *Pipeline) Run(ctx context.Context) error {
	defer p.world.close()
	g, ctx := errgroup.WithContext(ctx)
	start := func(r runner) {
		g.Go(func() error {
			if err := r.run(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			return nil
		})
	}
	for _, r := range p.others {
		start(r)
	}
	p.startParts(ctx, g)
	for _, known := range []<-chan struct{}{p.Reps.Recovered(), p.Accounts.Recovered()} {
		select {
		case <-known: // a pool that saw nobody would let every lead wait, a ledger that saw no account would pass its owner over
		case <-ctx.Done():
			return g.Wait()
		}
	}
	for _, r := range p.stages {
		start(r)
	}
	return g.Wait()
}

// Ready waits until every stage has recovered its table and consumes.
func (p *Pipeline) Ready(ctx context.Context) error {
	for _, c := range p.ready {
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for p.Gateway.Ready() != nil {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// resolve replaces the destination's secrets by their texts, and its address where the
// configuration sends it elsewhere.
func (c *Config) resolve(d *plan.Destination) error {
	if url, ok := c.Redirect[d.Name]; ok {
		w := plan.Webhook{}
		if d.Webhook != nil {
			w = *d.Webhook
		}
		w.URL = plan.Secret{Literal: url}
		d.Webhook, d.Other = &w, nil
	}
	if d.Webhook == nil {
		return nil
	}
	w := *d.Webhook
	d.Webhook = &w
	secrets := []*plan.Secret{&w.URL, &w.Key}
	if d.Shape != nil {
		s := *d.Shape
		s.Site, s.Headers = c.Site, slices.Clone(s.Headers)
		for i, h := range s.Headers {
			s.Headers[i].Parts = slices.Clone(h.Parts)
			for j, p := range s.Headers[i].Parts {
				if p.Secret != nil {
					own := *p.Secret
					s.Headers[i].Parts[j].Secret = &own
					secrets = append(secrets, &own)
				}
			}
		}
		d.Shape = &s
	}
	for _, s := range secrets {
		if s.Name == "" {
			continue
		}
		v, ok := c.Secret(s.Name)
		if !ok {
			return fmt.Errorf("destination %s: the secret %s is not set; set the environment variable %s", d.Name, s.Name, s.Name)
		}
		*s = plan.Secret{Literal: v}
	}
	return nil
}
