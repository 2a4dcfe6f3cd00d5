package crmsim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReceive is the simulator alone, without a network.
func BenchmarkReceive(b *testing.B) {
	s := newSim(b, Options{})
	h := s.Handler()
	reqs := make([]*http.Request, b.N)
	for i := range reqs {
		reqs[i] = signed(b, parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ana"}, testSecret, time.Now())
	}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for _, r := range reqs {
		h.ServeHTTP(w, r)
	}
	b.StopTimer()
	if st := s.Stats(); st.Applied != b.N {
		b.Errorf("%d of %d applied", st.Applied, b.N)
	}
}

// BenchmarkLoopback is sender and simulator over HTTP/1.1 in one process; cpu-us/op is
// both sides, signing included.
func BenchmarkLoopback(b *testing.B) {
	s := newSim(b, Options{})
	url := start(b, s) + WebhookPath
	hook, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		b.Fatal(err)
	}
	const senders = 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	before := cpu()
	for range senders {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				p := parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ana"}
				body, id, now := p.body(), fmt.Sprintf("l%d/1", i), time.Now()
				sig, err := hook.Sign(id, now, body)
				if err != nil {
					b.Error(err)
					return
				}
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Webhook-Id", id)
				req.Header.Set("Webhook-Timestamp", fmt.Sprint(now.Unix()))
				req.Header.Set("Webhook-Signature", sig)
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	if st := s.Stats(); st.Applied != b.N {
		b.Errorf("%d of %d applied", st.Applied, b.N)
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkMemory reports what the CRM keeps of a lead.
func BenchmarkMemory(b *testing.B) {
	s := newSim(b, Options{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range b.N {
		deliver(b, s, parcel{lead: fmt.Sprintf("abcdefghijklmnopq%07d", i), rev: 1, owner: fmt.Sprintf("repna-%03d", i%60), email: fmt.Sprintf("maria.keller.%d@mediumorchidfalcon.example", i)})
	}
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/lead")
	if st := s.Stats(); st.Records != b.N {
		b.Errorf("%d records of %d leads", st.Records, b.N)
	}
}
