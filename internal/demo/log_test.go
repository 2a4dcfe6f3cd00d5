package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

func pid() int { return os.Getpid() }

const ns = leadroute.Namespace("t")

func broker(t *testing.T, topics ...string) (*kgo.Client, []kgo.Opt) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	opts := []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, opts
}

func put(t *testing.T, c *kgo.Client, topic leadroute.Topic, key string, value any) {
	t.Helper()
	b, isBytes := value.([]byte)
	if !isBytes {
		var err error
		if b, err = leadroute.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: ns.Topic(topic), Key: []byte(key), Value: b}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestReadLog(t *testing.T) {
	topics := []string{ns.Topic(leadroute.TopicEvents), ns.Topic(leadroute.TopicDeadLetters)}
	for _, stage := range leadroute.Stages {
		topics = append(topics, ns.Table(stage))
	}
	client, opts := broker(t, topics...)
	empty, err := ReadLog(t.Context(), ns, opts...)
	if err != nil || empty.Events != 0 || len(empty.DeadLetters) != 0 {
		t.Fatalf("empty topics: %+v, %v", empty, err)
	}
	const leads = 200
	for i := range leads {
		id := leadroute.LeadID(fmt.Sprintf("L%d", i))
		events := []leadroute.LatencyEvent{
			{Lead: id, Rev: 1, Step: leadroute.StepReceived},
			{Lead: id, Rev: 1, Step: leadroute.StepAssigned, Rep: "ana"},
			{Lead: id, Rev: 1, Step: leadroute.StepAttemptFailed, N: 1},
			{Lead: id, Rev: 1, Step: leadroute.StepAttemptFailed, N: 2},
			{Lead: id, Rev: 1, Step: leadroute.StepAttemptFailed, N: 2}, // a copy at a new offset
		}
		if i%2 == 0 {
			// The second revision's event overtakes the first's, which comes once more.
			events = append(events, leadroute.LatencyEvent{Lead: id, Rev: 2, Step: leadroute.StepAssigned, Rep: "ben"}, events[1])
		}
		for k := range events {
			put(t, client, leadroute.TopicEvents, string(id), &events[k])
		}
	}
	put(t, client, leadroute.TopicDeadLetters, "L1", &leadroute.DeadLetter{ID: "L1/1/crm", Kind: leadroute.DeadDelivery, Lead: "L1", Reason: "410"})
	put(t, client, leadroute.TopicDeadLetters, "x", &leadroute.DeadLetter{ID: "x", Kind: leadroute.DeadMessage, Reason: "unreadable"})
	l, err := ReadLog(t.Context(), ns, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if want := leads*4 + leads/2; l.Events != want || l.Records != leads*5+leads || l.Trimmed != 0 {
		t.Errorf("%d distinct of %d events (%d trimmed), want %d of %d", l.Events, l.Records, l.Trimmed, want, leads*5+leads)
	}
	if l.Assigned["L2"] != (Assignment{2, "ben"}) || l.Assigned["L3"] != (Assignment{1, "ana"}) || len(l.Assigned) != leads {
		t.Errorf("assigned: L2 %+v, L3 %+v, %d leads", l.Assigned["L2"], l.Assigned["L3"], len(l.Assigned))
	}
	if len(l.DeadLetters) != 1 || l.DeadLetters["L1"][0] != "410" || l.Unreadable != 1 {
		t.Errorf("dead letters %v and %d unreadable, want L1's 410 and 1", l.DeadLetters, l.Unreadable)
	}

	for i := range 200 {
		put(t, client, leadroute.TopicReps+"-table", "ana", bytes.Repeat([]byte("x"), i+1))
	}
	put(t, client, leadroute.TopicReps+"-table", "\x00epoch-a", []byte("a barrier"))
	if l, err = ReadLog(t.Context(), ns, opts...); err != nil || l.Tables[leadroute.TopicReps] != (Sizes{200, 101, 199, 200}) {
		t.Errorf("sizes %+v, %v, want 200 writes of 1 to 200 bytes", l.Tables, err)
	}

	// What retention drops is told, not silently missing.
	drop := make(kadm.Offsets)
	drop.AddOffset(ns.Topic(leadroute.TopicEvents), 0, 10, -1)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), drop); err != nil {
		t.Fatal(err)
	}
	if l, err := ReadLog(t.Context(), ns, opts...); err != nil || l.Trimmed != 10 {
		t.Errorf("after 10 records were dropped: %+v, %v, want 10 trimmed", l, err)
	}
}

func TestReadLogFails(t *testing.T) {
	client, opts := broker(t, ns.Topic(leadroute.TopicEvents), ns.Topic(leadroute.TopicDeadLetters))
	if _, err := ReadLog(t.Context(), "other", opts...); err == nil || !strings.Contains(err.Error(), "other.events") {
		t.Errorf("missing topics: %v, want an error that names other.events", err)
	}
	put(t, client, leadroute.TopicEvents, "k", []byte("{"))
	if _, err := ReadLog(t.Context(), ns, opts...); err == nil || !strings.Contains(err.Error(), "offset 0") {
		t.Errorf("a record that is no event: %v, want an error that says where", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := ReadLog(ctx, ns, kgo.SeedBrokers("127.0.0.1:1")); err == nil {
		t.Error("no broker: ReadLog gave no error")
	}
}
