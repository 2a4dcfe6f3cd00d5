//go:build kafka

package e2e

import (
	"testing"
	"time"

	"github.com/leadroute/leadroute/internal/kafkajvm"
)

// The broker dies in mid-load, twice, and comes back; the process stays up all the time.
func TestBrokerIsKilled(t *testing.T) {
	w := newWorld(t, 2000, badDay)
	broker, err := kafkajvm.Start(t.Context(), kafkajvm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.given = []string{broker.Addr()}
	p := w.process("a")
	p.launch()
	at := p.where()
	w.staff(at.Brokers, at.API)
	again := func() {
		broker.Kill()
		began := time.Now()
		if err := broker.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := w.sim.Count()
		w.until("leads are delivered again", func() bool { return w.sim.Count() > before+20 })
		t.Logf("leads were delivered again %v after the kill", time.Since(began).Round(time.Millisecond))
	}
	w.send(at.API, 200, act{0.25, again}, act{0.6, again})
	w.verdict(p)
	select {
	case <-p.done:
		t.Errorf("the process ended with %v, want it to outlive its broker", p.err)
	default:
	}
}
