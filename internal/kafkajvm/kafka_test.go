//go:build kafka

package kafkajvm_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute/internal/kafkajvm"
)

const topic = "round-trip"

// What a broker acknowledged with acks=all is there after a SIGKILL and a restart, on the
// same address, and what comes later is appended to it.
func TestKilledBrokerComesBackWithItsData(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	broker := start(ctx, t, kafkajvm.Options{})
	addr := broker.Addr()
	createTopic(ctx, t, addr)

	produce(ctx, t, addr, 0, 1000)
	broker.Kill()
	if err := broker.Restart(ctx); err != nil {
		t.Fatalf("Restart after Kill: %v", err)
	}
	if got := broker.Addr(); got != addr {
		t.Errorf("Addr() after Restart = %s, want %s", got, addr)
	}
	produce(ctx, t, addr, 1000, 1100)

	seen := consume(ctx, t, addr, 1100)
	for i := range 1100 {
		if n := seen[value(i)]; n != 1 {
			t.Errorf("record %d came %d times after the restart, want 1", i, n)
		}
	}
}

// A folder that was stopped is a folder that can be opened again, by another broker.
func TestDataFolderOutlivesTheBroker(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "kafka")
	first := start(ctx, t, kafkajvm.Options{Dir: dir})
	createTopic(ctx, t, first.Addr())
	produce(ctx, t, first.Addr(), 0, 10)
	if err := first.Stop(); err != nil {
		t.Fatalf("Stop() = %v, want nil", err)
	}

	second := start(ctx, t, kafkajvm.Options{Dir: dir})
	if seen := consume(ctx, t, second.Addr(), 10); len(seen) != 10 {
		t.Errorf("the reopened folder holds %d records, want 10", len(seen))
	}
	if err := second.Restart(ctx); err == nil {
		t.Error("Restart of a running broker = nil, want an error")
	}
	if text, err := os.ReadFile(second.LogFile()); err != nil || bytes.Contains(text, []byte(" ERROR ")) {
		t.Errorf("the broker's log: %v\n%s\nwant no ERROR", err, text)
	}
}

func start(ctx context.Context, t *testing.T, opts kafkajvm.Options) *kafkajvm.Broker {
	t.Helper()
	opts.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	broker, err := kafkajvm.Start(ctx, opts)
	if err != nil {
		t.Fatalf("Start(%+v): %v", opts, err)
	}
	t.Cleanup(func() {
		if err := broker.Stop(); err != nil {
			t.Errorf("Stop() = %v, want nil", err)
		}
	})
	return broker
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RequiredAcks(kgo.AllISRAcks())}, opts...)...)
	if err != nil {
		t.Fatalf("NewClient(%s): %v", addr, err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func createTopic(ctx context.Context, t *testing.T, addr string) {
	t.Helper()
	if _, err := kadm.NewClient(client(t, addr)).CreateTopic(ctx, 8, 1, nil, topic); err != nil {
		t.Fatalf("CreateTopic(%s): %v", topic, err)
	}
}

func value(i int) string { return fmt.Sprintf("record %d", i) }

func produce(ctx context.Context, t *testing.T, addr string, from, to int) {
	t.Helper()
	var recs []*kgo.Record
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Key: fmt.Append(nil, i), Value: []byte(value(i))})
	}
	if err := client(t, addr).ProduceSync(ctx, recs...).FirstErr(); err != nil {
		t.Fatalf("produce records %d to %d: %v", from, to, err)
	}
}

// consume reads as a group, so that the coordinator is tried too, until it has n records.
func consume(ctx context.Context, t *testing.T, addr string, n int) map[string]int {
	t.Helper()
	cl := client(t, addr, kgo.ConsumeTopics(topic), kgo.ConsumerGroup("readers"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]int{}
	for got := 0; got < n; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s with %d of %d records there: %v", topic, got, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++; got++ })
	}
	return seen
}

// A test run that is killed leaves no broker behind.
func TestBrokerDiesWithItsParent(t *testing.T) {
	const asParent = "LEADROUTE_KAFKAJVM_PARENT"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if os.Getenv(asParent) != "" { // we are the parent that is killed
		broker := start(ctx, t, kafkajvm.Options{Dir: os.Getenv(asParent)})
		fmt.Printf("addr=%s\n", broker.Addr())
		<-ctx.Done()
		return
	}
	parent := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	parent.Env = append(os.Environ(), asParent+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "addr="); ok {
			addr = after
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"
	if addr == "" {
		t.Fatal("the parent ended before its broker answered")
	}
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if ctx.Err() != nil {
			t.Fatalf("the broker at %s outlives its parent", addr)
		}
		if err != nil {
			return // nobody listens any more
		}
		_ = conn.Close()
	}
}
