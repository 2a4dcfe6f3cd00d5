package loadgen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/leanhttp"
)

// SendOptions say where leads go and how fast.
type SendOptions struct {
	URL string // of the running process, without a path: http://127.0.0.1:8080
	Key string // API key
	// Rate is in leads a second, each sent when it is due whether or not the ones before
	// it were answered, as long as Concurrency allows. 0: as fast as answers come.
	Rate float64
	// Concurrency is how many requests are in flight at most, 32 if zero.
	Concurrency int
	// Batch is how many leads go into one request (NDJSON to /v1/leads/batch), at most
	// 1000. 0 or 1: each goes alone to /v1/leads.
	Batch int
	// Timeout of one request, 10s if zero. A request that runs into it is sent again.
	Timeout time.Duration
	// Progress, if set, is called some five times a second and once at the end.
	Progress func(Progress)
	// Client sends the requests; nil: a lean one, which speaks no https.
	Client *http.Client
}

// Progress is how far a Send is.
type Progress struct {
	Total, Accepted, Duplicates, Rejected int64
	Throttled, Retries                    int64
}

// MaxBatch is the most leads that the door takes in one request.
const MaxBatch = 1000

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
)

// Send sends every lead of the generator until each has an answer that settles it: 2xx
// or a rejection. It honours Retry-After, and sends the same bytes again while the
// process is away or its answer is lost, until ctx ends. The tally is never nil; the
// error says that leads are left unanswered, or that the process refuses every lead
// (wrong key, wrong URL), in which case it does not go on.
func Send(ctx context.Context, o SendOptions, g *Generator) (*Tally, error) {
	t := &Tally{Results: make([]Result, g.Len()), Started: time.Now()}
	s, err := newSender(o, g, t)
	if err != nil {
		return t, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.abort = cancel

	var workers, reporter sync.WaitGroup
	for range s.opts.Concurrency {
		workers.Go(func() { (&worker{sender: s}).run(ctx) })
	}
	done := make(chan struct{})
	if o.Progress != nil {
		reporter.Go(func() { s.report(done) })
	}
	workers.Wait()
	close(done)
	reporter.Wait()
	s.client.CloseIdleConnections()

	t.Ended = time.Now()
	t.Requests, t.Throttled = s.requests.Load(), s.throttled.Load()
	t.Unavailable, t.Failures = s.unavailable.Load(), s.failures.Load()
	if left := t.Totals().Unanswered; left > 0 {
		return t, fmt.Errorf("send leads: %d of %d unanswered: %w", left, g.Len(), context.Cause(ctx))
	}
	return t, nil
}

type sender struct {
	opts   SendOptions
	gen    *Generator
	tally  *Tally
	client *http.Client
	abort  context.CancelCauseFunc

	one, batch string // URLs
	next       atomic.Int64

	accepted, duplicates, rejected            atomic.Int64
	requests, throttled, unavailable, retries atomic.Int64
	failures                                  atomic.Int64
	words                                     sync.Map // string to itself: classes and codes are few
}

func newSender(o SendOptions, g *Generator, t *Tally) (*sender, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("send leads: %q is not a URL such as http://127.0.0.1:8080", o.URL)
	}
	if o.Rate < 0 || o.Batch < 0 || o.Batch > MaxBatch {
		return nil, fmt.Errorf("send leads: rate %v or batch %d is out of range (0 or more; 0 to %d)", o.Rate, o.Batch, MaxBatch)
	}
	o.Batch = max(o.Batch, 1)
	if o.Concurrency <= 0 {
		o.Concurrency = 32
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	s := &sender{opts: o, gen: g, tally: t, client: o.Client}
	if s.client == nil {
		if u.Scheme != "http" {
			return nil, fmt.Errorf("send leads: %s needs a Client of its own", u.Scheme)
		}
		s.client = leanhttp.NewClient(o.Concurrency)
	}
	base := strings.TrimSuffix(o.URL, "/")
	s.one, s.batch = base+"/v1/leads", base+"/v1/leads/batch"
	return s, nil
}

func (s *sender) report(done <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-done:
			ended = true
		}
		s.opts.Progress(Progress{
			Total: int64(s.gen.Len()), Accepted: s.accepted.Load(), Duplicates: s.duplicates.Load(),
			Rejected: s.rejected.Load(), Throttled: s.throttled.Load(), Retries: s.retries.Load(),
		})
	}
}

// worker sends one request at a time.
type worker struct {
	*sender
	items []Item
	maybe []int64 // per item: when it was first sent without a clear answer, in microseconds; 0: never
	body  []byte
	resp  bytes.Buffer
}

func (w *worker) run(ctx context.Context) {
	n, size := int64(w.gen.Len()), int64(w.opts.Batch)
	for ctx.Err() == nil {
		from := w.next.Add(size) - size
		if from >= n {
			return
		}
		to := min(from+size, n)
		if w.opts.Rate > 0 {
			due := w.tally.Started.Add(time.Duration(float64(to-1) / w.opts.Rate * float64(time.Second)))
			if !pause(ctx, time.Until(due)) {
				return
			}
		}
		w.take(int(from), int(to))
		w.settle(ctx)
	}
}

// take makes the leads from..to-1, their buffers used again.
func (w *worker) take(from, to int) {
	spare := w.items[:cap(w.items)]
	w.items, w.maybe = w.items[:0], w.maybe[:0]
	now := time.Now()
	for i := from; i < to; i++ {
		var buf []byte
		if k := len(w.items); k < len(spare) {
			buf = spare[k].Body
		}
		it := w.gen.Item(i, buf)
		it.Stamp(now)
		w.items, w.maybe = append(w.items, it), append(w.maybe, 0)
	}
}

// settle sends w.items until each is settled.
func (w *worker) settle(ctx context.Context) {
	alone := w.opts.Batch == 1
	for failed := 0; len(w.items) > 0; {
		var wait time.Duration
		if alone || len(w.items) == 1 {
			wait = w.postOne(ctx)
		} else {
			wait, alone = w.postBatch(ctx)
		}
		if len(w.items) == 0 || ctx.Err() != nil {
			return
		}
		if wait == 0 { // something was settled: go on
			failed = 0
			continue
		}
		failed++
		w.retries.Add(1)
		if wait < 0 {
			wait = rand.N(min(minBackoff<<min(failed-1, 8), maxBackoff)) + minBackoff/2
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// noAdvice asks settle for a wait of its own, growing with the failures.
const noAdvice time.Duration = -1

// postOne sends the last item and returns 0 if that settled it, else how long to wait
// before the next attempt.
func (w *worker) postOne(ctx context.Context) time.Duration {
	k := len(w.items) - 1
	w.count(k)
	sent := time.Now().UnixMicro()
	status, header, err := w.post(ctx, w.one, "application/json", w.items[k].Body)
	switch wait, kind := w.sort(status, header, err); kind {
	case again:
		if mayHaveTaken(status, err) {
			w.unclear(k, sent)
		}
		return wait
	case fatal:
		return noAdvice
	}
	if status >= 400 {
		w.reject(k, problemCode(w.resp.Bytes(), status))
		return 0
	}
	var a answer
	if err := a.decode(w.resp.Bytes()); err != nil || a.ID == "" {
		w.unclear(k, sent) // a 2xx without an id settles nothing
		w.failures.Add(1)
		return noAdvice
	}
	w.accept(k, a)
	return 0
}

// postBatch sends all items; alone is true when the door would not take them together.
func (w *worker) postBatch(ctx context.Context) (wait time.Duration, alone bool) {
	w.body = w.body[:0]
	for k := range w.items {
		w.count(k)
		w.body = append(append(w.body, w.items[k].Body...), '\n')
	}
	sent := time.Now().UnixMicro()
	status, header, err := w.post(ctx, w.batch, "application/x-ndjson", w.body)
	maybe := mayHaveTaken(status, err)
	wait, kind := w.sort(status, header, err)
	var results []answer
	switch {
	case kind == fatal:
		return noAdvice, false
	case kind == settled && (status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge):
		return 0, true
	case kind == settled:
		if results, err = decodeBatch(w.resp.Bytes()); err != nil || len(results) == 0 {
			w.failures.Add(1)
			kind, wait = again, noAdvice
		}
	}
	if kind == again {
		if maybe {
			for k := range w.items {
				w.unclear(k, sent)
			}
		}
		return wait, false
	}
	before := len(w.items)
	done := make([]bool, before)
	for _, a := range results {
		if a.Index < 0 || a.Index >= before || done[a.Index] {
			continue
		}
		switch {
		case a.Status == "rejected":
			w.mark(a.Index, Rejected, answer{Error: a.Error})
			done[a.Index] = true
		case a.ID != "":
			w.accepted2xx(a.Index, a)
			done[a.Index] = true
		}
	}
	keep := 0
	for k := range done {
		if done[k] {
			continue
		}
		w.items[keep], w.items[k] = w.items[k], w.items[keep]
		w.maybe[keep] = w.maybe[k]
		if w.maybe[keep] == 0 {
			w.maybe[keep] = sent
		}
		keep++
	}
	w.items, w.maybe = w.items[:keep], w.maybe[:keep]
	if keep == before {
		return noAdvice, false
	}
	return 0, false
}

// The kinds of an HTTP answer.
type kind int

const (
	settled kind = iota // 2xx or a rejection of what was sent
	again               // may go better later
	fatal               // no lead will ever get through
)

func (w *worker) sort(status int, h http.Header, err error) (time.Duration, kind) {
	switch {
	case err != nil:
		w.failures.Add(1)
		return noAdvice, again
	case status == http.StatusTooManyRequests:
		w.throttled.Add(1)
		return RetryAfter(h, time.Now()), again
	case status >= 500:
		w.unavailable.Add(1)
		return RetryAfter(h, time.Now()), again
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed, status >= 300 && status < 400:
		w.abort(fmt.Errorf("%s answers %d %s: check the URL and the API key", w.opts.URL, status, http.StatusText(status)))
		return 0, fatal
	}
	return 0, settled
}

// mayHaveTaken tells whether a request that has to go out again may have reached the
// log: not if it was turned away, nor if nobody was there to connect to.
func mayHaveTaken(status int, err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	return status != http.StatusTooManyRequests
}

// post leaves the answer's body in w.resp.
func (w *worker) post(ctx context.Context, url, contentType string, body []byte) (int, http.Header, error) {
	w.requests.Add(1)
	ctx, cancel := context.WithTimeout(ctx, w.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header["Content-Type"] = []string{contentType}
	req.Header["Authorization"] = []string{"Bearer " + w.opts.Key}
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	w.resp.Reset()
	_, err = io.Copy(&w.resp, io.LimitReader(resp.Body, 8<<20))
	return resp.StatusCode, resp.Header, errors.Join(err, resp.Body.Close())
}

func (w *worker) count(k int) { w.tally.Results[w.items[k].Index].Attempts++ }

func (w *worker) unclear(k int, sent int64) {
	if w.maybe[k] == 0 {
		w.maybe[k] = sent
	}
}

// reject and accept settle the last item and drop it.
func (w *worker) reject(k int, code string) {
	w.mark(k, Rejected, answer{Error: answerError{Code: code}})
	w.items = w.items[:k]
}

func (w *worker) accept(k int, a answer) {
	w.accepted2xx(k, a)
	w.items = w.items[:k]
}

func (w *worker) accepted2xx(k int, a answer) {
	if a.Status == "duplicate" {
		w.mark(k, AnsweredDuplicate, a)
	} else {
		w.mark(k, Accepted, a)
	}
}

func (w *worker) mark(k int, st Status, a answer) {
	r := &w.tally.Results[w.items[k].Index]
	r.Status, r.ID, r.Class, r.Code = st, a.ID, leadroute.Class(w.intern(string(a.Class))), w.intern(a.Error.Code)
	switch st {
	case Rejected:
		w.rejected.Add(1)
		return
	case AnsweredDuplicate:
		w.duplicates.Add(1)
	default:
		w.accepted.Add(1)
	}
	if r.AcceptedAt = time.Now().UnixMicro(); w.maybe[k] != 0 {
		r.AcceptedAt = w.maybe[k]
	}
}

func (s *sender) intern(word string) string {
	if v, ok := s.words.Load(word); ok {
		return v.(string) //nolint:forcetypeassert // only strings are stored
	}
	v, _ := s.words.LoadOrStore(strings.Clone(word), strings.Clone(word))
	return v.(string) //nolint:forcetypeassert // only strings are stored
}

// pause waits; false means that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
