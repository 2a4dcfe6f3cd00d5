package stream

import (
	"fmt"
	"math/bits"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Partitioner is the one way in which this product assigns keys to partitions: FNV-1a as
// Goka and sarama do it. Every franz-go client that produces must use it; with kgo's own
// default a key's messages land where the owner of its row never looks.
func Partitioner() kgo.Opt {
	return kgo.RecordPartitioner(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a)))
}

// PartitionOf returns the partition of key among n partitions; n is a power of two.
func PartitionOf(key string, n int32) int32 {
	h := int32(fnv32a([]byte(key))) //nolint:gosec // the wrap-around is Goka's
	if h < 0 {
		h = -h
	}
	// -h of the smallest int32 is itself; masking instead of the remainder keeps it inside.
	return h & (n - 1)
}

// checkPartitions refuses a count that is not a power of two: Goka negates the hash to
// make it positive, which the smallest int32 survives, and with another count its
// remainder is a negative partition.
func checkPartitions(n int32) error {
	if n < 1 || bits.OnesCount32(uint32(n)) != 1 {
		return fmt.Errorf("partition count %d is not a power of two", n)
	}
	return nil
}

func fnv32a(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
