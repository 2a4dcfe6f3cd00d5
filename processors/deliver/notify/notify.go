// Package notify tells people: it takes the notifications that the ledger asks for and
// sends each by every way of its channel. Whom and when is the policy's and the ledger's to
// say, what a way's wire looks like that of the way's file.
//
// A notification is sent at least once: its offset is committed when every way has taken
// it, or has been given up to the dead letters. One that comes twice is sent once as long
// as this process remembers it, and carries one id wherever the service takes one.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/stream"
)

// Message is what is told.
type Message struct {
	ID      string // one per notification and way
	Subject string // one line
	Text    string // a few lines, without what the lead says of a person
	To      string // whom; empty: the way itself says
	Reason  string
	At      time.Time
	// Delivery is the lead, for a webhook.
	Delivery *leadroute.Delivery
	// Incident is the one incident of the lead, for a way that resolves it; Resolve ends it.
	Incident string
	Resolve  bool
}

// Sender sends by one way. It is safe for concurrent use.
type Sender interface {
	// Send makes one attempt; the context's end bounds it.
	Send(ctx context.Context, m *Message) connector.Attempt
}

// Kind is one kind of way.
type Kind struct {
	Name string
	// New makes its sender. secret gives the text of a secret or setting by its name.
	New func(w *plan.Way, secret func(string) (string, error)) (Sender, error)
}

// Kinds lists every kind of way.
var Kinds = []Kind{
	{plan.WaySlack, newSlack},
	{plan.WayEmail, newEmail},
	{plan.WaySMS, newSMS},
	{plan.WayPager, newPager},
	{plan.WayWebhook, newWebhook},
}

// Config is what a Worker needs.
type Config struct {
	Stream stream.Config
	// Plan returns the plan of an id, or the current one; never nil.
	Plan func(leadroute.PlanID) *plan.Plan
	// Rep returns a rep's profile; nil where there is none.
	Rep func(leadroute.RepID) *leadroute.Rep
	// Secret gives the text of a secret or setting; ok is false where it is not set.
	Secret func(name string) (value string, ok bool)
	// Site is the address of the API as people reach it.
	Site string
	// Attempts by one way, 8 if zero, with waits from Wait (1s if zero) doubling up to a minute.
	Attempts int
	Wait     time.Duration
}

const (
	sendTimeout = 15 * time.Second
	atOnce      = 16   // notifications of one partition
	remembered  = 8192 // ids
	perSecond   = 1    // by one way of a channel, as Slack wants it
	burst       = 20
)

// Worker tells people.
type Worker struct {
	cfg   Config
	log   *slog.Logger
	now   func() time.Time
	sent  *prometheus.CounterVec
	cl    *kgo.Client
	slots chan struct{}
	turns stream.Turns[string] // of what is told of one lead by a channel that resolves

	mu      sync.Mutex
	senders map[senderKey]*way
	done    map[string]bool // id/kind: sent, given up, or being sent
	order   []string        // of done, oldest first
}

type senderKey struct {
	plan    leadroute.PlanID
	channel string
	kind    string
}

// way is a sender with its pace.
type way struct {
	*plan.Way
	sender Sender
	pace   *rate.Limiter
}

// New checks the configuration; it starts nothing.
func New(cfg Config) (*Worker, error) {
	if len(cfg.Stream.Brokers) == 0 || cfg.Plan == nil || cfg.Rep == nil || cfg.Secret == nil {
		return nil, errors.New("notify: brokers, plans, reps and secrets are needed")
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 8
	}
	if cfg.Wait == 0 {
		cfg.Wait = time.Second
	}
	w := &Worker{cfg: cfg, log: cfg.Stream.Log, slots: make(chan struct{}, atOnce), senders: map[senderKey]*way{}, done: map[string]bool{}}
	if w.log == nil {
		w.log = slog.Default()
	}
	if w.now = cfg.Stream.Clock; w.now == nil {
		w.now = time.Now
	}
	w.sent = stream.Register(cfg.Stream.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "leadroute_notifications_total", Help: "Messages by channel, way and result: delivered, or rejected after the last attempt.",
	}, []string{"channel", "way", "result"}))
	return w, nil
}

// Check says why a plan's channels could not be used here, all of them: a secret is missing, say.
func Check(p *plan.Plan, secret func(string) (string, bool)) error {
	var errs []error
	for i := range p.Channels {
		c := &p.Channels[i]
		for j := range c.Ways {
			if _, err := newSender(c, &c.Ways[j], secret); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Try sends one message by every way of a channel, once, and tells how each went. to is who
// is told by the ways that tell a rep.
func Try(ctx context.Context, c *plan.Channel, to *leadroute.Rep, secret func(string) (string, bool), at time.Time) []Tried {
	var all []Tried
	for i := range c.Ways {
		how := &c.Ways[i]
		t := Tried{Way: how.Kind}
		s, err := newSender(c, how, secret)
		m := Message{
			ID: fmt.Sprintf("test/%d/%s", at.UnixMilli(), how.Kind), Subject: "leadroute: a test of channel " + c.Name,
			Text: "leadroute: this is a test of channel " + c.Name + ". No lead waits.", Reason: "test", At: at,
		}
		switch {
		case err != nil:
			t.Result, t.Reason = leadroute.ResultRejected, err.Error()
		case how.To != nil && to == nil:
			t.Result, t.Reason = leadroute.ResultRejected, "it tells the rep who has the lead: name one with --rep, from --reps FILE or the policy"
		default:
			if how.To != nil {
				m.To = how.To(to)
			} else if len(how.Everybody) > 0 {
				m.To = how.Everybody[0]
			}
			if how.To != nil && m.To == "" {
				t.Result, t.Reason = leadroute.ResultRejected, fmt.Sprintf("rep %s has no address for %s", to.ID, how.Kind)
				break
			}
			a := send(ctx, s, &m)
			t.Result, t.Status, t.Reason = a.Result, a.Status, a.Reason
		}
		all = append(all, t)
	}
	return all
}

// Tried is how one way went.
type Tried struct {
	Way    string           `json:"way"`
	Result leadroute.Result `json:"result"`
	Status int              `json:"status,omitempty"` // of HTTP
	Reason string           `json:"reason,omitempty"`
}

func newSender(c *plan.Channel, w *plan.Way, secret func(string) (string, bool)) (Sender, error) {
	for _, k := range Kinds {
		if k.Name != w.Kind {
			continue
		}
		s, err := k.New(w, func(name string) (string, error) {
			v, ok := secret(name)
			if !ok || v == "" {
				return "", fmt.Errorf("%s is not set; set the environment variable %s", name, name)
			}
			return v, nil
		})
		if err != nil {
			return nil, fmt.Errorf("channel %s: %s: %w", c.Name, w.Kind, err)
		}
		return s, nil
	}
	return nil, fmt.Errorf("channel %s: no way of kind %s", c.Name, w.Kind)
}

// text gives a secret's text.
func text(s plan.Secret, secret func(string) (string, error)) (string, error) {
	if s.Name == "" {
		return s.Literal, nil
	}
	return secret(s.Name)
}

// Run tells people until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	g, err := stream.NewWorker(w.cfg.Stream, stream.Worker{Group: "notify", Topics: []leadroute.Topic{leadroute.TopicNotifications}, Handle: w.handle})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	w.cl = g.Client()
	return g.Run(ctx)
}

// handle starts a notification on its way; it holds its partition up while too many are.
func (w *Worker) handle(ctx context.Context, r *kgo.Record, done func()) {
	n, err := leadroute.Decode[leadroute.Notification](r.Value)
	if err != nil || n.ID == "" {
		w.bury(ctx, &leadroute.DeadLetter{
			ID: fmt.Sprintf("%s-%d-%d", r.Topic, r.Partition, r.Offset), Kind: leadroute.DeadMessage, Stage: "notify", Reason: "not a notification",
			At: leadroute.At(r.Timestamp), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
		}, r.Key, done)
		return
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return // its next owner reads it again
	}
	wait, over := w.turn(n)
	go func() {
		defer func() { <-w.slots }()
		defer over()
		select {
		case <-wait:
			w.tell(ctx, n, r, done)
		case <-ctx.Done():
		}
	}()
}

// turn keeps the order of what raises an incident and what resolves it.
func (w *Worker) turn(n *leadroute.Notification) (wait <-chan struct{}, over func()) {
	if w.cfg.Plan(n.Delivery.Plan).Channel(n.Channel).Resolves() {
		return w.turns.Take(string(n.Delivery.Lead) + "/" + n.Channel)
	}
	now := make(chan struct{})
	close(now)
	return now, func() {}
}

// tell sends a notification by every way of its channel, and is done when none is left.
func (w *Worker) tell(ctx context.Context, n *leadroute.Notification, r *kgo.Record, done func()) {
	p := w.cfg.Plan(n.Delivery.Plan)
	c := p.Channel(n.Channel)
	if c == nil {
		w.giveUp(ctx, n, r, "", 0, "the policy has no such channel", done)
		return
	}
	left := func() {}
	if len(c.Ways) == 0 {
		done()
		return
	}
	var mu sync.Mutex
	open := len(c.Ways)
	left = func() {
		mu.Lock()
		defer mu.Unlock()
		if open--; open == 0 {
			done()
		}
	}
	var wg sync.WaitGroup
	for i := range c.Ways {
		wg.Go(func() { w.by(ctx, p, c, &c.Ways[i], n, r, left) })
	}
	wg.Wait()
}

// by sends a notification by one way, as often as it takes or is worth it.
func (w *Worker) by(ctx context.Context, p *plan.Plan, c *plan.Channel, how *plan.Way, n *leadroute.Notification, r *kgo.Record, done func()) {
	id := n.ID + "/" + how.Kind
	if n.Only != "" && n.Only != how.Kind || n.Resolve && !how.Resolve || !how.Applies(p, &n.Delivery) || !w.begin(id) {
		done()
		return
	}
	settled := false
	defer func() {
		if !settled {
			w.forget(id) // it comes again, here or elsewhere
		}
	}()
	over := done
	done = func() { settled = true; over() }
	giveUp := func(attempts int, why string) {
		w.giveUp(ctx, n, r, how.Kind, attempts, why, done)
		w.forget(id) // it may be sent back out of the dead letters
	}
	v, err := w.way(p, c, how)
	if err != nil {
		giveUp(0, "the channel cannot be used: a secret or setting is missing")
		return
	}
	ms, why := w.messages(how, n, id)
	if why != "" {
		giveUp(0, why)
		return
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.Multiplier = w.cfg.Wait, time.Minute, 2
	for try := 1; len(ms) > 0; try++ {
		if v.pace.Wait(ctx) != nil {
			return
		}
		a := send(ctx, v.sender, ms[0])
		switch {
		case ctx.Err() != nil:
			return // nobody knows; its next owner sends it again
		case a.Result == leadroute.ResultDelivered:
			ms, try = ms[1:], 0
			continue
		case a.Result == leadroute.ResultRejected || try >= w.cfg.Attempts:
			giveUp(try, a.Reason)
			return
		}
		wait := pause.NextBackOff()
		if a.RetryAfter != 0 {
			wait = max(wait, min(time.Until(a.RetryAfter.Time()), time.Minute))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
	w.sent.WithLabelValues(c.Name, how.Kind, "delivered").Inc()
	done()
}

func send(ctx context.Context, s Sender, m *Message) (a connector.Attempt) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil { // one message must not stop the others
			a = connector.Attempt{Result: leadroute.ResultRetry, Reason: fmt.Sprintf("sender panicked: %T", r)}
		}
	}()
	return s.Send(ctx, m)
}

func (w *Worker) way(p *plan.Plan, c *plan.Channel, how *plan.Way) (*way, error) {
	k := senderKey{p.ID, c.Name, how.Kind}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.senders[k]; v != nil {
		return v, nil
	}
	s, err := newSender(c, how, w.cfg.Secret)
	if err != nil {
		w.log.Error("a channel cannot be used", "error", err)
		return nil, err
	}
	const kept = 256
	if len(w.senders) >= kept {
		clear(w.senders)
	}
	v := &way{how, s, rate.NewLimiter(perSecond, burst)}
	if r := how.RatePerSec; r > 0 {
		v.pace = rate.NewLimiter(rate.Limit(r), int(math.Ceil(r)))
	}
	w.senders[k] = v
	return v, nil
}

// begin notes that an id is being sent; false: it is, or it was. Whoever sends it is done
// with it or forgets it, so that a copy need not wait.
func (w *Worker) begin(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done[id] {
		return false
	}
	w.done[id] = true
	if w.order = append(w.order, id); len(w.order) > remembered {
		delete(w.done, w.order[0])
		w.order = w.order[1:]
	}
	return true
}

func (w *Worker) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.done, id)
}

// giveUp puts a notification into the dead letters.
func (w *Worker) giveUp(ctx context.Context, n *leadroute.Notification, r *kgo.Record, kind string, attempts int, reason string, done func()) {
	w.log.Warn("a notification was given up", "channel", n.Channel, "way", kind, "lead_id", n.Delivery.Lead, "reason", reason)
	w.sent.WithLabelValues(n.Channel, kind, "rejected").Inc()
	where := n.Channel
	if kind != "" {
		where += "/" + kind
	}
	w.bury(ctx, &leadroute.DeadLetter{
		ID: n.ID + "/" + where, Kind: leadroute.DeadNotification, Stage: "notify", Lead: n.Delivery.Lead, Rev: n.Delivery.Rev,
		Destination: leadroute.DestinationID(where), Class: n.Delivery.Class, Attempts: attempts, Reason: reason, At: leadroute.At(w.now()), Payload: r.Value,
	}, r.Key, done)
}

// bury writes a dead letter; what cannot be written is not done, and comes again.
func (w *Worker) bury(ctx context.Context, l *leadroute.DeadLetter, key []byte, done func()) {
	v, err := leadroute.Encode(l)
	if err == nil {
		err = w.cl.ProduceSync(ctx, &kgo.Record{Topic: w.cfg.Stream.Namespace.Topic(leadroute.TopicDeadLetters), Key: key, Value: v}).FirstErr()
	}
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("a dead letter was not written", "error", err)
		}
		return
	}
	done()
}
