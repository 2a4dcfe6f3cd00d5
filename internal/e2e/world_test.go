package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/demo"
	"github.com/leadroute/leadroute/internal/leanhttp"
	"github.com/leadroute/leadroute/internal/loadgen"
	"github.com/leadroute/leadroute/internal/testbroker"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/sink"
)

const (
	apiKey     = "e2e-key"
	webhookKey = "whsec_bGVhZHJvdXRlLWUyZS1zaWduaW5nLWtleS0zMmJ5dGVz"
	partitions = 4
)

// world is everything around the product: leads, a CRM with its reps, and the truth about both.
type world struct {
	t         *testing.T
	namespace leadroute.Namespace
	given     []string // brokers; empty: each process brings its own
	dir       string
	policy    string // empty: the demo's
	crm       string // URL
	reps      []leadroute.Rep
	accounts  []leadroute.Account
	gen       *loadgen.Generator
	sim       *crmsim.Sim
	desk      *crmsim.Desk
	tally     *loadgen.Tally
	answered  atomic.Int64
	balancer  *balancer // nil: there is one process to talk to
	// pace is how long a rep takes to respond, and then to close.
	pace crmsim.Span
}

// newWorld opens the CRM. It sends n leads, or as many as -leads says, through the brokers
// that the environment gives (make test-kafka), else through the process's own.
func newWorld(t *testing.T, n int, faults crmsim.Faults) *world {
	t.Helper()
	if *leads > 0 {
		n = *leads
	}
	t.Logf("-seed %d -leads %d", *seed, n)
	w := &world{t: t, dir: t.TempDir(), namespace: "e2e", pace: crmsim.Span{Min: 50 * time.Millisecond, Max: 200 * time.Millisecond}, reps: loadgen.Reps(*seed, 60, loadgen.ThreeRegions)}
	w.accounts = loadgen.Accounts(*seed, 100, w.reps)
	if os.Getenv(testbroker.Env) != "" {
		log := testbroker.Start(t)
		w.namespace, w.given = log.Namespace, log.Brokers
	}
	var err error
	if w.gen, err = loadgen.New(loadgen.Options{
		Seed: *seed, Leads: n, DuplicateRate: 0.05, MalformedRate: 0.02, WrongTypeRate: 0.01,
		FreeMailRate: 0.2, KnownAccountRate: 0.15, Accounts: w.accounts,
	}); err != nil {
		t.Fatal(err)
	}
	if w.sim, err = crmsim.New(crmsim.Options{Secret: webhookKey, Seed: *seed, Faults: faults}); err != nil {
		t.Fatal(err)
	}
	caps := map[leadroute.RepID]int{}
	for i := range w.reps {
		caps[w.reps[i].ID] = w.reps[i].Caps.Open
	}
	w.sim.SetCaps(caps)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.crm = "http://" + ln.Addr().String()
	w.during(func(ctx context.Context) error { return w.sim.Serve(ctx, ln) })
	return w
}

// during runs f until the test ends.
func (w *world) during(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(func() { cancel(); wg.Wait() })
}

// process is an instance of the product with a data folder of its own. Further arguments
// are appended; without --clickhouse it brings its own, and without given brokers those.
func (w *world) process(name string, args ...string) *process {
	w.t.Helper()
	p := &process{
		t: w.t, data: filepath.Join(w.dir, name),
		args: append([]string{
			"run", cmp.Or(w.policy, policy(w.t)), "--data", filepath.Join(w.dir, name), "--listen", fmt.Sprintf("127.0.0.1:%d", freePort(w.t)),
			"--namespace", string(w.namespace), "--partitions", fmt.Sprint(partitions), "--instance", name,
		}, args...),
		env: []string{
			"CRM_WEBHOOK_URL=" + w.crm + crmsim.WebhookPath, "CRM_WEBHOOK_KEY=" + webhookKey,
			"LEADROUTE_KEYS=api=" + apiKey, "LEADROUTE_ID_KEY=the-key-of-e2e-lead-ids", "LEADROUTE_BROKERS=", "LEADROUTE_CLICKHOUSE=",
		},
	}
	if len(w.given) > 0 {
		p.args = append(p.args, "--brokers", strings.Join(w.given, ","))
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("%s said:\n%s", name, p.tail())
		}
	})
	return p
}

// config is how the test reads the product's log.
func (w *world) config(brokers []string) stream.Config {
	return stream.Config{
		Brokers: brokers, Namespace: w.namespace, Partitions: partitions, Log: slog.New(slog.DiscardHandler),
	}
}

// staff fills the rep and account tables, and puts the reps to work on the API at url.
func (w *world) staff(brokers []string, url string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cfg := w.config(brokers)
	cl, err := kgo.NewClient(cfg.Options()...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	put := func(t leadroute.Topic, key string, v any) {
		if err := w.put(ctx, cl, t, key, v); err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range w.reps {
		put(leadroute.TopicReps, string(w.reps[i].ID), &leadroute.RepMessage{Profile: &w.reps[i]})
	}
	for i := range w.accounts {
		put(leadroute.TopicAccounts, w.accounts[i].Domain, &leadroute.AccountMessage{Set: &w.accounts[i]})
	}
	reps, stopReps := view[desk.State](w, brokers, leadroute.TopicReps)
	defer stopReps()
	accounts, stopAccounts := view[leadroute.Account](w, brokers, leadroute.TopicAccounts)
	defer stopAccounts()
	w.until("the tables hold the reps and accounts", func() bool {
		return count(reps) == len(w.reps) && count(accounts) == len(w.accounts)
	})
	if w.desk, err = crmsim.NewDesk(w.sim, crmsim.DeskOptions{
		URL: url, Key: apiKey, Seed: *seed, Client: w.front(8),
		Respond: w.pace, Close: w.pace,
	}); err != nil {
		w.t.Fatal(err)
	}
	w.during(w.desk.Run)
}

// put writes a message into the product's log.
func (w *world) put(ctx context.Context, cl *kgo.Client, t leadroute.Topic, key string, v any) error {
	b, err := leadroute.Encode(v)
	if err == nil {
		err = cl.ProduceSync(ctx, &kgo.Record{Topic: w.namespace.Topic(t), Key: []byte(key), Value: b}).FirstErr()
	}
	if err != nil {
		return fmt.Errorf("write %s to %s: %w", key, t, err)
	}
	return nil
}

// view reads a stage's table from outside.
func view[S any](w *world, brokers []string, stage leadroute.Topic) (v *stream.View[S], stop func()) {
	w.t.Helper()
	v, err := stream.NewView[S](w.config(brokers), stage, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = v.Run(ctx) }) // always nil
	stop = func() { cancel(); wg.Wait() }
	select {
	case <-v.Recovered():
	case <-time.After(patience):
		stop()
		w.t.Fatalf("the table of %s could not be read within %v", stage, patience)
	}
	return v, stop
}

func count[S any](v *stream.View[S]) int {
	n := 0
	for range v.Rows {
		n++
	}
	return n
}

// until waits for something to be so.
func (w *world) until(what string, so func() bool) {
	w.t.Helper()
	end := time.Now().Add(patience)
	for !so() {
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s", patience, what)
		}
		w.pause(often)
	}
}

// often is how often a cheap condition is looked at: enough to kill in mid-load; seldom is
// for what takes a walk over all leads.
const (
	often  = 5 * time.Millisecond
	seldom = 100 * time.Millisecond
)

func (w *world) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
	}
}

// act is what happens when a share of the leads has been answered.
type act struct {
	at float64
	do func()
}

// send sends every lead, rate a second, and does each act while leads flow.
func (w *world) send(url string, rate float64, acts ...act) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Minute)
	defer cancel()
	const concurrency = 32
	client := w.front(concurrency)
	client.Transport = counting{client.Transport, &w.answered}
	sent := make(chan error, 1)
	go func() {
		var err error
		w.tally, err = loadgen.Send(ctx, loadgen.SendOptions{
			URL: url, Key: apiKey, Rate: rate, Concurrency: concurrency, Timeout: 5 * time.Second, Client: client,
		}, w.gen)
		sent <- err
	}()
	for _, a := range acts {
		for w.answered.Load() < int64(a.at*float64(w.gen.Len())) {
			select {
			case err := <-sent:
				w.t.Fatalf("all leads were sent before the time had come for what should happen at %v: %v", a.at, err)
			default:
				w.pause(often)
			}
		}
		a.do()
	}
	if err := <-sent; err != nil {
		w.t.Fatal(err)
	}
}

// front is a client of the product: of the process that is asked for or, where the world has
// a balancer, of one that is up.
func (w *world) front(concurrency int) *http.Client {
	client := leanhttp.NewClient(concurrency)
	if w.balancer != nil {
		client.Transport = balanced{client.Transport, w.balancer}
	}
	return client
}

// counting counts the leads that the door has answered for good.
type counting struct {
	http.RoundTripper
	answered *atomic.Int64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		c.answered.Add(1)
	}
	return resp, err
}

// settle waits until the product and the reps are done with every lead, or nothing moves
// any more, and returns the ledger's last words.
func (w *world) settle(brokers []string) map[leadroute.LeadID]demo.Final {
	w.t.Helper()
	rows, stop := view[ledger.State](w, brokers, leadroute.TopicLedger)
	defer stop()
	acked := w.tally.Acknowledged()
	last, since := -1, time.Now()
	for {
		open, pending := demo.Open(rows.Rows, acked), w.desk.Counts().Pending
		if open == 0 && pending == 0 {
			break
		}
		if moved := open + pending; moved != last {
			last, since = moved, time.Now()
		} else if time.Since(since) > patience {
			w.t.Errorf("nothing has moved for %v: %d leads are open, the reps have %d things to tell", patience, open, pending)
			w.stuck(rows)
			break
		}
		w.pause(seldom)
	}
	return demo.Finals(rows.Rows)
}

// stuck shows some of the leads that are still open.
func (w *world) stuck(rows *stream.View[ledger.State]) {
	shown := 0
	for id, s := range rows.Rows {
		if s.Phase == ledger.Dead || s.Done != 0 {
			continue
		}
		if shown++; shown > 5 {
			return
		}
		b, err := leadroute.Encode(s)
		w.t.Logf("open: %s %s %v", id, b, err)
	}
}

// verdict holds what was sent against what became of it, and fails the test if anything is wrong.
func (w *world) verdict(p *process) {
	w.t.Helper()
	at := p.where()
	finals := w.settle(at.Brokers)
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience)
	defer cancel()
	address, err := sink.ParseAddress(at.ClickHouse)
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := sink.Open(ctx, address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	var log *demo.Log
	var stored uint64
	for end := time.Now().Add(patience); ; w.pause(seldom) {
		if log, err = demo.ReadLog(ctx, w.namespace, w.config(at.Brokers).Options()...); err != nil {
			w.t.Fatal(err)
		}
		if stored, err = db.CountEvents(ctx); err != nil {
			w.t.Fatal(err)
		}
		if uint64(log.Events) == stored || time.Now().After(end) { //nolint:gosec // a count
			break
		}
	}
	report := demo.Verify(&demo.Evidence{
		Generator: w.gen, Judge: loadgen.NewJudge(w.reps), Tally: w.tally, Records: w.sim.Records(), CRM: w.sim.Stats(),
		Ledger: finals, Log: log, InClickHouse: int(stored), //nolint:gosec // a count
	})
	var table strings.Builder
	_ = report.WriteTable(&table) // a builder takes everything
	w.t.Logf("the sender: %d requests, %d failures, %d throttled; the reps: %+v\n%s",
		w.tally.Requests, w.tally.Failures, w.tally.Throttled, w.desk.Counts(), table.String())
	for _, f := range demo.Failures(&report.Summary) {
		w.t.Error(f)
	}
	if w.t.Failed() {
		w.keep("", nil)
	}
}

// keep copies the data folders to where LEADROUTE_E2E_KEEP says, for a look into a failure, and
// writes what there is to add under that name.
func (w *world) keep(name string, v any) {
	to := os.Getenv("LEADROUTE_E2E_KEEP")
	if to == "" {
		return
	}
	to = filepath.Join(to, strings.ReplaceAll(w.t.Name(), "/", "-"))
	err := os.RemoveAll(to)
	if err == nil {
		err = os.CopyFS(to, os.DirFS(w.dir))
	}
	if b, e := json.Marshal(v); err == nil && name != "" {
		err = errors.Join(e, os.WriteFile(filepath.Join(to, name), b, 0o600))
	}
	w.t.Logf("the data folders are in %s (%v)", to, err)
}
