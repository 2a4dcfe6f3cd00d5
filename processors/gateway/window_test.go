package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
)

func TestWindowLearnsOnlyAfterTheAck(t *testing.T) {
	w := newWindow(10*time.Minute, 1000)
	at := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
	f, s := w.begin("l1", at)
	if s != fresh {
		t.Fatalf("begin = %v, want fresh", s)
	}
	if f2, s := w.begin("l1", at); s != joined || f2 != f {
		t.Errorf("begin while in flight = %v, want to join it", s)
	}
	w.settle(f, errors.New("refused"), at)
	f, s = w.begin("l1", at)
	if s != fresh {
		t.Fatalf("begin after a failure = %v, want fresh", s)
	}
	w.settle(f, nil, at)
	for _, c := range []struct {
		after time.Duration
		want  sighting
	}{{0, already}, {10*time.Minute - 1, already}, {20 * time.Minute, fresh}} {
		if _, s := w.begin("l1", at.Add(c.after)); s != c.want {
			t.Errorf("begin %v after the ack = %v, want %v", c.after, s, c.want)
		}
	}
}

func TestWindowIsBounded(t *testing.T) {
	const most = 64 * 100
	w := newWindow(time.Hour, most)
	at := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
	last := leadroute.LeadID("")
	for i := range 10 * most {
		last = leadroute.LeadID(fmt.Sprint("lead", i))
		f, s := w.begin(last, at)
		if s != fresh {
			t.Fatalf("begin(%s) = %v, want fresh", last, s)
		}
		w.settle(f, nil, at)
	}
	n := 0
	for i := range w.shards {
		n += len(w.shards[i].young) + len(w.shards[i].old)
	}
	if n > most || n < most/2 {
		t.Errorf("the window holds %d ids, want %d to %d", n, most/2, most)
	}
	if _, s := w.begin(last, at); s != already {
		t.Errorf("begin(the last one) = %v, want already", s)
	}
}

// arrivals is a Checker that tells when a post has got as far as its class.
type arrivals struct {
	typedChecker
	came chan struct{}
}

func (a arrivals) ClassOf(l *leadroute.Lead, at time.Time) (leadroute.Class, time.Duration) {
	a.came <- struct{}{}
	return a.typedChecker.ClassOf(l, at)
}

// TestConcurrentPostsOfOneLead holds the log's answer back until all posts are in the
// door: one is sent, one is accepted, the others are duplicates.
func TestConcurrentPostsOfOneLead(t *testing.T) {
	const posts = 20
	chk := arrivals{came: make(chan struct{}, posts)}
	d := openDoor(t, func(c *Config) { c.Checker = func() Checker { return chk } })
	release := make(chan struct{})
	d.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.SleepControl(func() { <-release })
		return nil, nil, false
	})
	var wg sync.WaitGroup
	statuses := make(chan int, posts)
	for range posts {
		wg.Go(func() {
			r, err := d.try(t.Context(), http.MethodPost, "/v1/leads", strings.NewReader(lead))
			if err != nil {
				t.Error(err)
			}
			statuses <- r.status
		})
	}
	for range posts {
		<-chk.came
	}
	close(release)
	wg.Wait()
	close(statuses)
	count := map[int]int{}
	for s := range statuses {
		count[s]++
	}
	if count[202] != 1 || count[200] != posts-1 {
		t.Errorf("answers = %v, want one 202 and %d 200", count, posts-1)
	}
	if n := d.produced(leadroute.Inbox("P0")); n != 1 {
		t.Errorf("the inbox has %d records, want 1", n)
	}
}

func TestLateAckTellsTheWaitingPost(t *testing.T) {
	w := newWindow(time.Minute, 100)
	at := time.Now()
	f, _ := w.begin("l1", at)
	gone := record{flight: f, seen: fresh} // its post gave up before the ack
	retry := record{seen: joined}
	retry.flight, _ = w.begin("l1", at)
	w.settle(f, nil, at)
	if ok, err := retry.await(t.Context()); !ok || err != nil {
		t.Errorf("await of the retry = %v, %v, want accepted", ok, err)
	}
	if ok, err := gone.await(t.Context()); ok || err != nil {
		t.Errorf("await of one more = %v, %v, want duplicate", ok, err)
	}
}
