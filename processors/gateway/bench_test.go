package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// benchLead is a lead of some 480 bytes with its own e-mail, so that none is a duplicate.
func benchLead(n int64) string {
	return fmt.Sprintf(`{"email":"lead%d@example.com","first_name":"Ana","last_name":"Example","company":"Example Industries","title":"Head of Operations",`+
		`"phone":"+1 555 010 0199","country":"DE","region":"EMEA","intent":"demo_request","company_size":900,"arr":250000,"score":%d,`+
		`"tags":["webinar","pricing"],"source_url":"https://www.example.com/pricing/enterprise","scraped_at":"2026-01-14T10:00:00Z",`+
		`"emitted_at":"2026-01-14T10:00:00.123Z","consent":"2026-01-14","notes":"asked for a call next week"}`, n, n%101)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPost is one post of one lead, until the log has it. cpu-us/op is the CPU time
// of the whole process: the broker (kfake) and, in "http", the HTTP client are in it.
func BenchmarkPost(b *testing.B) {
	var n atomic.Int64
	run := func(b *testing.B, post func(body string) int) {
		b.Helper()
		b.ReportAllocs()
		b.SetParallelism(32)
		start := cpu()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if status := post(benchLead(n.Add(1))); status != http.StatusAccepted {
					b.Errorf("status = %d, want 202", status)
					return
				}
			}
		})
		b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-us/op")
	}
	roomy := func(c *Config) { c.MaxBacklog = 1 << 40 }
	b.Run("handler", func(b *testing.B) {
		d := openDoor(b, roomy)
		h := d.Handler()
		run(b, func(body string) int {
			req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/leads", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer secret")
			req.Header.Set("Content-Type", typeJSON)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			return rec.Code
		})
	})
	b.Run("http", func(b *testing.B) {
		d := openDoor(b, roomy)
		d.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
		run(b, func(body string) int {
			req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, d.url+"/v1/leads", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer secret")
			req.Header.Set("Content-Type", typeJSON)
			res, err := d.client.Do(req)
			if err != nil {
				return 0
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return res.StatusCode
		})
	})
}

// BenchmarkExamine is what the door does to one lead apart from HTTP and the log.
func BenchmarkExamine(b *testing.B) {
	d := openDoor(b, nil)
	body := []byte(benchLead(1))
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		rec, ours := d.read(body, "web", "receipt", at, typedChecker{})
		if ours != nil || len(rec.problems) > 0 {
			b.Fatal(ours, rec.problems)
		}
	}
}

// BenchmarkSchema compares the JSON Schema library with the typed check that stands in
// for it on the hot path.
func BenchmarkSchema(b *testing.B) {
	body := json.RawMessage(benchLead(1))
	b.Run("jsonschema", func(b *testing.B) {
		schema, err := compileSchema([]byte(schemaDoc))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
			if err != nil {
				b.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("typed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ps, err := (typedChecker{}).Check(body); err != nil || len(ps) > 0 {
				b.Fatal(ps, err)
			}
		}
	})
}
