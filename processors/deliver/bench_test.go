package deliver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

// BenchmarkDeliver sends deliveries that wait in the log to a webhook receiver on
// loopback that answers at once, and counts until the ledger's inbox has all outcomes.
// CPU is the whole process's: worker, embedded broker, receiver and this reader.
func BenchmarkDeliver(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer receiver.Close()
	k := kafkatest.Start(b, classes, "crm")
	d := plan.Destination{Name: "crm", Webhook: &plan.Webhook{
		URL:  plan.Secret{Literal: receiver.URL},
		Sign: "standard-webhooks", Key: plan.Secret{Literal: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
	}}
	c, err := connector.New(connector.Builtin, &d, nil)
	if err != nil {
		b.Fatal(err)
	}
	cl := k.Client(kgo.MaxBufferedRecords(100_000))
	for i := range b.N {
		v := asked(lead(i), 1, classes[i%3])
		v.Fields = fmt.Appendf(nil, `{"email":"lead%d@example.com","company":"Example %d","company_size":%d,"region":"emea","note":"%0400d"}`, i, i, i, i)
		cl.Produce(b.Context(), k.Record(leadroute.Deliveries("crm", v.Class), string(v.Lead), v), nil)
	}
	if err := cl.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	w, err := deliver.New(deliver.Config{Stream: k.Config, Destination: d, Connector: c, Classes: classes})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	over := make(chan error, 1)
	b.ResetTimer()
	cpu, begun := cpuTime(b), time.Now()
	go func() { over <- w.Run(ctx) }()
	n := 0
	k.Read(leadroute.TopicLedger).Until("all outcomes", func(*kgo.Record) bool {
		n++
		return n < b.N
	})
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "leads/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/lead")
	b.StopTimer()
	stop()
	if err := <-over; err != nil {
		b.Fatal(err)
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
