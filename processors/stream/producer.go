package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// errForeignWrite is why a member stopped that found another's record among its own.
var errForeignWrite = errors.New("another member wrote to a table partition of ours")

// producer is franz-go behind Goka's Producer: idempotent with requests in flight (sarama
// allows one), and no linger (Goka's is 100 ms, the whole of its latency). It also sends a
// stage's effects.
//
// A record that is not acknowledged within the delivery timeout fails, and with it the
// stage, which replays; that it may have been written all the same is why every decision
// is idempotent.
type producer struct {
	cl      *kgo.Client
	table   string
	failed  func(error) // told of every failure
	closing sync.Once

	mu   sync.Mutex
	next map[int32]int64 // of the table's partitions that are ours: the offset of the next write
}

func newProducer(cfg Config, table string, g *guard, failed func(error)) (*producer, error) {
	p := &producer{table: table, failed: failed, next: map[int32]int64{}}
	opts := append(cfg.Options(),
		kgo.Dialer(g.DialContext),
		kgo.RecordDeliveryTimeout(cfg.deliveryTimeout()),
		kgo.ProduceRequestTimeout(cfg.deliveryTimeout()),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.UnknownTopicRetries(4),
		kgo.MaxBufferedRecords(20_000), // beyond it the stage waits
	)
	var err error
	if p.cl, err = kgo.NewClient(opts...); err != nil {
		return nil, fmt.Errorf("stream: producer: %w", err)
	}
	return p, nil
}

// send produces one record; done is told how it went. A nil value is a tombstone.
func (p *producer) send(topic, key string, value []byte, done func(error)) {
	p.cl.Produce(context.Background(), &kgo.Record{Topic: topic, Key: []byte(key), Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			err = fmt.Errorf("produce to %s: %w", topic, err)
			p.failed(err)
		}
		done(err)
	})
}

// Emit is Goka's, which has no use for it here.
func (p *producer) Emit(topic, key string, value []byte) *goka.Promise {
	return p.EmitWithHeaders(topic, key, value, nil)
}

// EmitWithHeaders is Goka's, for the writes to the table.
func (p *producer) EmitWithHeaders(topic, key string, value []byte, headers goka.Headers) *goka.Promise {
	promise, finish := goka.NewPromiseWithFinisher()
	r := &kgo.Record{Topic: topic, Key: []byte(key), Value: value}
	for k, v := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: k, Value: v})
	}
	p.cl.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		if err == nil && topic == p.table {
			err = p.wrote(r.Partition, r.Offset)
		}
		if err != nil {
			err = fmt.Errorf("produce to %s: %w", topic, err)
			p.failed(err)
			finish(nil, err)
			return
		}
		finish(&sarama.ProducerMessage{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}, nil)
	})
	return promise
}

// wrote checks that our writes to a partition follow one another without a hole:
// acknowledgements of a partition come in order, so a hole is somebody else's record.
func (p *producer) wrote(partition int32, offset int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next, ours := p.next[partition]; ours && offset != next {
		return errForeignWrite
	}
	p.next[partition] = offset + 1
	return nil
}

// own writes the barrier of an epoch to the table's partitions and begins to watch them.
func (p *producer) own(ctx context.Context, partitions []int32, keys []string, epoch int64) error {
	p.mu.Lock()
	clear(p.next)
	p.mu.Unlock()
	rs := make([]*kgo.Record, len(partitions))
	for i, part := range partitions {
		rs[i] = &kgo.Record{
			Topic: p.table, Key: []byte(keys[part]),
			Headers: []kgo.RecordHeader{{Key: stampHeader, Value: stamp{epoch: epoch}.bytes()}},
		}
	}
	for _, res := range p.cl.ProduceSync(ctx, rs...) {
		if res.Err != nil {
			return fmt.Errorf("write barrier to %s: %w", p.table, res.Err)
		}
		if err := p.wrote(res.Record.Partition, res.Record.Offset); err != nil {
			return err
		}
	}
	return nil
}

// abort fails what is buffered: the partitions are no longer ours.
func (p *producer) abort(ctx context.Context) { _ = p.cl.AbortBufferedRecords(ctx) }

// Close sends what is buffered, for two seconds at most, and closes the client.
func (p *producer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := p.cl.Flush(ctx)
	p.close()
	return err
}

// close fails what is buffered and closes the client.
func (p *producer) close() { p.closing.Do(p.cl.Close) }
