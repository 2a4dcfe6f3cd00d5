package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/audit"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/embedded"
	"github.com/leadroute/leadroute/internal/loadgen"
)

// TestFloor is a sales floor on a bad day: sixty reps with small desks, who go away and come
// back, are removed and hired again; leads with duplicates; three instances on one log, which
// are killed, stalled, told to stop and joined by a fourth, by the seed. In the end the log
// and the CRM are held against each other by internal/audit and by internal/demo.
//
// make floor runs it with 50,000 leads, on the embedded log and on a real Kafka.
func TestFloor(t *testing.T) {
	w := newWorld(t, 2000, badDay)
	f := openFloor(w)
	f.staffIt()
	f.send()
	f.restore()
	w.verdict(f.anyone())
	f.audit()
}

// The floor's caps: those of testdata/floor.hcl for pools, its own for reps, some 150 places in
// all. APAC is the tightest: a quarter of the leads for a tenth of the places.
var floorPools = map[leadroute.PoolID]int{"enterprise": 4, "amer": 2, "emea": 2, "apac": 2}

func floorCap(i int) int { return 2 + i%2 }

// floorCost is what leads take of a rep's own places: of some of the enterprise team two each.
func floorCost(r *leadroute.Rep, i int) map[leadroute.Class]int {
	if r.Team == loadgen.TeamEnterprise && i%2 == 1 {
		return map[leadroute.Class]int{"P0": 2}
	}
	return nil
}

// floorBusy is how many of the places are taken when nothing goes wrong: half of those of APAC, so
// that leads wait whenever something does, and the queues are empty again before long.
const floorBusy = 40

// floor is the world of the test with its instances.
type floor struct {
	*world
	ch   *embedded.ClickHouse
	cl   *kgo.Client // the hands of managers and of the reps themselves
	all  []*process
	dice *rand.Rand
	// added counts the instances that came later.
	added int

	mu        sync.Mutex
	unsettled []audit.Span
	deeds     map[string]int
}

func openFloor(w *world) *floor {
	t := w.t
	t.Helper()
	f := &floor{world: w, dice: rand.New(rand.NewPCG(*seed, 0)), deeds: map[string]int{}} //nolint:gosec // a test's dice
	if len(w.given) == 0 {
		b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{Dir: filepath.Join(w.dir, "broker")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		w.given = b.Addrs()
	}
	var err error
	if f.ch, err = embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: filepath.Join(w.dir, "clickhouse")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.ch.Stop)
	if w.policy, err = filepath.Abs(filepath.Join("testdata", "floor.hcl")); err != nil {
		t.Fatal(err)
	}
	caps := map[leadroute.RepID]int{}
	for i := range w.reps {
		w.reps[i].Caps.Open, w.reps[i].Cost = floorCap(i), floorCost(&w.reps[i], i)
		caps[w.reps[i].ID] = floorCap(i)
	}
	w.sim.SetCaps(caps)
	w.sim.SetPoolCaps(floorPools)
	w.balancer = &balancer{up: map[*process]string{}}
	for _, name := range []string{"a", "b", "c"} {
		f.add(name)
	}
	cfg := w.config(w.given)
	if f.cl, err = kgo.NewClient(cfg.Options()...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.cl.Close)
	return f
}

// add starts one more instance.
func (f *floor) add(name string) {
	p := f.process(name, "--clickhouse", f.ch.DSN())
	f.all = append(f.all, p)
	f.launch(p)
}

// launch starts an instance, and again if it ends before it is ready, as whoever keeps it up would:
// the embedded ClickHouse is away for a moment when a client that was killed resets its connection.
func (f *floor) launch(p *process) {
	f.t.Helper()
	for again := 0; !p.try(); again++ {
		if again == 10 {
			f.t.Fatalf("the process ended again and again: %v\n%s", p.err, p.tail())
		}
		f.did("started in vain")
		f.pause(500 * time.Millisecond)
	}
	f.balancer.set(p, p.where().API)
}

func (f *floor) staffIt() {
	f.t.Helper()
	mean := time.Duration(floorBusy / f.rate() * float64(time.Second))
	f.pace = crmsim.Span{Min: mean / 10, Max: mean * 9 / 10} // twice: to respond, and to close
	f.staff(f.given, f.anyone().where().API)
	f.owned(len(f.all))
}

// owned waits until n instances own a part of each table.
func (f *floor) owned(n int) {
	f.t.Helper()
	f.until(fmt.Sprint(n, " instances own all of each table"), func() bool { return f.owners() == [2]int{n, n} })
}

// anyone is an instance that is up.
func (f *floor) anyone() *process {
	f.t.Helper()
	for _, p := range f.all {
		if f.balancer.has(p) {
			return p
		}
	}
	f.t.Fatal("no instance is up")
	return nil
}

// rate is how many leads a second come: so many that caps are tight, and not so few that a
// large run takes more than some eight minutes.
func (f *floor) rate() float64 { return max(80, float64(f.gen.Len())/480) }

// calm is how long at most instances are left alone when all is settled: turns are judged then.
func (f *floor) calm() time.Duration {
	return min(time.Duration(float64(f.gen.Len())/f.rate()*float64(time.Second))/16, 6*time.Second)
}

// send lets the leads come while instances and reps come and go.
func (f *floor) send() {
	f.during(f.tellHowFar)
	f.during(f.feel)
	ctx, stop := context.WithCancel(f.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.coming(ctx, rand.New(rand.NewPCG(*seed, 1))) }) //nolint:gosec // a test's dice
	f.world.send(f.anyone().where().API, f.rate(), act{0.02, f.havoc})
	stop()
	wg.Wait()
	f.t.Logf("-seed %d: %v", *seed, f.deeds)
}

// tellHowFar says now and then how far the run has come.
func (f *floor) tellHowFar(ctx context.Context) error {
	for rest(ctx, 20*time.Second) {
		f.t.Logf("%d of %d leads are answered, %d are at the CRM", f.answered.Load(), f.gen.Len(), f.sim.Count())
	}
	return nil
}

// rest waits, and tells whether the run goes on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (f *floor) did(deed string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deeds[deed]++
}

// settling is how long after an instance came or went turns are not judged.
func (f *floor) settling() time.Duration {
	if f.long() {
		return 3 * time.Second
	}
	return time.Second
}

// disturb does something to the instances, and notes when.
func (f *floor) disturb(deed string, do func()) {
	from := leadroute.At(time.Now())
	f.did(deed)
	do()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsettled = append(f.unsettled, audit.Span{From: from, Until: leadroute.At(time.Now().Add(f.settling()))})
}

// feel notes when the log itself stood still: the embedded one does when it compacts, and a
// busy machine may keep any from answering. Views are behind then; and if it takes long
// sessions end, as when an instance is stalled.
func (f *floor) feel(ctx context.Context) error {
	for rest(ctx, 100*time.Millisecond) {
		began := time.Now()
		err := f.cl.Ping(ctx)
		took := time.Since(began)
		if ctx.Err() != nil || err == nil && took < f.lag()/2 {
			continue
		}
		after := 2 * f.lag()
		if err != nil || took > time.Second {
			after = 2 * f.settling()
		}
		f.did("log stood still")
		f.mu.Lock()
		f.unsettled = append(f.unsettled, audit.Span{From: leadroute.At(began), Until: leadroute.At(time.Now().Add(after))})
		f.mu.Unlock()
	}
	return nil
}

// long tells that the run has its machine for itself, and time for what is rare.
func (f *floor) long() bool { return f.gen.Len() >= 5000 }

// lag is how long a rep must have been free until each pool must know it. A short run is one of
// many tests that share a machine: hardly a turn is judged in it.
func (f *floor) lag() time.Duration {
	if f.long() {
		return 400 * time.Millisecond
	}
	return 2 * time.Second
}

// havoc does something to the instances, each thing once and then again, until nearly all leads
// have come.
func (f *floor) havoc() {
	deeds := []func(){f.kill, f.stall, f.stop, f.join}
	for more := true; more; more = f.answered.Load() < int64(f.gen.Len())*9/10 {
		f.dice.Shuffle(len(deeds), func(i, j int) { deeds[i], deeds[j] = deeds[j], deeds[i] })
		for _, do := range deeds {
			do()
			f.pause(f.settling() + time.Duration(f.dice.Int64N(int64(f.calm()))))
		}
	}
}

func (f *floor) pick() *process { return f.all[f.dice.IntN(len(f.all))] }

func (f *floor) kill() {
	p := f.pick()
	f.disturb("killed", func() {
		f.balancer.set(p, "")
		p.kill()
		f.pause(time.Duration(f.dice.IntN(1500)) * time.Millisecond)
		f.launch(p)
	})
}

// stall stops an instance for longer than its session, so that the others take its leads over,
// and lets it go on with what it had in hand.
func (f *floor) stall() {
	p := f.pick()
	f.disturb("stalled", func() {
		f.balancer.set(p, "")
		p.signal(syscall.SIGSTOP)
		f.owned(len(f.all) - 1)
		f.pause(time.Duration(f.dice.IntN(2000)) * time.Millisecond)
		p.signal(syscall.SIGCONT)
		f.balancer.set(p, p.where().API)
	})
}

func (f *floor) stop() {
	p := f.pick()
	f.disturb("stopped", func() {
		f.balancer.set(p, "")
		p.terminate()
		f.launch(p)
	})
}

// join adds an instance, or ends the one that was added before.
func (f *floor) join() {
	if len(f.all) > 3 {
		f.disturb("taken away", func() {
			p := f.all[3]
			f.all = f.all[:3]
			f.balancer.set(p, "")
			p.terminate()
			f.owned(len(f.all)) // a member that may come back is waited for
		})
		return
	}
	f.added++
	f.disturb("added", func() {
		f.add(fmt.Sprint("d", f.added))
		f.owned(len(f.all))
	})
}

// coming has reps go away and come back, be removed and hired again, and half of the floor go
// out for a moment, so that leads queue.
func (f *floor) coming(ctx context.Context, dice *rand.Rand) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for rest(ctx, time.Duration(200+dice.IntN(800))*time.Millisecond) {
		who := []int{dice.IntN(len(f.reps))}
		out, back, deed := status(leadroute.StatusAway), func(int) *leadroute.RepMessage { return status(leadroute.StatusAvailable) }, "away"
		switch n := dice.IntN(10); {
		case n < 3:
			out, back, deed = &leadroute.RepMessage{Remove: &leadroute.RepRemoval{}}, f.hiring, "removed"
		case n == 3:
			who, deed = dice.Perm(len(f.reps))[:len(f.reps)/2], "at lunch"
		}
		f.did(deed)
		took := time.Duration(500+dice.IntN(2500)) * time.Millisecond
		wg.Go(func() {
			f.tell(who, func(int) *leadroute.RepMessage { return out })
			rest(ctx, took)
			f.tell(who, back)
		})
	}
}

func status(s leadroute.RepStatus) *leadroute.RepMessage { return &leadroute.RepMessage{Status: &s} }

func (f *floor) hiring(i int) *leadroute.RepMessage {
	return &leadroute.RepMessage{Profile: &f.reps[i]}
}

func (f *floor) tell(who []int, m func(i int) *leadroute.RepMessage) {
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	for _, i := range who {
		if err := f.put(ctx, f.cl, leadroute.TopicReps, string(f.reps[i].ID), m(i)); err != nil && f.t.Context().Err() == nil {
			f.t.Error(err)
		}
	}
}

// restore brings everybody back.
func (f *floor) restore() {
	all := make([]int, len(f.reps))
	for i := range all {
		all[i] = i
	}
	f.tell(all, f.hiring)
	f.tell(all, func(int) *leadroute.RepMessage { return status(leadroute.StatusAvailable) })
}

// audit holds the log against what the floor knows.
func (f *floor) audit() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 2*patience)
	defer cancel()
	log, err := audit.Read(ctx, f.namespace, f.config(f.given).Options()...)
	if err != nil {
		f.t.Fatal(err)
	}
	pools := map[leadroute.PoolID][]leadroute.RepID{}
	own := map[leadroute.RepID]map[leadroute.Class]int{}
	for i, r := range f.reps {
		own[r.ID] = floorCost(&r, i)
		for pool, region := range map[leadroute.PoolID]string{"amer": "NA", "emea": "EMEA", "apac": "APAC"} {
			if r.Team == loadgen.TeamAE && r.Region == region {
				pools[pool] = append(pools[pool], r.ID)
			}
		}
	}
	f.mu.Lock()
	unsettled := slices.Clone(f.unsettled)
	f.mu.Unlock()
	rules := &audit.Rules{
		PoolOpen: floorPools, InTurn: pools, Unsettled: unsettled, Lag: f.lag(),
		Cost: map[leadroute.PoolID]map[leadroute.Class]int{"enterprise": {"P0": 2}}, Own: own,
	}
	evidence := &audit.Evidence{Accepted: slices.Sorted(maps.Keys(f.tally.Acknowledged())), CRM: f.sim.Records()}
	v := log.Judge(rules, evidence)
	f.t.Log(v)
	for _, bad := range v.Failures() {
		f.t.Error(bad)
	}
	if f.long() && (v.Queued == 0 || v.Moved == 0 || v.Declined == 0 || v.Turns == 0) {
		f.t.Errorf("%d leads waited, %d moved on, %d claims were declined, %d turns were judged: the run proves less than it should", v.Queued, v.Moved, v.Declined, v.Turns)
	}
	for _, x := range v.Examples {
		f.t.Log("  " + x)
	}
	if f.t.Failed() {
		f.keep("judged.json", map[string]any{"rules": rules, "evidence": evidence})
	}
}

// balancer knows which instances are up, as a load balancer does by its health checks.
type balancer struct {
	mu   sync.Mutex
	up   map[*process]string // host:port
	next int
}

// set says where an instance is; empty: it is away.
func (b *balancer) set(p *process, api string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, err := url.Parse(api)
	if err != nil || u.Host == "" {
		delete(b.up, p)
		return
	}
	b.up[p] = u.Host
}

func (b *balancer) has(p *process) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.up[p] != ""
}

var errNobody = errors.New("no instance is up")

// host is that of the next instance in turn.
func (b *balancer) host() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	hosts := slices.Sorted(maps.Values(b.up))
	if len(hosts) == 0 {
		return "", errNobody
	}
	b.next++
	return hosts[b.next%len(hosts)], nil
}

// balanced sends each request to an instance that is up.
type balanced struct {
	http.RoundTripper
	*balancer
}

func (b balanced) RoundTrip(r *http.Request) (*http.Response, error) {
	host, err := b.host()
	if err != nil {
		_ = r.Body.Close()
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = host, host
	return b.RoundTripper.RoundTrip(r)
}
