package stream

import (
	"hash"
	"log/slog"
	"time"

	"github.com/lovoo/goka"

	"github.com/leadroute/leadroute"
)

// ForTester builds the stage's Goka processor for a test without a broker, wired to t; the
// package streamtest makes it comfortable. now is the clock. The
// tester has one partition and in-memory topics: it shows what a stage decides, stores and
// sends, nothing of ordering, recovery or crashes.
func ForTester[S, M any](ns leadroute.Namespace, st Stage[S, M], t goka.Tester, log *slog.Logger, now func() time.Time) (*goka.Processor, error) {
	c, err := newCore(Config{Brokers: []string{"none"}, Namespace: ns, Partitions: 1, Clock: now, Log: log}, &st)
	if err != nil {
		return nil, err
	}
	r := &run{core: c, cancel: func() {}, stores: map[int32]*tableStore{}}
	return goka.NewProcessor(nil, c.graph(r), goka.WithTester(t), goka.WithNilHandling(goka.NilProcess),
		goka.WithLogger(gokaLog{c.cfg.Log}),
		goka.WithProducerBuilder(func(brokers []string, id string, h func() hash.Hash32) (goka.Producer, error) {
			p, err := t.ProducerBuilder()(brokers, id, h)
			r.send = func(topic, key string, value []byte, done func(error)) {
				p.Emit(topic, key, value).Then(done)
			}
			return p, err
		}))
}
