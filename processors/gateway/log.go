package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// produce sends one message; then runs when the log has answered, or at once when the
// message cannot be sent. It does not end with the request: a lead that is on its way
// when its sender hangs up arrives all the same.
func (g *Gateway) produce(cl *kgo.Client, t leadroute.Topic, key leadroute.LeadID, msg any, then func(error)) {
	value, err := leadroute.Encode(msg)
	if err != nil {
		then(err)
		return
	}
	cl.TryProduce(context.Background(), &kgo.Record{Topic: g.cfg.Stream.Namespace.Topic(t), Key: []byte(key), Value: value},
		func(_ *kgo.Record, err error) {
			g.noteLog(err)
			then(err)
		})
}

// noteLog logs once that the log went away and once that it came back.
func (g *Gateway) noteLog(err error) {
	switch {
	case err == nil && g.away.Load():
		if g.away.CompareAndSwap(true, false) {
			g.cfg.Stream.Log.Info("log answers again")
		}
	case err != nil && !errors.Is(err, kgo.ErrMaxBuffered) && !errors.Is(err, context.Canceled): // nor when the sender hung up
		if g.away.CompareAndSwap(false, true) {
			g.cfg.Stream.Log.Error("log does not take messages", "error", err)
		}
	}
}

// send looks rec up in the window and, if it is fresh, sends it. The place that rec
// holds in the door is given back when the log has answered.
func (g *Gateway) send(cl *kgo.Client, rec *record, at time.Time) {
	rec.flight, rec.seen = g.window.begin(rec.lead.ID, at)
	if rec.seen != fresh {
		g.load.leave(1)
		return
	}
	f := rec.flight
	g.produce(cl, leadroute.Inbox(g.load.class(rec.slot)), rec.lead.ID, &rec.lead, func(err error) {
		now := g.cfg.Stream.Clock()
		if err == nil {
			g.metrics.acked.Observe(now.Sub(at).Seconds())
		}
		g.window.settle(f, err, now)
		g.load.leave(1)
	})
}

// wait is await for a post: a log that does not answer in time is noted.
func (g *Gateway) wait(ctx context.Context, rec *record) (accepted bool, err error) {
	accepted, err = rec.await(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		g.noteLog(err)
	}
	return accepted, err
}

// await waits until the log has rec, or has not taken it, or ctx ends; accepted is
// false for a duplicate.
func (rec *record) await(ctx context.Context) (accepted bool, err error) {
	if rec.seen == already {
		return false, nil
	}
	select {
	case <-rec.flight.done:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if rec.flight.err != nil {
		return false, rec.flight.err
	}
	// Of several posts of one lead the first to learn of its arrival was accepted. That
	// need not be the one that sent it: it may have given up waiting.
	return rec.flight.told.CompareAndSwap(false, true), nil
}

// event records what the door did with a lead. It is not waited for; one that is lost is
// counted. There are at most as many on their way as leads may be, so that a sender of
// rubbish never takes the client's buffer from the leads.
func (g *Gateway) event(cl *kgo.Client, step leadroute.Step, rec *record, plan leadroute.PlanID) {
	l := &rec.lead
	id := l.ID
	if id == "" {
		id = leadroute.LeadID(l.Receipt)
	}
	ev := &leadroute.LatencyEvent{
		Lead: id, Step: step, N: xxhash.Sum64String(l.Receipt), Class: rec.class, Source: l.Source, Plan: plan,
		EmittedAt: l.EmittedAt, ReceivedAt: l.ReceivedAt, At: l.ReceivedAt, SinceEmit: leadroute.Elapsed(l.Since(), l.ReceivedAt),
	}
	if len(rec.problems) > 0 {
		ev.Reason = reason(rec.problems[0])
	}
	if g.events.Add(1) > int64(g.cfg.MaxInFlight) {
		g.events.Add(-1)
		g.metrics.eventsLost.Inc()
		return
	}
	g.produce(cl, leadroute.TopicEvents, id, ev, func(err error) {
		g.events.Add(-1)
		if err != nil {
			g.metrics.eventsLost.Inc()
		}
	})
}

// reason is a problem's code and pointer, without anything the sender may have written
// into a member's name.
func reason(p Problem) string {
	if p.Pointer == "" || len(p.Pointer) > 64 {
		return p.Code
	}
	for i := range len(p.Pointer) {
		if c := p.Pointer[i]; c != '/' && c != '.' && !validID(string(c)) {
			return p.Code
		}
	}
	return p.Code + " " + p.Pointer
}
