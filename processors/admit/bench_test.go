package admit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAdmit is one lead from its inbox to the ledger's and its departure back.
// cpu-us/op is the whole process: the broker and the client that plays the ledger are in it.
func BenchmarkAdmit(b *testing.B) {
	h := newHouse(b)
	fields := json.RawMessage(fmt.Sprintf(`{"class":"P1","text":%q}`, strings.Repeat("text ", 80)))
	recs := make([]*kgo.Record, b.N)
	for i := range recs {
		id := fmt.Sprint("l", i)
		v, err := leadroute.Encode(&leadroute.Lead{ID: leadroute.LeadID(id), Receipt: id, ReceivedAt: leadroute.At(time.Now()), Fields: fields})
		if err != nil {
			b.Fatal(err)
		}
		recs[i] = &kgo.Record{Topic: "leadroute.inbox.P1", Key: []byte(id), Value: v}
	}
	if err := h.cl.ProduceSync(b.Context(), recs...).FirstErr(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	start := cpu()
	h.run(nil)
	for n := 0; n < b.N; {
		fs := h.cl.PollFetches(b.Context())
		fs.EachRecord(func(r *kgo.Record) {
			v, err := leadroute.Encode(&leadroute.Departure{Lead: leadroute.LeadID(r.Key)})
			if err != nil {
				b.Fatal(err)
			}
			h.cl.Produce(context.Background(), &kgo.Record{Topic: "leadroute.departures", Key: r.Key, Value: v}, nil)
			n++
		})
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-us/op")
}
