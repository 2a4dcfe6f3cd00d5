package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const schemaDoc = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":["score"],"properties":{` +
	`"email":{"type":"string"},"region":{"enum":["NA","EMEA"]},"score":{"type":"number","minimum":0,"maximum":100}}}`

// typedChecker is a small policy's check: score is required, region one of two; a score
// of 70 is P0, the rest P2.
type typedChecker struct{}

type typedLead struct {
	Email  *string  `json:"email"`
	Region *string  `json:"region"`
	Score  *float64 `json:"score"`
}

func (typedChecker) Check(fields json.RawMessage) (json.RawMessage, []Problem, error) {
	l, err := leadroute.Decode[typedLead](fields)
	if err != nil {
		return nil, []Problem{{Code: codeSchema, Message: "a member has the wrong type"}}, nil
	}
	var ps []Problem
	if l.Score == nil {
		ps = append(ps, Problem{codeSchema, "/score", "is missing", "send a number from 0 to 100"})
	}
	return nil, ps, nil
}

func (typedChecker) ClassOf(l *leadroute.Lead, _ time.Time) (leadroute.Class, time.Duration) {
	t, err := leadroute.Decode[typedLead](l.Fields)
	if err == nil && t.Score != nil && *t.Score >= 70 {
		return "P0", time.Minute
	}
	return "P2", 30 * time.Minute
}

// Identities shows that the door hands on what it is given.
func (typedChecker) Identities(key []byte, l *leadroute.Lead) []string {
	t, err := leadroute.Decode[typedLead](l.Fields)
	if err != nil || t.Email == nil {
		return nil
	}
	return []string{fmt.Sprintf("%x/%s", key[:2], *t.Email)}
}

func (typedChecker) PlanID() leadroute.PlanID { return "plan1" }
func (typedChecker) JSONSchema() []byte       { return []byte(schemaDoc) }

var testClasses = []leadroute.Class{"P0", "P1", "P2"}

type door struct {
	*Gateway
	cluster *kfake.Cluster
	url     string
	reg     *prometheus.Registry
	client  *http.Client
}

// openDoor runs a gateway against its own broker until the test ends.
func openDoor(t testing.TB, change func(*Config)) *door {
	t.Helper()
	topics := []string{"leadroute.events", "leadroute.ledger", "leadroute.replies"}
	for _, c := range testClasses {
		topics = append(topics, leadroute.Namespace("").Topic(leadroute.Inbox(c)))
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	keys, err := ParseKeys("web=secret,crm=secret2")
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{}, 1)
	reg := prometheus.NewRegistry()
	cfg := Config{
		Stream: stream.Config{Brokers: cluster.ListenAddrs(), Metrics: reg},
		Keys:   keys, IDKey: []byte("0123456789abcdef"), Classes: testClasses,
		Checker: func() Checker { return typedChecker{} }, AgreeWithin: 20 * time.Millisecond,
		backlogChanged: func() {
			select {
			case running <- struct{}{}:
			default:
			}
		},
	}
	if change != nil {
		change(&cfg)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	srv := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		srv.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	select {
	case <-running:
	case <-time.After(10 * time.Second):
		t.Fatal("the gateway did not start")
	}
	return &door{g, cluster, srv.URL, reg, srv.Client()}
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// member returns one top-level member of the body as text.
func (r reply) member(t *testing.T, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	if m[name] == nil {
		return ""
	}
	return fmt.Sprint(m[name])
}

func (d *door) post(t *testing.T, path, body string, headers ...string) reply {
	t.Helper()
	return d.do(t, http.MethodPost, path, strings.NewReader(body), headers...)
}

func (d *door) do(t *testing.T, method, path string, body io.Reader, headers ...string) reply {
	t.Helper()
	r, err := d.try(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (d *door) try(ctx context.Context, method, path string, body io.Reader, headers ...string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, body)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := d.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, b}, err
}

// read returns the first n records of a topic.
func read[T any](t *testing.T, d *door, topic leadroute.Topic, n int) []*T {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.cluster.ListenAddrs()...), kgo.ConsumeTopics(leadroute.Namespace("").Topic(topic)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out []*T
	for len(out) < n {
		fs := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%s: got %d records, want %d", topic, len(out), n)
		}
		fs.EachRecord(func(r *kgo.Record) {
			v, err := leadroute.Decode[T](r.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		})
	}
	return out
}

// produced is how many records a topic holds.
func (d *door) produced(topic leadroute.Topic) (n int64) {
	for p := range int32(8) {
		if pi := d.cluster.PartitionInfo(leadroute.Namespace("").Topic(topic), p); pi != nil {
			n += pi.HighWatermark
		}
	}
	return n
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// leads is the counter of leads with that result and class.
func (d *door) leads(t *testing.T, result, class string) float64 {
	t.Helper()
	fams, err := d.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fams {
		if f.GetName() != "leadroute_gateway_leads_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			// Labels come sorted by name: class, result.
			if l := m.GetLabel(); l[0].GetValue() == class && l[1].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
