package loadgen

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

func BenchmarkItem(b *testing.B) {
	g := newTest(b, testOptions(b.N))
	var buf []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		buf = g.Item(i, buf).Body
	}
	b.SetBytes(int64(len(buf)))
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSend is the sender against a server that does nothing, one lead a request;
// cpu-us/op is both sides.
func BenchmarkSend(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"id":"L1","status":"accepted","class":"P1"}`)
	})}
	go func() { _ = srv.Serve(ln) }()
	defer func() { _ = srv.Close() }()
	g := newTest(b, testOptions(b.N))
	b.ResetTimer()
	before := cpu()
	tally, err := Send(context.Background(), SendOptions{URL: "http://" + ln.Addr().String(), Key: "k"}, g)
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leads/s")
	if tally.Requests != int64(b.N) {
		b.Errorf("%d requests for %d leads", tally.Requests, b.N)
	}
}
