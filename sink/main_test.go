package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/embedded"
)

// server is the ClickHouse of all tests; each works in a database of its own.
var server *embedded.ClickHouse

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(processEnv) != "" {
		return process()
	}
	dir, err := os.MkdirTemp("", "sink")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err = embedded.StartClickHouse(context.Background(), embedded.ClickHouseOptions{Dir: filepath.Join(dir, "clickhouse"), Progress: os.Stderr, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // no engine, no tests: not a reason to pass
		return 1
	}
	defer server.Stop()
	return m.Run()
}

// address is a database for one test, which does not exist yet.
func address(t testing.TB) Address {
	t.Helper()
	a, err := ParseAddress(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	a.Database = "t_" + strings.ToLower(strings.NewReplacer("/", "_", "=", "_").Replace(t.Name()))
	return a
}

func open(t testing.TB, a Address) *DB {
	t.Helper()
	db, err := Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

const partitions = 4

// brokers starts a broker with the topics that the sink uses and returns a client of it.
func brokers(t testing.TB) (*embedded.Broker, *kgo.Client) {
	t.Helper()
	b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.DefaultProduceTopic(leadroute.Namespace("").Topic(leadroute.TopicEvents)),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, topic := range []leadroute.Topic{leadroute.TopicEvents, leadroute.TopicDeadLetters} {
		if _, err := kadm.NewClient(c).CreateTopic(t.Context(), partitions, 1, nil, leadroute.Namespace("").Topic(topic)); err != nil {
			t.Fatal(err)
		}
	}
	return b, c
}

// produce writes events and returns when the log has them.
func produce(t testing.TB, c *kgo.Client, events ...leadroute.LatencyEvent) {
	t.Helper()
	var records []*kgo.Record
	for i := range events {
		v, err := leadroute.Encode(&events[i])
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, &kgo.Record{Key: []byte(events[i].Lead), Value: v})
	}
	if err := c.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// sample is n events of n/5 leads, each with an identity of its own.
func sample(n int) []leadroute.LatencyEvent {
	base := leadroute.At(time.Now().Add(-time.Hour))
	steps := []leadroute.Step{leadroute.StepReceived, leadroute.StepDecided, leadroute.StepOffered, leadroute.StepAssigned, leadroute.StepDelivered}
	events := make([]leadroute.LatencyEvent, n)
	for i := range events {
		lead, k := i/len(steps), i%len(steps)
		since := int64(k * 3)
		at := base + leadroute.Millis(lead*7)
		events[i] = leadroute.LatencyEvent{
			Lead: leadroute.LeadID(fmt.Sprintf("L%08x-%04d", lead*2654435761%(1<<32), lead)), Rev: 1, Step: steps[k], N: uint64(k + 1),
			Class: leadroute.Class(fmt.Sprintf("P%d", lead%3)), Source: "web", Rule: "emea", Territory: "emea", Pool: "emea_smb",
			Rep: leadroute.RepID(fmt.Sprintf("rep%d", lead%60)), Destination: "crm", Attempt: 1, Outcome: "200", Plan: "5f3a9c01",
			EmittedAt: at, ReceivedAt: at, At: at.Add(time.Duration(since) * time.Millisecond), SinceEmit: since, SincePrev: 3, SLA: 60_000, Cost: 120,
		}
		if steps[k] == leadroute.StepDecided {
			events[i].Decision = &leadroute.Decision{
				Fields: json.RawMessage(fmt.Sprintf(`{"company":"Example %d","tags":["a","b"]}`, lead)), Said: json.RawMessage(`{"class":"P0","rule":"emea"}`),
			}
		}
	}
	return events
}

// running runs a sink until the test or stop ends it.
func running(t testing.TB, cfg Config) (s *Sink, stop func()) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run = %v, want nil after a clean stop", err)
			}
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// settled waits until the sink has caught up, and returns what is in the table.
func settled(t testing.TB, s *Sink, db *DB) Audit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := s.CaughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	a, err := db.Audit(ctx)
	for err != nil && ctx.Err() == nil { // see progressed
		a, err = db.Audit(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func want(t testing.TB, got Audit, n int) {
	t.Helper()
	if got != (Audit{Rows: uint64(n), Distinct: uint64(n), Decisions: uint64(n) / 5}) {
		t.Errorf("in ClickHouse: %+v, want each of %d events once, and the decision of each fifth", got, n)
	}
}

func isLogin(err error) bool {
	_, ok := errors.AsType[*LoginError](err)
	return ok
}
