package stream

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Defaults of a Config.
const (
	DefaultSessionTimeout = 6 * time.Second
	DefaultPartitions     = 8
	heartbeatInterval     = 300 * time.Millisecond
	commitInterval        = 200 * time.Millisecond
)

// Config is what every member of one deployment on one log has in common, and this
// member's identity.
type Config struct {
	Brokers   []string // host:port, at least one
	Namespace leadroute.Namespace
	// InstanceID makes this process a static member of its groups, so that a restart
	// within SessionTimeout takes over its partitions at once and without a rebalance. It
	// must be unique per process and the same after a restart. Empty: an ordinary member.
	InstanceID string
	// Partitions is the count of every partitioned topic, a power of two, 8 if zero. It can
	// never be changed for a deployment that has data: a key would move.
	Partitions int32
	// Replication is the replication factor of topics that are created; 0 is the broker's default.
	Replication int
	// SessionTimeout is how long the broker waits for a silent member, 6 s if zero (brokers
	// refuse less than their group.min.session.timeout.ms, 6 s by default). The producers'
	// delivery timeout and the stall guard are derived from it.
	SessionTimeout time.Duration
	// Clock is the time against which the future of a record is bounded; time.Now if nil.
	Clock func() time.Time
	Log   *slog.Logger // slog.Default if nil
	// Metrics counts, if not nil; one registerer may be shared by all of a process's stages.
	Metrics prometheus.Registerer
}

// withDefaults checks c and fills in what is zero.
func (c Config) withDefaults() (Config, error) {
	if len(c.Brokers) == 0 {
		return c, errors.New("stream: no brokers")
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	if err := checkPartitions(c.Partitions); err != nil {
		return c, err
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = DefaultSessionTimeout
	}
	if c.SessionTimeout < 4*heartbeatInterval {
		return c, errors.New("stream: session timeout below 1.2 s leaves no room for heartbeats")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// deliveryTimeout bounds how long a produced record may be retried. Below the session
// timeout, so that what a member wrote is settled before its partitions have a new owner.
func (c Config) deliveryTimeout() time.Duration { return c.SessionTimeout * 2 / 3 }

// Options are the options of every franz-go client of the product: brokers, partitioner,
// acks of all in-sync replicas, idempotent, no linger (a lone record leaves at once; under
// load the records that meanwhile arrived share a batch), the log. Group options are a
// consumer's own.
func (c Config) Options() []kgo.Opt {
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	kl := kgoLog{log, awayBrokers}
	return []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("leadroute"),
		Partitioner(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0),
		// At 1 kB a record lz4 costs as much CPU as it saves the broker; from 16 kB on it would pay.
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.DialTimeout(2 * time.Second),
		// A broker that went away is looked for again soon: the default of 10 s between
		// attempts at a dead broker's metadata would be the length of our outage.
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.DisableClientMetrics(),
		kgo.WithLogger(kl),
		kgo.WithHooks(kl),
	}
}
