package stream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

func TestEnsureTopicsCreatesAllAndIsIdempotent(t *testing.T) {
	b := startBroker(t)
	specs := stream.Specs(ns, []leadroute.Class{"P0", "P1"}, []leadroute.DestinationID{"crm"}, 4)
	b.ensure(t, specs...)
	b.ensure(t, specs...)
	for _, s := range specs {
		info := b.cluster.TopicInfo(s.Name)
		if info == nil {
			t.Errorf("topic %s does not exist", s.Name)
			continue
		}
		if got := len(b.cluster.PartitionInfos(s.Name)); got != int(s.Partitions) {
			t.Errorf("topic %s has %d partitions, want %d", s.Name, got, s.Partitions)
		}
		policy, retention := config(t, b, s.Name, "cleanup.policy"), config(t, b, s.Name, "retention.ms")
		switch {
		case s.Compact && policy != "compact":
			t.Errorf("topic %s has cleanup.policy %q, want compact", s.Name, policy)
		case !s.Compact && (policy != "delete" || retention == ""):
			t.Errorf("topic %s has cleanup.policy %q and retention.ms %q, want delete and a figure", s.Name, policy, retention)
		}
	}
	for _, want := range []string{
		"test.inbox.P0", "test.inbox.P1", "test.ledger", "test.ledger-table", "test.pools-table", "test.reps-table", "test.accounts-table",
		"test.deliveries.crm.P0", "test.deliveries.crm.P1", "test.departures", "test.timers", "test.events", "test.dead-letters", "test.policies",
	} {
		if b.cluster.TopicInfo(want) == nil {
			t.Errorf("Specs lacks %s", want)
		}
	}
}

func TestEnsureTopicsRefusesWhatWouldLoseData(t *testing.T) {
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: "a", Partitions: 4, Retention: time.Hour})
	adm := kadm.NewClient(b.client(t))
	for _, c := range []struct {
		spec stream.TopicSpec
		want string
	}{
		{stream.TopicSpec{Name: "a", Partitions: 8}, "topic a has 4 partitions, not 8"},
		{stream.TopicSpec{Name: "a", Partitions: 4, Compact: true}, "cleanup.policy=delete"},
		{stream.TopicSpec{Name: "b", Partitions: 4, Replication: 3}, "create topic b"},
	} {
		err := stream.EnsureTopics(t.Context(), adm, []stream.TopicSpec{c.spec})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("EnsureTopics(%+v) = %v, want an error with %q", c.spec, err, c.want)
		}
	}
}

func config(t *testing.T, b *broker, topic, key string) string {
	t.Helper()
	res, err := kadm.NewClient(b.client(t)).DescribeTopicConfigs(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res {
		for _, c := range r.Configs {
			if c.Key == key {
				return c.MaybeValue()
			}
		}
	}
	return ""
}
