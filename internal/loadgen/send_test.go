package loadgen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

// door is a small honest ingestion API: it knows people by their e-mail address and
// rejects what the sample schema rejects. Trouble may answer a request in its place,
// before or after the records were taken.
type door struct {
	mu      sync.Mutex
	ids     map[string]leadroute.LeadID
	request int
	// trouble is asked once a request; a status other than 0 is answered, and a
	// negative one drops the connection. Taken says whether the records count.
	trouble func(n int) (status int, taken bool)
}

func newDoor(trouble func(int) (int, bool)) *door {
	if trouble == nil {
		trouble = func(int) (int, bool) { return 0, true }
	}
	return &door{ids: make(map[string]leadroute.LeadID), trouble: trouble}
}

func (d *door) take(record []byte) map[string]any {
	var lead map[string]any
	if err := json.Unmarshal(record, &lead); err != nil {
		return map[string]any{"status": "rejected", "error": map[string]any{"code": "malformed"}}
	}
	if f := sampleSchema(lead); f != "" {
		return map[string]any{"status": "rejected", "error": map[string]any{"code": "schema"}}
	}
	person := Normalise(lead["email"].(string))
	if id, again := d.ids[person]; again {
		return map[string]any{"status": "duplicate", "id": id}
	}
	id := leadroute.LeadID(fmt.Sprintf("L%d", len(d.ids)))
	d.ids[person] = id
	return map[string]any{"status": "accepted", "id": id, "class": "P1"}
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer k" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d.request++
	status, taken := d.trouble(d.request)
	var answer map[string]any
	code := http.StatusAccepted
	if taken && r.URL.Path == "/v1/leads" {
		answer = d.take(body)
		if answer["status"] == "rejected" {
			code, answer = http.StatusUnprocessableEntity, map[string]any{"type": "urn:leadroute:problem:schema"}
		}
	} else if taken {
		var results []any
		for i, line := range bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n")) {
			a := d.take(line)
			a["index"] = i
			results = append(results, a)
		}
		answer, code = map[string]any{"results": results}, http.StatusMultiStatus
	}
	switch {
	case status < 0:
		panic(http.ErrAbortHandler)
	case status > 0:
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(status)
		return
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

// listen serves the door on addr ("" for any) until stop is called.
func (d *door) listen(t *testing.T, addr string) (url, at string, stop func()) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: d}
	go func() { _ = srv.Serve(ln) }()
	stop = sync.OnceFunc(func() { _ = srv.Close() })
	t.Cleanup(stop)
	return "http://" + ln.Addr().String(), ln.Addr().String(), stop
}

// check compares a tally with what the generator knows.
func check(t *testing.T, g *Generator, tally *Tally, d *door) {
	t.Helper()
	people := make(map[string]bool)
	var valid, bad int
	for it := range g.All() {
		r := tally.Results[it.Index]
		switch it.Label {
		case Valid, Duplicate:
			if r.Status != Accepted && r.Status != AnsweredDuplicate {
				t.Fatalf("lead %d (%s): status %v (%s), want a 2xx", it.Index, it.Label, r.Status, r.Code)
			}
			if want := d.ids[g.Truth(it.Index).Person]; r.ID != want || r.AcceptedAt == 0 {
				t.Fatalf("lead %d: id %q accepted at %d, want %q and a time", it.Index, r.ID, r.AcceptedAt, want)
			}
			people[g.Truth(it.Index).Person] = true
			valid++
		default:
			if r.Status != Rejected || r.Code != "schema" && r.Code != "malformed" {
				t.Fatalf("lead %d (%s): status %v, code %q, want it rejected for the door's reason", it.Index, it.Flaw, r.Status, r.Code)
			}
			bad++
		}
	}
	want := Totals{Sent: g.Len(), Accepted: len(people), Duplicates: valid - len(people), Rejected: bad}
	if got := tally.Totals(); got != want {
		t.Errorf("Totals() = %+v, want %+v", got, want)
	}
	ack := tally.Acknowledged()
	if len(ack) != len(people) {
		t.Errorf("%d ids acknowledged, want %d", len(ack), len(people))
	}
	for id, a := range ack {
		if d.ids[g.Truth(a.Index).Person] != id {
			t.Errorf("acknowledged %s is lead %d, who is %s", id, a.Index, d.ids[g.Truth(a.Index).Person])
		}
	}
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		batch   int
		rate    float64
		trouble func(n int) (int, bool)
	}{
		"one by one":  {},
		"in batches":  {batch: 50},
		"at a rate":   {rate: 4000},
		"batch, rate": {batch: 20, rate: 8000},
		"throttled": {trouble: func(n int) (int, bool) {
			if n == 5 || n == 6 {
				return http.StatusTooManyRequests, false
			}
			return 0, true
		}},
		"answers lost": {trouble: func(n int) (int, bool) {
			switch {
			case n%7 == 0:
				return -1, true
			case n%11 == 0:
				return http.StatusServiceUnavailable, true
			case n%13 == 0:
				return http.StatusInternalServerError, false
			}
			return 0, true
		}},
		"batch answers lost": {batch: 10, trouble: func(n int) (int, bool) {
			if n%3 == 0 {
				return -1, n%2 == 0
			}
			return 0, true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(c.trouble)
			url, _, _ := d.listen(t, "")
			g := newTest(t, testOptions(600))
			tally, err := Send(t.Context(), SendOptions{URL: url, Key: "k", Rate: c.rate, Batch: c.batch, Concurrency: 8}, g)
			if err != nil {
				t.Fatal(err)
			}
			check(t, g, tally, d)
			if name == "throttled" && (tally.Throttled != 2 || tally.Ended.Sub(tally.Started) < time.Second) {
				t.Errorf("throttled %d times, done after %v, want 2 and the second that Retry-After asks", tally.Throttled, tally.Ended.Sub(tally.Started))
			}
			if c.rate > 0 {
				if took := tally.Ended.Sub(tally.Started).Seconds(); took < 599/c.rate {
					t.Errorf("600 leads at %v/s took %.3fs", c.rate, took)
				}
			}
		})
	}
}

func TestSendSurvivesRestart(t *testing.T) {
	d := newDoor(nil)
	reached := make(chan struct{})
	d.trouble = func(n int) (int, bool) {
		if n == 100 {
			close(reached)
		}
		return 0, true
	}
	url, addr, stop := d.listen(t, "")
	g := newTest(t, testOptions(2000))
	restarted, noticed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(restarted)
		<-reached
		stop()
		<-noticed
		d.listen(t, addr)
	}()
	once := sync.OnceFunc(func() { close(noticed) })
	tally, err := Send(t.Context(), SendOptions{URL: url, Key: "k", Concurrency: 4, Progress: func(p Progress) {
		if p.Retries > 0 {
			once()
		}
	}}, g)
	if err != nil {
		t.Fatal(err)
	}
	<-restarted
	if tally.Failures == 0 {
		t.Error("no request failed: the door was never away")
	}
	check(t, g, tally, d)
}

func TestSendGivesUpOnWrongKey(t *testing.T) {
	url, _, _ := newDoor(nil).listen(t, "")
	tally, err := Send(t.Context(), SendOptions{URL: url, Key: "wrong"}, newTest(t, testOptions(5000)))
	if err == nil || !strings.Contains(err.Error(), "401") || tally.Totals().Rejected > 0 {
		t.Errorf("Send with a wrong key: error %v, totals %+v, want 401 named and nothing rejected", err, tally.Totals())
	}
}

func TestSendStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	tally, err := Send(ctx, SendOptions{URL: "http://127.0.0.1:1", Key: "k"}, newTest(t, testOptions(50)))
	if !errors.Is(err, context.DeadlineExceeded) || tally.Totals().Unanswered != 50 {
		t.Errorf("Send to nobody: error %v, totals %+v, want a deadline and 50 unanswered", err, tally.Totals())
	}
}

func TestSendRefuses(t *testing.T) {
	g := newTest(t, testOptions(1))
	for _, o := range []SendOptions{{URL: "127.0.0.1:80"}, {URL: "https://127.0.0.1"}, {URL: "http://127.0.0.1", Rate: -1}, {URL: "http://127.0.0.1", Batch: MaxBatch + 1}} {
		if _, err := Send(t.Context(), o, g); err == nil {
			t.Errorf("Send(%+v) gave no error", o)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": -1, "0": -1, "soon": -1, "3": 3 * time.Second, now.Add(10 * time.Second).Format(http.TimeFormat): 10 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat): -1,
	} {
		h := http.Header{}
		if v != "" {
			h.Set("Retry-After", v)
		}
		if got := RetryAfter(h, now); got < want || got > want+want/5+1 || want < 0 && got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v and at most a fifth more", v, got, want)
		}
	}
}
