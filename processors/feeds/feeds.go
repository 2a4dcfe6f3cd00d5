// Package feeds lets other systems say what they know on topics of their own: which rep is
// there, who owns an account, what a rep did with a lead in the CRM. A record may come from
// any producer with any partitioner and key: it is held against what the API's import is
// held against, and goes on to the stage that owns the row, under that stage's key. What is
// wrong goes to the dead letters with what to write instead. What a message then does is
// the stage's to decide.
//
// A record is committed when the log has what it led to. Records about one thing keep the
// order that they have in their partition; those of other partitions have none.
package feeds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/stream"
)

// Feed is one topic that others write.
type Feed struct {
	Topic leadroute.Topic
	// Example is a record that is right.
	Example string
	// read says what a record means, or all that is wrong with it.
	read func(*reading) event
}

// Builtin lists every feed.
var Builtin = []Feed{repEvents, accountEvents, responses}

// event is what a record says. The zero event says nothing.
type event struct {
	// about is what keeps its order: the key of the stage's row.
	about string
	// rep is who must be known, by id or by the CRM's; empty: nobody.
	rep, crmID string
	// gone: somebody who was removed and still has leads on the desk will do, too.
	gone bool
	// message is what the stage is told.
	to      leadroute.Topic
	message any
	// action, if set, is put to the ledger instead, which answers.
	action *leadroute.RepAction
}

// Config is what a Worker needs. The functions must be safe for concurrent use.
type Config struct {
	Stream stream.Config
	// Plan is the policy in force, whose names a rep's profile may use.
	Plan func() *plan.Plan
	// Rep returns a rep's row from a view, nil where there is none.
	Rep func(leadroute.RepID) *desk.State
	// Owners returns who has that id in the CRM.
	Owners func(crmID string) []leadroute.RepID
	// Ask puts what a rep says of a lead to the ledger and returns its answer; nil: none has come yet.
	Ask func(context.Context, leadroute.LeadID, leadroute.RepAction) (*leadroute.Reply, error)
	// Settle is how long a record waits for a rep who is not in the view to show there, since
	// the view is behind the log; 2s if zero.
	Settle time.Duration
}

const (
	atOnce    = 256 // records of all partitions on their way
	lookAgain = 20 * time.Millisecond
	tryAgain  = time.Second // after the log or the ledger did not answer
	maxReason = 1000
)

// Worker reads the feeds.
type Worker struct {
	cfg   Config
	now   func() time.Time
	log   *slog.Logger
	count *prometheus.CounterVec
	cl    *kgo.Client
	slots chan struct{}
	turns stream.Turns[turn]
}

// turn is what keeps its order: a thing, within one partition.
type turn struct {
	topic     string
	partition int32
	about     string
}

// New checks the configuration; it starts nothing.
func New(cfg Config) (*Worker, error) {
	if len(cfg.Stream.Brokers) == 0 || cfg.Plan == nil || cfg.Rep == nil || cfg.Owners == nil || cfg.Ask == nil {
		return nil, errors.New("feeds: brokers, the plan, reps, owners and the ledger are needed")
	}
	if cfg.Settle == 0 {
		cfg.Settle = 2 * time.Second
	}
	w := &Worker{cfg: cfg, now: cfg.Stream.Clock, log: cfg.Stream.Log, slots: make(chan struct{}, atOnce)}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.Default()
	}
	w.count = stream.Register(cfg.Stream.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "leadroute_feed_records_total", Help: "Records of the topics that others write, by feed and result: forwarded, or dead (in the dead letters).",
	}, []string{"feed", "result"}))
	return w, nil
}

// Run reads the feeds until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	topics := make([]leadroute.Topic, len(Builtin))
	for i, f := range Builtin {
		topics[i] = f.Topic
	}
	g, err := stream.NewWorker(w.cfg.Stream, stream.Worker{Group: "feeds", Topics: topics, Handle: w.handle})
	if err != nil {
		return fmt.Errorf("feeds: %w", err)
	}
	w.cl = g.Client()
	return g.Run(ctx)
}

// handle starts a record on its way, behind the one before it that is about the same.
func (w *Worker) handle(ctx context.Context, r *kgo.Record, done func()) {
	topic, _ := w.cfg.Stream.Namespace.Logical(r.Topic)
	var feed *Feed
	for i := range Builtin {
		if Builtin[i].Topic == topic {
			feed = &Builtin[i]
		}
	}
	if feed == nil {
		return // not one of ours: the group reads nothing else
	}
	in := &reading{cfg: &w.cfg, feed: feed, raw: r.Value, at: leadroute.At(r.Timestamp), now: leadroute.At(w.now())}
	e := in.event()
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return // its next owner reads it again
	}
	wait, over := w.turns.Take(turn{r.Topic, r.Partition, e.about})
	go func() {
		defer func() { <-w.slots }()
		defer over()
		<-wait
		reason := in.reason()
		if reason == "" {
			reason = w.forward(ctx, &e)
		}
		result := "forwarded"
		if reason != "" {
			result = "dead"
			w.bury(ctx, feed, r, reason)
		}
		if ctx.Err() == nil {
			w.count.WithLabelValues(string(feed.Topic), result).Inc()
			done()
		}
	}()
}

// forward sends what an event says to where it belongs, and returns why it cannot. If ctx
// ends meanwhile nothing is known, and the record comes again.
func (w *Worker) forward(ctx context.Context, e *event) (reason string) {
	rep, reason := w.known(ctx, e)
	if reason != "" || ctx.Err() != nil {
		return reason
	}
	if e.action == nil {
		w.send(ctx, e.to, []byte(e.about), e.message)
		return ""
	}
	said := *e.action
	said.Rep = rep
	for ctx.Err() == nil {
		reply, err := w.cfg.Ask(ctx, leadroute.LeadID(e.about), said)
		switch {
		case err != nil:
			w.pause(ctx, "asking the ledger", err)
		case reply == nil: // it is behind: asking again does no harm
		case !reply.Known:
			return fmt.Sprintf("lead: no lead %q is known: write the id under which the CRM got the lead, and respond within its dedupe window", e.about)
		default:
			return "" // where it does not stand the ledger has told so
		}
	}
	return ""
}

// known finds the rep of an event. One who is not there may have been brought just now, and
// the view be behind, so it is waited for.
func (w *Worker) known(ctx context.Context, e *event) (id leadroute.RepID, reason string) {
	if e.rep == "" && e.crmID == "" {
		return "", ""
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	settled := time.NewTimer(w.cfg.Settle)
	defer settled.Stop()
	for {
		if id, reason = w.find(e); reason == "" {
			return id, ""
		}
		select {
		case <-ctx.Done():
			return "", ""
		case <-settled.C:
			return "", reason
		case <-tick.C:
		}
	}
}

func (w *Worker) find(e *event) (id leadroute.RepID, reason string) {
	id = leadroute.RepID(e.rep)
	if e.rep == "" {
		switch owners := w.cfg.Owners(e.crmID); len(owners) {
		case 0:
			return "", fmt.Sprintf("crm_id: no rep has the crm_id %q: write rep instead, or set it in the rep's profile", e.crmID)
		case 1:
			id = owners[0]
		default:
			return "", fmt.Sprintf("crm_id: %d reps have the crm_id %q: write rep instead", len(owners), e.crmID)
		}
	}
	if s := w.cfg.Rep(id); s == nil || s.Gone && !e.gone {
		return "", fmt.Sprintf(`rep: there is no rep %q: write the id of one, or a record with the rep's profile before`, id)
	}
	return id, ""
}

// send puts a message into the log, however long that takes.
func (w *Worker) send(ctx context.Context, t leadroute.Topic, key []byte, v any) {
	b, err := leadroute.Encode(v)
	if err != nil {
		w.log.Error("a message was not written", "topic", t, "error", err)
		return
	}
	for ctx.Err() == nil {
		err := w.cl.ProduceSync(ctx, &kgo.Record{Topic: w.cfg.Stream.Namespace.Topic(t), Key: key, Value: b}).FirstErr()
		if err == nil {
			return
		}
		w.pause(ctx, "writing a message", err)
	}
}

// pause waits a little after something failed that will be tried again.
func (w *Worker) pause(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	w.log.Warn("a feed is held up, will retry", "what", what, "error", err)
	select {
	case <-time.After(tryAgain):
	case <-ctx.Done():
	}
}

// bury puts a record into the dead letters.
func (w *Worker) bury(ctx context.Context, f *Feed, r *kgo.Record, reason string) {
	w.log.Warn("a record of a feed was given up", "feed", f.Topic, "partition", r.Partition, "offset", r.Offset)
	w.send(ctx, leadroute.TopicDeadLetters, r.Key, &leadroute.DeadLetter{
		ID: fmt.Sprintf("%s-%d-%d", r.Topic, r.Partition, r.Offset), Kind: leadroute.DeadMessage, Stage: "feeds", Reason: cut(reason),
		At: leadroute.At(w.now()), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
	})
}

func cut(s string) string {
	if len(s) > maxReason {
		return strings.ToValidUTF8(s[:maxReason], "") + "..."
	}
	return s
}
