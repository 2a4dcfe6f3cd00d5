package clock_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/clock"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

// BenchmarkPending1M starts a clock on a million pending timers, then sets a thousand
// that fall due one a millisecond, and reports how late they arrive in the ledger's inbox.
func BenchmarkPending1M(b *testing.B) {
	const pending, fired = 1_000_000, 1000
	for b.Loop() {
		k := kafkatest.Start(b, nil)
		cl := k.Client(kgo.MaxBufferedRecords(100_000), kgo.ProducerLinger(5*time.Millisecond))
		far := leadroute.At(time.Now().Add(24 * time.Hour))
		for i := range pending {
			t := retry(fmt.Sprintf("lead-%032d", i), far+leadroute.Millis(i))
			cl.Produce(b.Context(), k.Record(leadroute.TopicTimers, t.Key(), t), nil)
		}
		if err := cl.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		heap := heapNow()
		c, err := clock.New(clock.Config{Stream: k.Config})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(b.Context())
		over := make(chan error, 1)
		begun := time.Now()
		go func() { over <- c.Run(ctx) }()

		ready := retry("ready", 1)
		kafkatest.Send(b, cl, k.Record(leadroute.TopicTimers, ready.Key(), ready))
		due := map[leadroute.LeadID]leadroute.Millis{}
		var late []time.Duration
		k.Read(leadroute.TopicLedger).Until("all timers fired", func(r *kgo.Record) bool {
			m, err := leadroute.Decode[leadroute.LedgerMessage](r.Value)
			if err != nil {
				b.Fatal(err)
			}
			if m.Due.Lead == "ready" && len(due) == 0 {
				b.ReportMetric(time.Since(begun).Seconds(), "recovery-s")
				first := leadroute.At(time.Now().Add(500 * time.Millisecond))
				var rs []*kgo.Record
				for i := range fired {
					t := retry(fmt.Sprint("soon-", i), first+leadroute.Millis(i))
					due[t.Lead] = t.Due
					rs = append(rs, k.Record(leadroute.TopicTimers, t.Key(), t))
				}
				kafkatest.Send(b, cl, rs...)
			} else if at, ok := due[m.Due.Lead]; ok {
				late = append(late, time.Since(at.Time()))
				delete(due, m.Due.Lead)
			}
			return len(due) > 0 || len(late) == 0
		})
		b.ReportMetric(float64(heapNow()-heap)/pending, "B/timer")
		slices.Sort(late)
		b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "late-p50-ms")
		b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "late-p99-ms")
		b.ReportMetric(float64(late[len(late)-1].Microseconds())/1000, "late-max-ms")
		b.ReportMetric(late[len(late)-1].Seconds(), "of-limit") // late by less than a second
		stop()
		if err := <-over; err != nil {
			b.Fatal(err)
		}
	}
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
