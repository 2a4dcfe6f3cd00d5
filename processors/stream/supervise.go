package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// How long a stop waits for what is on its way to the broker before it gives that up, and
// for the broker before it hangs up.
const (
	flushGrace = 500 * time.Millisecond
	stopGrace  = time.Second
)

// Run runs the stage until ctx ends, and returns nil then. A stage that stops (a broker
// away for longer than the clients retry, a record that was not acknowledged in time, a
// lost session) is built anew, after 100 ms at first and 2 s at most; nothing is lost by
// it, inputs that were not committed are handled again. It returns an error only for what
// no restart cures: a topic with the wrong partition count or cleanup policy.
func (p *Processor[S]) Run(ctx context.Context) error {
	c := p.core
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 100*time.Millisecond, 2*time.Second
	for {
		start := time.Now()
		err := c.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrTopic) {
			return err
		}
		if time.Since(start) > time.Minute {
			b.Reset()
		}
		wait := b.NextBackOff()
		c.metrics.restarts.Inc()
		c.cfg.Log.Warn("stage stopped, will restart", "stage", c.name, "cause", err, "after", wait)
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// runOnce is one life of the stage.
func (c *core) runOnce(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	r := &run{core: c, cancel: cancel, stores: map[int32]*tableStore{}}
	g := newGuard(c.cfg.SessionTimeout/2, func() { _ = r.fail(errStalled) })

	watch, unwatch := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.run(watch) })
	defer wg.Wait()
	defer unwatch()

	if err := c.ensureTopics(ctx, g); err != nil {
		return err
	}
	var err error
	if r.producer, err = newProducer(c.cfg, c.table, g, func(err error) { _ = r.fail(err) }); err != nil {
		return err
	}
	defer r.producer.close() // in case Goka did not get to it
	r.send = r.producer.send

	// When told to stop: what is on its way gets a moment, then nothing waits any more.
	wg.Go(func() {
		select {
		case <-watch.Done():
			return
		case <-ctx.Done():
		}
		if pause(watch, flushGrace) {
			abort, cancel := context.WithTimeout(watch, stopGrace-flushGrace)
			r.producer.abort(abort)
			cancel()
		}
		if pause(watch, stopGrace-flushGrace) {
			g.cutAll()
			r.producer.close() // fails what is left, for which Goka waits up to a minute
		}
	})

	p, err := goka.NewProcessor(c.cfg.Brokers, c.graph(r), r.options(g)...)
	if err != nil {
		return r.because(err)
	}
	c.mu.Lock()
	c.cur = r
	c.mu.Unlock()
	wg.Go(func() { c.sweep(ctx, r) })
	err = p.Run(ctx)
	cancel()
	c.mu.Lock()
	c.cur = nil
	c.mu.Unlock()
	return r.because(err)
}

// because prefers our own first cause, which names no keys, to Goka's account of it.
func (r *run) because(err error) error {
	if cause := r.failure(); cause != nil {
		return cause
	}
	return err
}

// ensureTopics creates what the stage cannot start without, so that no start order matters.
func (c *core) ensureTopics(ctx context.Context, g *guard) error {
	cl, err := kgo.NewClient(append(c.cfg.Options(), kgo.Dialer(g.DialContext))...)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	defer cl.Close()
	rep := int16(c.cfg.Replication) //nolint:gosec // a small number
	n := c.cfg.Partitions
	return EnsureTopics(ctx, kadm.NewClient(cl), []TopicSpec{
		{Name: c.inbox, Partitions: n, Retention: retentionOf(c.name), Replication: rep},
		{Name: c.table, Partitions: n, Compact: true, Replication: rep},
		{Name: c.cfg.Namespace.Topic(leadroute.TopicDeadLetters), Partitions: n, Retention: deadLetterRetention, Replication: rep},
	})
}
