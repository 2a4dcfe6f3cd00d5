package processors

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/admit"
	"github.com/leadroute/leadroute/processors/deliver"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/deliver/notify"
)

// part is a worker whose form depends on the plan: it is started anew when that changes.
// What it has read and not finished is read again by its successor.
type part struct {
	runner
	form  string // what it was built from, as far as a change means a new one
	stop  context.CancelFunc
	ended chan struct{}
}

// Switch puts a plan into force, and has another one tried beside it (nil: none). Where it
// fails, because a secret is not set or the log does not answer, nothing has changed.
//
// The stages go on: a lead ends under the plan that decided it. New classes and
// destinations get their topics and workers; those that the plan has no more keep theirs
// until the process ends, for the leads on their way.
func (p *Pipeline) Switch(ctx context.Context, current, candidate *plan.Plan) error {
	if err := p.Check(current); err != nil {
		return err
	}
	if candidate != nil {
		if err := p.Check(candidate); err != nil {
			return err
		}
	}
	if err := p.topics(ctx, current, candidate); err != nil {
		return err
	}
	if err := p.arrange(current, candidate); err != nil {
		return err
	}
	p.Gateway.SetClasses(classesOf(current, candidate))
	p.cfg.Plans.Set(current, candidate)
	p.book.serve(current, candidate)
	return nil
}

// Check says why the plan could not be run here.
func (p *Pipeline) Check(v *plan.Plan) error {
	for i := range v.Destinations {
		if _, err := p.connector(&v.Destinations[i]); err != nil {
			return err
		}
	}
	return notify.Check(v, p.cfg.Secret)
}

// arrange builds the parts that the plans need and are not there, or have another form.
func (p *Pipeline) arrange(current, candidate *plan.Plan) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	classes := p.allClasses(current, candidate)
	var anew []*part
	if form := fmt.Sprint(classes); p.parts["admit"] == nil || p.parts["admit"].form != form {
		a, err := admit.New(admit.Config{
			Stream: p.cfg.Stream, Classes: classes, InFlight: p.cfg.InFlight,
			Classifier: func(l *leadroute.Lead) admit.Classifier { return door{p.cfg.Plans.For(l)} },
		})
		if err != nil {
			return err
		}
		anew = append(anew, &part{runner: runner{"admit", a.Run}, form: form})
	}
	destinations := p.destinations(current, candidate)
	for i := range destinations {
		d := &destinations[i]
		name := "delivery to " + string(d.Name)
		form := fmt.Sprint(classes, d.RatePerSec, d.Concurrency, d.Timeout)
		if old := p.parts[name]; old != nil && old.form == form {
			continue
		}
		own, err := p.connector(d)
		if err != nil {
			return err
		}
		w, err := deliver.New(deliver.Config{
			Stream: p.cfg.Stream, Destination: *d, Classes: classes, Metrics: p.metrics,
			Connector: &connectors{p: p, name: d.Name, otherwise: own, made: map[leadroute.PlanID]connector.Connector{}},
		})
		if err != nil {
			return err
		}
		anew = append(anew, &part{runner: runner{name, w.Run}, form: form})
	}
	for _, v := range anew {
		if old := p.parts[v.name]; old != nil && old.stop != nil {
			old.stop()
			<-old.ended // two members of one name would fence each other
		}
		p.parts[v.name] = v
		if p.launch != nil {
			p.launch(v)
		}
	}
	p.classes = classes
	return nil
}

// startParts starts the parts, and from then on each new one.
func (p *Pipeline) startParts(ctx context.Context, g *errgroup.Group) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.launch = func(v *part) {
		own, stop := context.WithCancel(ctx)
		v.stop, v.ended = stop, make(chan struct{})
		g.Go(func() error {
			defer close(v.ended)
			if err := v.run(own); err != nil && own.Err() == nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			return nil
		})
	}
	for _, v := range p.parts {
		p.launch(v)
	}
}

// Before is what policies before left on the log.
type Before struct {
	Classes      []leadroute.Class
	Destinations []plan.Destination
}

// FindBefore looks for topics of classes and destinations that the plan does not have. plans
// are those of before, the newest first, as long as it goes on asking. A destination whose
// policy is not among them, or whose secrets are not set any more, is told: its deliveries
// wait in the log.
func FindBefore(ctx context.Context, cfg *Config, plans iter.Seq[*plan.Plan]) (Before, error) {
	var found Before
	cl, err := kgo.NewClient(cfg.Stream.Options()...)
	if err != nil {
		return found, fmt.Errorf("topics: %w", err)
	}
	defer cl.Close()
	topics, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil {
		return found, fmt.Errorf("list topics: %w", err)
	}
	current := cfg.Plans.Current()
	missing := map[leadroute.DestinationID]bool{}
	for _, name := range topics.Names() {
		t, ours := cfg.Stream.Namespace.Logical(name)
		if !ours {
			continue
		}
		if c, ok := strings.CutPrefix(string(t), "inbox."); ok && current.Class(leadroute.Class(c)) == nil {
			found.Classes = append(found.Classes, leadroute.Class(c))
		}
		if rest, ok := strings.CutPrefix(string(t), "deliveries."); ok {
			if d, _, ok := strings.Cut(rest, "."); ok && current.Destination(leadroute.DestinationID(d)) == nil {
				missing[leadroute.DestinationID(d)] = true
			}
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	for p := range plans {
		for i := range p.Destinations {
			d := p.Destinations[i]
			if own := d; missing[d.Name] && cfg.resolve(&own) == nil {
				delete(missing, d.Name)
				d.Primary = false
				found.Destinations = append(found.Destinations, d)
			}
		}
		if len(missing) == 0 {
			break
		}
	}
	for name := range missing {
		cfg.Stream.Log.Warn("a destination of before has a topic and cannot be served: what is on its way there waits in the log", "destination", name)
	}
	return found, nil
}

// connector makes the connector of a destination.
func (p *Pipeline) connector(d *plan.Destination) (connector.Connector, error) {
	own := *d
	if err := p.cfg.resolve(&own); err != nil {
		return nil, err
	}
	kinds := connector.Builtin
	if outerTopic(&own) != "" {
		cl, err := p.world.client()
		if err != nil {
			return nil, err
		}
		kinds = append(slices.Clone(kinds), connector.Kafka(cl))
	}
	return connector.New(kinds, &own, p.cfg.Stream.Clock)
}

// connectors delivers each lead as the plan that decided it wants it delivered.
type connectors struct {
	p         *Pipeline
	name      leadroute.DestinationID
	otherwise connector.Connector // for the leads of plans that do not have the destination

	mu   sync.Mutex
	made map[leadroute.PlanID]connector.Connector
}

// Deliver makes one attempt.
func (c *connectors) Deliver(ctx context.Context, d *leadroute.Delivery) connector.Attempt {
	return c.of(d.Plan).Deliver(ctx, d)
}

func (c *connectors) of(id leadroute.PlanID) connector.Connector {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := c.made[id]; own != nil {
		return own
	}
	own := c.otherwise
	if d := c.p.cfg.Plans.Of(id).Destination(c.name); d != nil {
		if made, err := c.p.connector(d); err == nil {
			own = made
		}
	}
	if len(c.made) > keptPlans {
		clear(c.made)
	}
	c.made[id] = own
	return own
}

// world writes to the topics that are destinations; its client is made when one needs it.
type world struct {
	options []kgo.Opt
	mu      sync.Mutex
	cl      *kgo.Client
}

func (w *world) client() (*kgo.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	if w.cl == nil {
		w.cl, err = kgo.NewClient(append(slices.Clone(w.options), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))...)
	}
	return w.cl, err
}

func (w *world) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cl != nil {
		w.cl.Close()
	}
}

// classesOf are the classes of the plan in force, then those that only the candidate has.
func classesOf(current, candidate *plan.Plan) []leadroute.Class {
	var names []leadroute.Class
	for _, p := range []*plan.Plan{current, candidate} {
		for i := 0; p != nil && i < len(p.Classes); i++ {
			if c := p.Classes[i].Name; !slices.Contains(names, c) {
				names = append(names, c)
			}
		}
	}
	return names
}

// allClasses are those, then the ones of plans before.
func (p *Pipeline) allClasses(current, candidate *plan.Plan) []leadroute.Class {
	names := classesOf(current, candidate)
	for _, c := range slices.Concat(p.classes, p.cfg.Before.Classes) {
		if !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	return names
}

// destinations are those of the plan in force, then those that only the candidate has, then
// those of plans before.
func (p *Pipeline) destinations(current, candidate *plan.Plan) []plan.Destination {
	all := slices.Clone(current.Destinations)
	var others []plan.Destination
	if candidate != nil {
		others = candidate.Destinations
	}
	for _, d := range slices.Concat(others, p.cfg.Before.Destinations) {
		if !slices.ContainsFunc(all, func(have plan.Destination) bool { return have.Name == d.Name }) {
			all = append(all, d)
		}
	}
	return all
}
