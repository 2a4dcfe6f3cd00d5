package crmsim

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/goccy/go-json"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/leanhttp"
)

// Span is a range of times, drawn from evenly.
type Span struct{ Min, Max time.Duration }

func (s Span) draw(d *rand.Rand) time.Duration {
	return s.Min + time.Duration(d.Float64()*float64(s.Max-s.Min))
}

// DeskOptions say how the reps work.
type DeskOptions struct {
	URL string // of the product's API, without a path
	Key string // API key
	// Seed decides how long each lead takes, together with its id and revision.
	Seed uint64
	// Respond is how long after the CRM has the lead its rep responds, Close how long
	// after that it is closed.
	Respond, Close Span
	// Workers is how many requests are in flight at most, 8 if zero.
	Workers int
	// Timeout of one request, 10s if zero.
	Timeout time.Duration
	// Client sends the requests; nil: a lean one, which speaks no https.
	Client *http.Client
}

// Desk is the reps at work: each lead that the CRM has with an owner is responded to,
// then closed, and the product is told of both until it answers 202. A lead that moves
// to another rep in between is theirs to work on.
type Desk struct {
	sim    *Sim
	opts   DeskOptions
	url    string
	client *http.Client

	mu     sync.Mutex
	queue  taskHeap
	busy   int // tasks that a worker has in hand
	counts DeskCounts
	wake   chan struct{} // holds one token when the head of the queue may have changed
}

// DeskCounts are what the reps did.
type DeskCounts struct {
	Pending   int `json:"pending"` // actions still to be told, in hand included
	Responded int `json:"responded"`
	Closed    int `json:"closed"`
	Moved     int `json:"moved"`   // taken from a rep before they were done
	Retries   int `json:"retries"` // the product was away, or not ready
	Refused   int `json:"refused"` // answered 4xx: not told again
}

// NewDesk puts the simulator's reps to work, once Run runs.
func NewDesk(s *Sim, o DeskOptions) (*Desk, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("reps at work: %q is not a URL such as http://127.0.0.1:8080", o.URL)
	}
	for _, sp := range []Span{o.Respond, o.Close} {
		if sp.Min < 0 || sp.Max < sp.Min {
			return nil, fmt.Errorf("reps at work: %v to %v is not a span of time", sp.Min, sp.Max)
		}
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	d := &Desk{
		sim: s, opts: o, client: o.Client, wake: make(chan struct{}, 1),
		url: strings.TrimSuffix(o.URL, "/") + "/v1/leads/respond",
	}
	if d.client == nil {
		if u.Scheme != "http" {
			return nil, fmt.Errorf("reps at work: %s needs a Client of its own", u.Scheme)
		}
		d.client = leanhttp.NewClient(o.Workers)
	}
	s.follow(d.take)
	return d, nil
}

// Counts returns what the reps did so far.
func (d *Desk) Counts() DeskCounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.counts
	c.Pending = len(d.queue) + d.busy
	return c
}

// task is one thing a rep will do.
type task struct {
	due      time.Time
	lead     leadroute.LeadID
	revision int
	rep      leadroute.RepID
	action   string
	done     bool // closed in the CRM; only the product is still to be told
}

// take puts a fresh lead on its owner's desk. The simulator calls it under its lock.
func (d *Desk) take(a Applied) {
	t := task{lead: a.Lead, revision: a.Revision, rep: a.Owner, action: leadroute.ActionResponded}
	t.due = time.UnixMicro(a.At).Add(d.opts.Respond.draw(d.dice(&t)))
	d.push(t)
}

func (d *Desk) dice(t *task) *rand.Rand {
	return rand.New(rand.NewPCG(d.opts.Seed+uint64(t.revision)<<32, xxhash.Sum64String(string(t.lead)+t.action)))
}

func (d *Desk) push(t task) {
	d.mu.Lock()
	heap.Push(&d.queue, t)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run lets the reps work until ctx ends, and returns nil.
func (d *Desk) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer d.client.CloseIdleConnections()
	defer workers.Wait()
	tasks := make(chan []task)
	defer close(tasks)
	back := &recovery{}
	for range d.opts.Workers {
		workers.Go(func() {
			for ts := range tasks {
				d.do(ctx, ts, back)
				d.mu.Lock()
				d.busy -= len(ts)
				d.mu.Unlock()
			}
		})
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		ts, until := d.next(back)
		if until == 0 {
			select {
			case tasks <- ts:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		timer.Reset(until)
		select {
		case <-timer.C:
		case <-d.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// deskBatch is how many actions the CRM tells the product of at once.
const deskBatch = 100

// next takes the tasks that are due, some of them if there are many, else says how long
// until the first one is.
func (d *Desk) next(back *recovery) ([]task, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return nil, time.Hour // wake comes first
	}
	now := time.Now()
	if until := max(d.queue[0].due.Sub(now), back.until(now)); until > 0 {
		return nil, until
	}
	var ts []task
	for len(ts) < deskBatch && len(d.queue) > 0 && !d.queue[0].due.After(now) {
		ts = append(ts, heap.Pop(&d.queue).(task)) //nolint:forcetypeassert // the heap holds tasks
	}
	d.busy += len(ts)
	return ts, 0
}

// do does some tasks, tells the product of them and queues what follows.
func (d *Desk) do(ctx context.Context, ts []task, back *recovery) {
	still := ts[:0:0]
	for _, t := range ts {
		if d.begin(&t) {
			still = append(still, t)
		} else {
			d.count(func(c *DeskCounts) { c.Moved++ })
		}
	}
	if len(still) == 0 {
		return
	}
	status, err := d.tell(ctx, still)
	if err != nil || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		wait := back.failed()
		for _, t := range still {
			t.due = time.Now().Add(wait)
			d.push(t)
		}
		d.count(func(c *DeskCounts) { c.Retries += len(still) })
		return
	}
	back.worked()
	for _, t := range still {
		switch {
		case status >= 300:
			d.count(func(c *DeskCounts) { c.Refused++ })
		case t.action == leadroute.ActionResponded:
			d.count(func(c *DeskCounts) { c.Responded++ })
		default:
			d.count(func(c *DeskCounts) { c.Closed++ })
		}
		if t.action == leadroute.ActionResponded {
			next := task{lead: t.lead, revision: t.revision, rep: t.rep, action: leadroute.ActionClosed}
			next.due = time.Now().Add(d.opts.Close.draw(d.dice(&next)))
			d.push(next)
		}
	}
}

// begin tells whether the lead is still the rep's to act on. Closing is done here first:
// the product may free the slot as soon as it is told.
func (d *Desk) begin(t *task) bool {
	switch {
	case t.done:
		return true
	case t.action == leadroute.ActionClosed:
		t.done = d.sim.close(t.lead, t.revision)
		return t.done
	default:
		return d.sim.open(t.lead, t.revision)
	}
}

func (d *Desk) count(f func(*DeskCounts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.counts)
}

// tell posts the actions, one a line.
func (d *Desk) tell(ctx context.Context, ts []task) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for i := range ts {
		if err := lines.Encode(struct {
			Lead   leadroute.LeadID `json:"lead"`
			Rep    leadroute.RepID  `json:"rep"`
			Action string           `json:"action"`
		}{ts[i].lead, ts[i].rep, ts[i].action}); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, &body)
	if err != nil {
		return 0, err
	}
	req.Header["Content-Type"] = []string{"application/x-ndjson"}
	req.Header["Authorization"] = []string{"Bearer " + d.opts.Key}
	resp, err := d.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// recovery holds everybody back while the product is away, so that a thousand due
// tasks do not knock at a closed door in turn.
type recovery struct {
	mu     sync.Mutex
	row    int // failures in a row
	notYet time.Time
}

const (
	deskMinBackoff = 50 * time.Millisecond
	deskMaxBackoff = time.Second
)

// failed notes a failure and returns how long the task should rest.
func (r *recovery) failed() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.row++
	wait := min(deskMinBackoff<<min(r.row-1, 6), deskMaxBackoff)
	r.notYet = time.Now().Add(wait)
	return wait
}

func (r *recovery) worked() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.row, r.notYet = 0, time.Time{}
}

func (r *recovery) until(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notYet.Sub(now)
}

// taskHeap is ordered by due time.
type taskHeap []task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h taskHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(x any)        { *h = append(*h, x.(task)) } //nolint:forcetypeassert // the heap holds tasks

// Pop returns the last element, as container/heap wants.
func (h *taskHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}
