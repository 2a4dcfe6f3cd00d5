package stream_test

import (
	"hash/fnv"
	"testing"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/leadroute/leadroute/processors/stream"
)

// Goka puts a row where sarama's hash partitioner with FNV-1a puts its key.
func TestHashersAgree(t *testing.T) {
	b := startBroker(t)
	const n = 8
	b.ensure(t, stream.TopicSpec{Name: "h", Partitions: n})
	cl := b.client(t)
	theirs := sarama.NewCustomHashPartitioner(fnv.New32a)("h")
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.StringN(1, 40, -1), 1, 50).Draw(t, "keys")
		records := make([]*kgo.Record, len(keys))
		for i, k := range keys {
			records[i] = &kgo.Record{Topic: "h", Key: []byte(k)}
		}
		if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for i, k := range keys {
			want, err := theirs.Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(k)}, n)
			if err != nil {
				t.Fatal(err)
			}
			if got := records[i].Partition; got != want {
				t.Errorf("franz-go puts %q into partition %d, Goka into %d", k, got, want)
			}
			if got := stream.PartitionOf(k, n); got != want {
				t.Errorf("PartitionOf(%q) = %d, want %d", k, got, want)
			}
		}
	})
}
