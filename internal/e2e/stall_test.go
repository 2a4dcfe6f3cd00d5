package e2e

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/embedded"
)

// One of two instances is stalled in mid-load for longer than its session, so that the
// other takes its leads over, and then goes on with what it had in hand, which it must not.
func TestProcessIsStalled(t *testing.T) {
	w := newWorld(t, 2000, crmsim.Faults{})
	if len(w.given) == 0 {
		b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{Dir: filepath.Join(w.dir, "broker")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		w.given = b.Addrs()
	}
	ch, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: filepath.Join(w.dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	a, b := w.process("a", "--clickhouse", ch.DSN()), w.process("b", "--clickhouse", ch.DSN())
	a.launch()
	b.launch()
	at := b.where()
	w.staff(at.Brokers, at.API)
	w.until("both instances own a part of each table", func() bool { return w.owners() == [2]int{2, 2} })
	w.send(at.API, 100, act{0.2, func() {
		a.signal(syscall.SIGSTOP)
		began := time.Now()
		w.until("the other instance owns all of each table", func() bool { return w.owners() == [2]int{1, 1} })
		before := w.sim.Count()
		w.until("the other instance delivers", func() bool { return w.sim.Count() > before+20 })
		a.signal(syscall.SIGCONT)
		t.Logf("stalled for %v, %d of %d leads answered", time.Since(began).Round(time.Millisecond), w.answered.Load(), w.gen.Len())
	}})
	w.until("both instances own a part of each table again", func() bool { return w.owners() == [2]int{2, 2} })
	w.verdict(b)
	for _, p := range []*process{a, b} {
		if took := p.terminate(); p.err != nil || took > 10*time.Second {
			t.Errorf("after SIGTERM %s ended with %v after %v, want exit code 0 within 10 s", filepath.Base(p.data), p.err, took)
		}
	}
}

// owners counts the members that own something, the fewest and the most of any stateful stage.
func (w *world) owners() (span [2]int) {
	w.t.Helper()
	cl, err := kgo.NewClient(w.config(w.given).Options()...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	var names []string
	for _, s := range leadroute.Stages {
		names = append(names, w.namespace.Group(string(s)))
	}
	groups, err := kadm.NewClient(cl).DescribeGroups(w.t.Context(), names...)
	if err != nil {
		w.t.Fatalf("who owns what: %v", err)
	}
	span[0] = len(leadroute.Stages)
	for _, g := range groups {
		n := 0
		if g.State == "Stable" {
			for _, m := range g.Members {
				if set, ok := m.Assigned.AsConsumer(); ok && len(set.Topics) > 0 {
					n++
				}
			}
		}
		span[0], span[1] = min(span[0], n), max(span[1], n)
	}
	return span
}
