package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
)

func decodeBatch(t *testing.T, r reply) batchResult {
	t.Helper()
	var b batchResult
	if err := json.Unmarshal(r.body, &b); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return b
}

// summary is "index status code" for each result.
func (b batchResult) summary() string {
	var out []string
	for _, r := range b.Results {
		s := fmt.Sprintf("%d %s", r.Index, r.Status)
		if r.Error != nil {
			s += " " + r.Error.Code + r.Error.Pointer
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestBatch(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.MaxRecord = 200 })
	nd := []string{"Content-Type", "application/x-ndjson; charset=utf-8"}
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		want       string
	}{
		{"all taken", `[{"id":"a1","score":1}, {"id":"a2","score":99}]`, nil, 202, "0 accepted, 1 accepted"},
		{
			"mixed, with a copy in the same batch", `[{"id":"b1","score":1},{"id":"b 2","score":1},{"id":"b1","score":1},{"id":"a1","score":1},7]`, nil, 207,
			"0 accepted, 1 rejected id/id, 2 duplicate, 3 duplicate, 4 rejected type",
		},
		{"duplicates only", `[{"id":"a1","score":1}]`, nil, 202, "0 duplicate"},
		{"none", `[{"id":"c1"},{}]`, nil, 422, "0 rejected schema/score, 1 rejected schema/score"},
		{
			"NDJSON with a broken line", "{\"id\":\"d1\",\"score\":1}\n\n{\"id\":\"d2\",\"sc\r\n{\"id\":\"d3\",\"score\":1}", nd, 207,
			"0 accepted, 1 rejected json, 2 accepted",
		},
		{
			"one record too large", `[{"id":"e1","score":1,"x":"` + strings.Repeat("y", 300) + `"},{"id":"e2","score":1}]`, nil, 207,
			"0 rejected too_large, 1 accepted",
		},
		{"gzip", zipped(t, `[{"id":"f1","score":1}]`), []string{"Content-Encoding", "gzip"}, 202, "0 accepted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := d.post(t, "/v1/leads/batch", c.body, c.headers...)
			b := decodeBatch(t, r)
			if r.status != c.status || b.summary() != c.want {
				t.Errorf("batch = %d %s, want %d %s", r.status, b.summary(), c.status, c.want)
			}
			if n := b.Accepted + b.Duplicates + b.Rejected; n != len(b.Results) {
				t.Errorf("the counts add up to %d, want %d", n, len(b.Results))
			}
		})
	}
	// a2 has score 99; a1, b1, d1, d3, e2 and f1 have 1.
	if p0, p2 := d.produced(leadroute.Inbox("P0")), d.produced(leadroute.Inbox("P2")); p0 != 1 || p2 != 6 {
		t.Errorf("inboxes hold %d of P0 and %d of P2, want 1 and 6", p0, p2)
	}
	receipts := map[string]bool{}
	for _, l := range read[leadroute.Lead](t, d, leadroute.Inbox("P2"), 6) {
		receipts[l.Receipt] = true
	}
	if len(receipts) != 6 {
		t.Errorf("%d receipts, want 6 different ones", len(receipts))
	}
}

func TestBatchThatTheLogTakesInPartIsSentAgain(t *testing.T) {
	d := openDoor(t, nil)
	d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "leadroute.inbox.P0", Err: kerr.PolicyViolation})
	const batch = `[{"id":"a","score":1},{"id":"b","score":99},{"id":"c","score":"x"}]`
	r := d.post(t, "/v1/leads/batch", batch)
	if r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Fatalf("batch while the log refuses P0 = %v, want 503 with Retry-After", r)
	}
	r = d.post(t, "/v1/leads/batch", batch)
	if got, want := decodeBatch(t, r).summary(), "0 duplicate, 1 accepted, 2 rejected schema"; r.status != 207 || got != want {
		t.Errorf("second time = %d %s, want 207 %s", r.status, got, want)
	}
}

func TestThousandRecords(t *testing.T) {
	d := openDoor(t, nil)
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `{"email":"lead%d@example.com","score":%d}`+"\n", i, i%100)
	}
	r := d.post(t, "/v1/leads/batch", b.String(), "Content-Type", "application/x-ndjson")
	res := decodeBatch(t, r)
	if r.status != 202 || res.Accepted != 1000 {
		t.Fatalf("batch = %d, %d accepted, want 202 and 1000", r.status, res.Accepted)
	}
	for i, rec := range res.Results {
		want := leadroute.Class("P2")
		if i%100 >= 70 {
			want = "P0"
		}
		if rec.Index != i || rec.Class != want {
			t.Fatalf("result %d = %+v, want its index and class %s", i, rec, want)
		}
	}
	if got := d.load.inFlight.Load(); got != 0 {
		t.Errorf("in flight afterwards = %d, want 0", got)
	}
}
