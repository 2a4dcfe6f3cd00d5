package deliver

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// newClient makes the one client that reads deliveries and writes outcomes. Offsets
// are committed only as far as the scheduler marks them.
func newClient(w *Worker, s *scheduler) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(w.cfg.Brokers...),
		kgo.ClientID("leadroute-deliver"),
		kgo.ConsumerGroup(w.Group()),
		kgo.ConsumeTopics(w.topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(commitEvery),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(6 * time.Second),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.RebalanceTimeout(w.cfg.Drain + 10*time.Second),
		// Small fetches bound the read-ahead: a paused class can overshoot by one of them.
		kgo.FetchMaxBytes(4 << 20),
		kgo.FetchMaxPartitionBytes(256 << 10),
		kgo.ProducerLinger(0),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a))),
		kgo.OnPartitionsAssigned(func(ctx context.Context, cl *kgo.Client, parts map[string][]int32) {
			s.assign(parts, partitions(ctx, cl, w.topics))
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, cl *kgo.Client, parts map[string][]int32) {
			s.revoke(parts, false)
			if err := cl.CommitMarkedOffsets(ctx); err != nil && !errors.Is(err, context.Canceled) {
				w.cfg.Log.Warn("offsets not committed, some deliveries will be repeated", "destination", w.cfg.Destination.Name, "error", err)
			}
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) { s.revoke(parts, true) }),
	}
	if w.cfg.Instance != "" {
		opts = append(opts, kgo.InstanceID(w.cfg.Instance))
	}
	return kgo.NewClient(append(opts, w.cfg.Kafka...)...)
}

// partitions counts the partitions of all the topics; 0 when the broker does not say.
func partitions(ctx context.Context, cl *kgo.Client, topics []string) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := kadm.NewClient(cl).ListTopics(ctx, topics...)
	if err != nil {
		return 0
	}
	n := 0
	for _, t := range found {
		n += len(t.Partitions)
	}
	return n
}

func fnv32a(b []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(b) // a hash never fails
	return h.Sum32()
}
