package stream_test

import (
	"context"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// copies is a stage that sends what it gets to a key of its own, without a row.
const copies leadroute.Topic = "copies"

// runner starts a stage that copies each message of copies to out under its text as key,
// committed by the wiring under test. failed returns when it has given up on an output for
// the first time, stop stops it.
type runner func(t *testing.T, b *broker) (failed, stop func())

// The loss hole. Two messages of one partition; the outputs of the first cannot be
// written. Goka as it comes commits past the first as soon as the second one's output is
// acknowledged, so that after a crash the first is never handled again.
func TestPartialProduceFailureLosesNothing(t *testing.T) {
	if lost := lossRun(t, stockCopies); !lost {
		t.Errorf("stock Goka lost nothing: the hole this wiring exists for is gone, or the test no longer opens it")
	}
	if lost := lossRun(t, ourCopies); lost {
		t.Errorf("our wiring lost the message whose output failed while a later one's succeeded")
	}
}

func lossRun(t *testing.T, run runner) (lost bool) {
	t.Helper()
	b := startBroker(t)
	b.ensure(t,
		stream.TopicSpec{Name: ns.Topic(copies), Partitions: 1},
		stream.TopicSpec{Name: ns.Table(copies), Partitions: 1, Compact: true},
		stream.TopicSpec{Name: ns.Topic(out), Partitions: 2},
		stream.TopicSpec{Name: ns.Topic(leadroute.TopicDeadLetters), Partitions: 1})
	// Keys of different partitions of out.
	var key [2]string
	for i := 0; key[0] == "" || key[1] == ""; i++ {
		k := name("k%d", i)
		key[stream.PartitionOf(k, 2)] = k
	}
	fault := b.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: ns.Topic(out), Partitions: []int32{0}, Err: kerr.NotEnoughReplicas, Count: -1,
	})
	cl := b.client(t)
	send(t, cl, record(copies, "lead", name(`{"text":%q}`, key[0])), record(copies, "lead", name(`{"text":%q}`, key[1])))

	reader := b.client(t, kgo.ConsumeTopics(ns.Topic(out)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	failed, stop := run(t, b)
	seen := map[string]bool{}
	until := func(k string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for !seen[k] {
			reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { seen[string(r.Key)] = true })
			if ctx.Err() != nil {
				t.Fatalf("output %s did not arrive", k)
			}
		}
	}
	until(key[1]) // the second one's output is safe, the first one's is not
	failed()      // and never will be in this life, whose session ends with a commit
	stop()
	fault.Remove()

	_, stop = run(t, b)
	send(t, cl, record(copies, "lead", `{"text":"last"}`)) // one more, behind both
	until("last")
	stop()
	return !seen[key[0]]
}

// stockCopies is Goka with its own configuration, but for reading from the start and for
// fewer retries; it ends by itself when its output fails.
func stockCopies(t *testing.T, b *broker) (failed, stop func()) {
	t.Helper()
	cfg := goka.DefaultConfig()
	cfg.Consumer.Offsets.Initial = -2 // oldest
	cfg.Producer.Retry.Max = 3
	tmc := goka.NewTopicManagerConfig()
	tmc.Table.Replication, tmc.Stream.Replication = 1, 1
	consumer, producer, group, topics := *cfg, *cfg, *cfg, *cfg
	p, err := goka.NewProcessor(b.config(t).Brokers, goka.DefineGroup(goka.Group(ns.Group(string(copies))),
		goka.Input(goka.Stream(ns.Topic(copies)), new(codec.Bytes), func(ctx goka.Context, m any) {
			n, err := leadroute.Decode[note](m.([]byte))
			if err != nil {
				ctx.Fail(err)
			}
			ctx.Emit(goka.Stream(ns.Topic(out)), n.Text, m)
		}),
		goka.Output(goka.Stream(ns.Topic(out)), new(codec.Bytes)),
	),
		goka.WithConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(&consumer)),
		goka.WithConsumerGroupBuilder(goka.ConsumerGroupBuilderWithConfig(&group)),
		goka.WithProducerBuilder(goka.ProducerBuilderWithConfig(&producer)),
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(&topics, tmc)),
		goka.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Run(ctx) // the produce error, the first time
	}()
	wait := func() { t.Helper(); await(t, "end of the stock processor", ended) }
	return wait, func() { t.Helper(); cancel(); wait() }
}

func ourCopies(t *testing.T, b *broker) (failed, stop func()) {
	t.Helper()
	cfg := b.config(t)
	cfg.Partitions = 1
	cfg.SessionTimeout = 2 * time.Second
	reg := prometheus.NewRegistry()
	cfg.Metrics = reg
	p, err := stream.New(cfg, stream.Stage[tally, note]{
		Name: copies,
		Apply: func(_ stream.Ctx, _ string, s *tally, m *note, _ leadroute.Millis) (*tally, []leadroute.Effect) {
			return s, []leadroute.Effect{{Topic: out, Key: m.Text, Value: m}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	failed = func() {
		t.Helper()
		eventually(t, "a restart by the supervisor", func() bool { return metric(t, reg, "leadroute_stage_restarts_total") > 0 })
	}
	return failed, running(t, p.Run)
}

type quiet struct{}

func (quiet) Print(...any)          {}
func (quiet) Println(...any)        {}
func (quiet) Printf(string, ...any) {}
