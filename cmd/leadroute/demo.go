package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/examples"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/demo"
	"github.com/leadroute/leadroute/internal/loadgen"
)

// demoOptions are those of `leadroute demo`.
type demoOptions struct {
	Out, Err io.Writer

	Leads      int
	Rate       float64
	Seed       uint64
	Reps       int
	Policy     string // empty: examples/demo.hcl
	Brokers    string
	ClickHouse string
	Data       string // empty: a temporary folder
	Faults     bool
	JSON       bool
	Keep       bool
	Timeout    time.Duration
	Profile    string
	HeapFile   string
}

func newDemo() *cobra.Command {
	o := &demoOptions{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Send thousands of made-up leads the whole way, and check what became of each",
		Long: `Demo starts the product on embedded engines (or on yours), a CRM simulator and sixty reps in three
regions who work round the clock, sends it seeded leads (duplicates and broken ones among them), and
waits until every lead has been delivered and closed. Then it holds what was sent against what the
CRM, the ledger, the log and ClickHouse have, and prints a summary.

It fails, saying why, if a lead was lost, delivered twice or to the wrong owner, if a signature was
bad, a rep held more than the cap, or an event of the log is not in ClickHouse exactly once.`,
		Example: `  leadroute demo
  leadroute demo --leads 20000 --rate 0 --faults --json
  leadroute demo --brokers localhost:9092 --clickhouse clickhouse://default@localhost:9000/demo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.run(ctx)
		},
	}
	f := c.Flags()
	f.IntVar(&o.Leads, "leads", 5000, "how many leads to send")
	f.Float64Var(&o.Rate, "rate", 500, "leads a second; 0: as fast as it goes")
	f.Uint64Var(&o.Seed, "seed", 1, "decides the leads, the reps and the faults")
	f.IntVar(&o.Reps, "reps", 60, "how many reps work")
	f.StringVar(&o.Policy, "policy", "", "policy to route by; empty: examples/demo.hcl")
	f.StringVar(&o.Brokers, "brokers", "", "Kafka brokers, host:port,...; empty: embedded")
	f.StringVar(&o.ClickHouse, "clickhouse", "", "ClickHouse address; empty: embedded")
	f.StringVar(&o.Data, "data", "", "data folder; empty: a temporary one")
	f.BoolVar(&o.Faults, "faults", false, "the CRM answers 429 and 500, and commits without answering")
	f.BoolVar(&o.JSON, "json", false, "print the summary as one JSON object, on the last line of stdout")
	f.BoolVar(&o.Keep, "keep", false, "keep the temporary data folder")
	f.DurationVar(&o.Timeout, "patience", 90*time.Second, "give up when nothing has moved for so long")
	f.StringVar(&o.Profile, "cpuprofile", "", "write a CPU profile of the run to this file, for go tool pprof")
	f.StringVar(&o.HeapFile, "memprofile", "", "write a heap profile, taken when all leads have settled, to this file")
	return c
}

// webhookKey signs the demo's webhooks; the CRM simulator on loopback is all it opens.
const webhookKey = "whsec_bGVhZHJvdXRlLWRlbW8tc2lnbmluZy1rZXktMzIh"

func (o *demoOptions) run(ctx context.Context) (err error) {
	if o.Leads <= 0 || o.Reps <= 0 || o.Rate < 0 {
		return errors.New("--leads and --reps must be at least 1, --rate at least 0")
	}
	if o.Data == "" {
		if o.Data, err = os.MkdirTemp("", "leadroute-demo-"); err != nil {
			return err
		}
		defer func() {
			if o.Keep {
				fmt.Fprintf(o.Err, "the data are in %s\n", o.Data)
			} else if rm := os.RemoveAll(o.Data); rm != nil && err == nil {
				err = rm
			}
		}()
	}
	d := &demoRun{demoOptions: o, reps: loadgen.Reps(o.Seed, o.Reps, loadgen.ThreeRegions)}
	report, err := d.play(ctx)
	if err != nil {
		return err
	}
	if err := report.WriteTable(o.talk()); err != nil {
		return err
	}
	if o.JSON {
		if err := json.NewEncoder(o.Out).Encode(report.Summary); err != nil {
			return err
		}
	}
	if bad := demo.Failures(&report.Summary); len(bad) > 0 {
		return fmt.Errorf("the run failed: %s", strings.Join(bad, "; "))
	}
	return nil
}

// talk is where the table goes: stdout, unless that belongs to programs.
func (o *demoOptions) talk() io.Writer {
	if o.JSON {
		return o.Err
	}
	return o.Out
}

// demoRun is one run.
type demoRun struct {
	*demoOptions
	reps     []leadroute.Rep
	accounts []leadroute.Account
	gen      *loadgen.Generator
	sim      *crmsim.Sim
	desk     *crmsim.Desk
	server   *server
	tally    *loadgen.Tally
	usage    demo.Usage
}

// play starts everything, sends, waits, gathers the evidence and stops everything.
func (d *demoRun) play(ctx context.Context) (*demo.Report, error) {
	if err := d.cast(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	crm, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the CRM: %w", err)
	}
	if d.server, err = newServer(ctx, d.serverOptions("http://"+crm.Addr().String())); err != nil {
		_ = crm.Close()
		return nil, err
	}
	defer d.server.close()
	if d.desk, err = crmsim.NewDesk(d.sim, crmsim.DeskOptions{
		URL: d.server.URL(), Key: d.server.settings.firstKey(), Seed: d.Seed,
		Respond: crmsim.Span{Min: 150 * time.Millisecond, Max: 500 * time.Millisecond},
		Close:   crmsim.Span{Min: 150 * time.Millisecond, Max: 500 * time.Millisecond},
		Workers: 16,
	}); err != nil {
		return nil, err
	}
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return d.sim.Serve(running, crm) })
	g.Go(func() error { return d.desk.Run(running) })
	g.Go(func() error { return d.server.Run(running) })
	var report *demo.Report
	g.Go(func() error {
		defer cancel()
		var err error
		report, err = d.act(running)
		return err
	})
	return report, g.Wait()
}

// cast makes the leads, the CRM and the policy.
func (d *demoRun) cast() (err error) {
	d.accounts = loadgen.Accounts(d.Seed, 400, d.reps)
	if d.gen, err = loadgen.New(loadgen.Options{
		Seed: d.Seed, Leads: d.Leads, DuplicateRate: 0.05, MalformedRate: 0.02, WrongTypeRate: 0.01,
		FreeMailRate: 0.2, KnownAccountRate: 0.15, Accounts: d.accounts,
	}); err != nil {
		return err
	}
	sim := crmsim.Options{Secret: webhookKey, Seed: d.Seed}
	if d.Faults {
		sim.Faults = crmsim.Faults{Throttle: 0.03, Fail: 0.03, Hang: 0.005, Drop: 0.01, RetryAfter: 1, HangMS: 1000}
	}
	if d.sim, err = crmsim.New(sim); err != nil {
		return err
	}
	caps := map[leadroute.RepID]int{}
	for i := range d.reps {
		caps[d.reps[i].ID] = d.reps[i].Caps.Open
	}
	d.sim.SetCaps(caps)
	if d.Policy != "" {
		return nil
	}
	d.Policy = filepath.Join(d.Data, "demo.hcl")
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return err
	}
	return os.WriteFile(d.Policy, examples.Demo, 0o600)
}

func (d *demoRun) serverOptions(crm string) serverOptions {
	secrets := map[string]string{"CRM_WEBHOOK_URL": crm + crmsim.WebhookPath, "CRM_WEBHOOK_KEY": webhookKey}
	return serverOptions{
		Policy: []string{d.Policy}, Brokers: splitList(d.Brokers), ClickHouse: d.ClickHouse,
		Listen: "127.0.0.1:0", Data: d.Data, Namespace: d.namespace(), Partitions: 4,
		Secret: func(name string) (string, bool) {
			if v, ok := secrets[name]; ok {
				return v, true
			}
			return os.LookupEnv(name)
		},
		Log:      slog.New(slog.NewTextHandler(d.Err, &slog.HandlerOptions{Level: slog.LevelError})),
		Progress: d.Err,
	}
}

// namespace keeps a run on a shared broker apart from the runs before it.
func (d *demoRun) namespace() string {
	if d.Brokers == "" {
		return "demo"
	}
	return fmt.Sprintf("demo-%d", time.Now().Unix())
}

// act is the run itself.
func (d *demoRun) act(ctx context.Context) (*demo.Report, error) {
	if err := d.staff(ctx); err != nil {
		return nil, err
	}
	show := newDemoProgress(d)
	defer show.stop()
	if d.Profile != "" {
		f, err := os.Create(d.Profile)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	began, before := time.Now(), d.measure()
	var err error
	if d.tally, err = loadgen.Send(ctx, loadgen.SendOptions{
		URL: d.server.URL(), Key: d.server.settings.firstKey(), Rate: d.Rate, Concurrency: 32,
		Progress: show.sent, Batch: d.batch(),
	}, d.gen); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if err := d.settle(ctx, show); err != nil {
		return nil, err
	}
	show.stop()
	if err := d.heapProfile(); err != nil {
		return nil, err
	}
	d.usage = d.measure().Since(before)
	d.usage.Wall = time.Since(began)
	return d.judge(ctx)
}

func (d *demoRun) heapProfile() error {
	if d.HeapFile == "" {
		return nil
	}
	f, err := os.Create(d.HeapFile)
	if err != nil {
		return err
	}
	runtime.GC() // so that it shows what is live
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// measure reads what this process (product, simulators and the embedded log) and the
// embedded ClickHouse have used; the memory is this process's. What this system cannot
// tell is left zero.
func (d *demoRun) measure() demo.Usage {
	u, _ := demo.ProcessUsage(os.Getpid())
	if d.server.engine != nil {
		ch, _ := demo.ProcessUsage(d.server.engine.PID())
		u.CPU += ch.CPU
	}
	return u
}

// batch is how many leads go into one request: one at a steady rate, as forms send them,
// and many when it is to go as fast as it goes, as scrapers do.
func (d *demoRun) batch() int {
	if d.Rate > 0 {
		return 1
	}
	return 50
}

// staff fills the rep and account tables and waits until leads can flow.
func (d *demoRun) staff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := d.server.Ready(ctx); err != nil {
		return fmt.Errorf("the stages did not come up within a minute: %w", err)
	}
	for i := range d.reps {
		if err := d.server.produce(ctx, leadroute.TopicReps, string(d.reps[i].ID), &leadroute.RepMessage{Profile: &d.reps[i]}); err != nil {
			return fmt.Errorf("hire: %w", err)
		}
	}
	for i := range d.accounts {
		if err := d.server.produce(ctx, leadroute.TopicAccounts, d.accounts[i].Domain, &leadroute.AccountMessage{Set: &d.accounts[i]}); err != nil {
			return fmt.Errorf("import accounts: %w", err)
		}
	}
	for {
		reps, accounts := 0, 0
		for range d.server.pipeline.Reps.Rows {
			reps++
		}
		for range d.server.pipeline.Accounts.Rows {
			accounts++
		}
		if reps >= len(d.reps) && accounts >= len(d.accounts) {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("the tables have %d of %d reps and %d of %d accounts: %w", reps, len(d.reps), accounts, len(d.accounts), err)
		}
	}
}

// settle waits until every lead is closed, or nothing has moved for as long as the patience lasts.
func (d *demoRun) settle(ctx context.Context, show *demoProgress) error {
	acked := d.tally.Acknowledged()
	last, since := -1, time.Now()
	for {
		pending := d.desk.Counts().Pending
		open := d.sim.Count() // walking the ledger's rows is not for free: only when the CRM has nothing left to do
		if pending == 0 {
			open = demo.Open(d.server.pipeline.Ledger.Rows, acked)
		}
		show.settling(pending)
		if open == 0 && pending == 0 {
			return nil
		}
		if moved := open + pending; moved != last {
			last, since = moved, time.Now()
		} else if time.Since(since) > d.Timeout {
			return nil // the summary says what is left
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// judge gathers the evidence.
func (d *demoRun) judge(ctx context.Context) (*demo.Report, error) {
	end, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := d.server.sink.CaughtUp(end); err != nil {
		fmt.Fprintf(d.Err, "the sink did not catch up: %v\n", err)
	}
	log, err := demo.ReadLog(end, d.server.stream.Namespace, d.server.stream.Options()...)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	stored, err := d.server.db.CountEvents(end)
	if err != nil {
		return nil, fmt.Errorf("count the events: %w", err)
	}
	e := &demo.Evidence{
		Generator: d.gen, Tally: d.tally, Records: d.sim.Records(), CRM: d.sim.Stats(), Ledger: demo.Finals(d.server.pipeline.Ledger.Rows), Log: log,
		InClickHouse: int(stored), Usage: d.usage,
	}
	if filepath.Dir(d.Policy) == d.Data {
		e.Judge = loadgen.NewJudge(d.reps)
	}
	e.SLA = map[leadroute.Class]time.Duration{}
	for _, c := range d.server.policy.Plan.Classes {
		e.SLA[c.Name] = c.DeliverWithin
	}
	return demo.Verify(e), nil
}
