package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/embedded"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/sink"
)

// slaOutput runs the command and returns what it printed.
func slaOutput(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := newSLA()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

func TestSLACommand(t *testing.T) {
	ch, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: t.TempDir(), Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	data := t.TempDir()
	run, err := json.Marshal(apiclient.Run{ClickHouse: ch.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, apiclient.RunFile), run, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := slaOutput(t.Context(), "--data", data); err == nil || !strings.Contains(err.Error(), `no database "leadroute"`) {
		t.Errorf("sla before the first run = %v, want an error that names the missing database", err)
	}

	base := leadroute.At(time.Now().Add(-10 * time.Minute))
	lead := func(id leadroute.LeadID, ms int64) []leadroute.LatencyEvent {
		e := leadroute.LatencyEvent{Lead: id, Rev: 1, Step: leadroute.StepReceived, Class: "P0", SLA: 60_000, EmittedAt: base, ReceivedAt: base, At: base}
		d := e
		d.Step, d.Destination, d.SinceEmit, d.At = leadroute.StepDelivered, "crm", ms, base+leadroute.Millis(ms)
		return []leadroute.LatencyEvent{e, d}
	}
	stored(t, ch, append(append(lead("a", 40), lead("b", 50)...), lead("c", 90_000)...))

	out, err := slaOutput(t.Context(), "--data", data)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if want := "P0 all 3 3 50 ms 90.0 s 90.0 s 66.67 % 1 0 0"; len(lines) != 3 || strings.Join(strings.Fields(lines[1]), " ") != want {
		t.Errorf("sla printed\n%s\nwant a header, %q and one hour", out, want)
	}
	if out, err = slaOutput(t.Context(), "--data", data, "--json"); err != nil {
		t.Fatal(err)
	}
	var r slaReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Classes) != 1 || r.Classes[0].Breaches != 1 || len(r.Buckets) != 1 || strings.Count(out, "\n") != 1 {
		t.Errorf("sla --json printed %s (%v), want one line with one class of one breach", out, err)
	}
	if out, err = slaOutput(t.Context(), "--data", data, "--since", "1s"); err != nil || !strings.HasPrefix(out, "no leads received since ") {
		t.Errorf("sla of a span without leads printed %q (%v)", out, err)
	}

	wrong := strings.Replace(ch.DSN(), "://leadroute:", "://leadroute:x", 1)
	_, err = slaOutput(t.Context(), "--clickhouse", wrong)
	if _, ok := errors.AsType[*sink.LoginError](err); !ok {
		t.Errorf("sla with a wrong password = %v, want a LoginError", err)
	}
}

func TestSLACommandSaysWhatToDo(t *testing.T) {
	empty := t.TempDir()
	for _, args := range [][]string{
		{"--data", empty}, {"--clickhouse", "127.0.0.1:1"}, {"--clickhouse", "http://x"}, {"--bucket", "1ms"},
	} {
		if _, err := slaOutput(t.Context(), args...); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("sla %v = %v, want an error of one line", args, err)
		}
	}
}

// stored carries events the real way, through a broker and the sink.
func stored(t *testing.T, ch *embedded.ClickHouse, events []leadroute.LatencyEvent) {
	t.Helper()
	b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	topic := leadroute.Namespace("").Topic(leadroute.TopicEvents)
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.DefaultProduceTopic(topic), stream.Partitioner())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		v, err := leadroute.Encode(&e)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ProduceSync(t.Context(), &kgo.Record{Key: []byte(e.Lead), Value: v}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	a, err := sink.ParseAddress(ch.DSN())
	if err != nil {
		t.Fatal(err)
	}
	db, err := sink.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := sink.New(sink.Config{Brokers: b.Addrs(), DB: db})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if err := s.CaughtUp(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
