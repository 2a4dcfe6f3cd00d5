// Package testbroker gives a test a log to run on: the broker that LEADROUTE_TEST_BROKERS
// names, which make test-kafka sets to a real Apache Kafka, else an embedded one of its
// own. So one test runs on both. Tests that kill their broker want internal/kafkajvm or
// internal/embedded instead: a given broker is shared.
package testbroker

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Env is the environment variable with the given brokers: host:port, comma separated.
const Env = "LEADROUTE_TEST_BROKERS"

// Log is where a test writes and reads.
type Log struct {
	Brokers []string
	// Namespace is this test's alone, so that tests may share a broker. Its topics are
	// deleted when the test ends.
	Namespace leadroute.Namespace
	// Given is true for a broker from the environment.
	Given bool
}

// Start returns the log for this test. The options are for an embedded broker alone; it
// lives in memory and has one node, unless they say otherwise.
func Start(t testing.TB, opts ...kfake.Opt) Log {
	t.Helper()
	log := Log{Namespace: leadroute.Namespace("test-" + strings.ToLower(rand.Text()[:10]))}
	if given := os.Getenv(Env); given != "" {
		log.Brokers, log.Given = strings.Split(given, ","), true
		t.Cleanup(func() { log.deleteTopics(t) })
		return log
	}
	// A broker's own least session is 6 s; tests of takeovers cannot wait so long. The JVM
	// broker of internal/kafkajvm is set alike.
	defaults := []kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(500 * time.Millisecond)}
	cluster, err := kfake.NewCluster(append(defaults, opts...)...)
	if err != nil {
		t.Fatalf("start an embedded broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	log.Brokers = cluster.ListenAddrs()
	return log
}

// deleteTopics leaves a given broker as it was found.
func (l Log) deleteTopics(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // t.Context() has ended
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(l.Brokers...))
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		t.Errorf("clean up: list topics: %v", err)
		return
	}
	var ours []string
	for _, name := range topics.Names() {
		if _, ok := l.Namespace.Logical(name); ok {
			ours = append(ours, name)
		}
	}
	if len(ours) == 0 {
		return
	}
	if _, err := adm.DeleteTopics(ctx, ours...); err != nil {
		t.Errorf("clean up: delete topics: %v", err)
	}
}
