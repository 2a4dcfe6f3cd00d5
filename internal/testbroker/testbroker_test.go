package testbroker

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// On either broker: what is produced is consumed, and two tests do not see each other.
func TestRoundTrip(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, b := Start(t), Start(t)
	if given := os.Getenv(Env) != ""; a.Given != given {
		t.Errorf("Given = %t, want %t", a.Given, given)
	}
	if a.Namespace == b.Namespace {
		t.Fatalf("two tests have the namespace %s", a.Namespace)
	}
	for _, log := range []Log{a, b} {
		topic := log.Namespace.Topic(leadroute.TopicEvents)
		cl := client(t, log, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if _, err := kadm.NewClient(cl).CreateTopic(ctx, 4, 1, nil, topic); err != nil {
			t.Fatalf("create %s: %v", topic, err)
		}
		want := string(log.Namespace)
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(want)}).FirstErr(); err != nil {
			t.Fatalf("produce to %s: %v", topic, err)
		}
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("consume %s: %v", topic, err)
		}
		if got := fetches.Records(); len(got) != 1 || string(got[0].Value) != want {
			t.Errorf("%s holds %v, want %q alone", topic, got, want)
		}
	}
}

// A given broker is left as it was found.
func TestGivenBrokerIsCleanedUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	outer := Start(t)
	t.Setenv(Env, outer.Brokers[0])
	adm := kadm.NewClient(client(t, outer))
	var topic string
	t.Run("a test that makes a topic", func(t *testing.T) {
		log := Start(t)
		topic = log.Namespace.Topic(leadroute.TopicEvents)
		if _, err := adm.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
			t.Fatalf("create %s: %v", topic, err)
		}
	})
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(topics.Names(), topic) {
		t.Errorf("the broker has %s after its test has ended", topic)
	}
}

func client(t *testing.T, log Log, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(log.Brokers...)}, opts...)...)
	if err != nil {
		t.Fatalf("NewClient(%v): %v", log.Brokers, err)
	}
	t.Cleanup(cl.Close)
	return cl
}
