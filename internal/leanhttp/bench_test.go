package leanhttp

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkClient posts 450 bytes over loopback, 16 at once; cpu-us/op is client and
// server, of which the server is the same for both.
func BenchmarkClient(b *testing.B) {
	body := strings.Repeat("x", 450)
	for name, c := range map[string]*http.Client{
		"lean":    NewClient(16),
		"nethttp": {Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	} {
		b.Run(name, func(b *testing.B) {
			url, _, _ := echo(b)
			defer c.CloseIdleConnections()
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu()
			for range 16 {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if _, _, err := do(b.Context(), b, c, "POST", url, body); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
