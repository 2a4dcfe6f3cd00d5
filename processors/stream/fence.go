package stream

import (
	"encoding/binary"

	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// A table's partition has one owner at a time, but an owner that was stalled (SIGSTOP, a
// paused machine) may not know that it has a successor, and write once more: a zombie. The
// group refuses its commits; nothing in the log refuses its writes. So every record of a
// table carries the epoch of the ownership that wrote it, and whoever reads the table
// skips a record whose epoch is below one it has seen before it in the partition.
//
// A new owner takes an epoch above all earlier ones and, before it reads the table, writes
// a barrier of that epoch. What a zombie wrote ahead of the barrier, the new owner has read;
// what it writes behind it, nobody reads.
//
// Compaction keeps the last record of a key, a zombie's as well, so the row that it would
// hide is written again: at once, because an owner sees the hole that a foreign record
// makes in the offsets of its own writes and restarts (producer.go), or else at the next
// recovery (store.go). Tables are not compacted within the first minute.

// stampHeader carries, on every record of a table, the epoch of its writer and the row's
// time, 8 bytes each, big-endian.
const stampHeader = "lr"

// stamp is what a table's record says of its writing.
type stamp struct {
	epoch int64            // of the writer's ownership; 0: not written by this package
	at    leadroute.Millis // the row's time: that of the message that wrote it
}

func (s stamp) bytes() []byte {
	b := make([]byte, 0, 16)
	b = binary.BigEndian.AppendUint64(b, uint64(s.epoch)) //nolint:gosec // round trip
	return binary.BigEndian.AppendUint64(b, uint64(s.at)) //nolint:gosec // round trip
}

func parseStamp(b []byte) stamp {
	if len(b) != 16 {
		return stamp{}
	}
	return stamp{
		epoch: int64(binary.BigEndian.Uint64(b)),                //nolint:gosec // round trip
		at:    leadroute.Millis(binary.BigEndian.Uint64(b[8:])), //nolint:gosec // round trip
	}
}

func (s stamp) goka() goka.Headers { return goka.Headers{stampHeader: s.bytes()} }

func recordStamp(r *kgo.Record) stamp {
	for _, h := range r.Headers {
		if h.Key == stampHeader {
			return parseStamp(h.Value)
		}
	}
	return stamp{}
}

// barrierPrefix starts the keys of barriers, which are no rows. No id holds a zero byte.
const barrierPrefix = "\x00epoch-"

func isBarrier(key string) bool {
	return len(key) > len(barrierPrefix) && key[:len(barrierPrefix)] == barrierPrefix
}

// barrierKeys are keys that the partitioner puts into each of n partitions.
func barrierKeys(n int32) []string {
	keys := make([]string, n)
	for i, left := 0, n; left > 0; i++ {
		k := barrierPrefix + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		if p := PartitionOf(k, n); keys[p] == "" {
			keys[p] = k
			left--
		}
	}
	return keys
}
