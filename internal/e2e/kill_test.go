package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/leadroute/leadroute/internal/crmsim"
)

// badDay is a CRM with the troubles of `leadroute demo --faults`.
var badDay = crmsim.Faults{Throttle: 0.03, Fail: 0.03, Hang: 0.005, Drop: 0.01, RetryAfter: 1, HangMS: 1000}

// The process, its broker, its stages and its sink die together, three times in mid-load
// and once while they recover, and come back on the same folder and port. The leads come as
// fast as they are taken, so that hundreds are on their way at each kill.
func TestProcessIsKilled(t *testing.T) {
	w := newWorld(t, 4000, badDay)
	p := w.process("a")
	p.launch()
	at := p.where()
	w.staff(at.Brokers, at.API)
	again := func() {
		p.kill()
		p.launch()
	}
	twice := func() {
		p.kill()
		p.start()
		w.until("the process recovers", func() bool { return p.where().PID == p.cmd.Process.Pid })
		again()
	}
	w.send(at.API, 0, act{0.2, again}, act{0.5, twice}, act{0.75, again})
	w.verdict(p)
}

// ClickHouse dies while leads flow. The process starts it again, and the sink goes on.
func TestClickHouseIsKilled(t *testing.T) {
	w := newWorld(t, 1000, crmsim.Faults{})
	p := w.process("a")
	p.launch()
	at := p.where()
	w.staff(at.Brokers, at.API)
	kill := func() {
		before := p.clickhouse()
		if before == 0 {
			t.Fatal("the process has no ClickHouse to be killed")
		}
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatalf("kill ClickHouse, process %d: %v", before, err)
		}
		w.until("ClickHouse runs again", func() bool { now := p.clickhouse(); return now != 0 && now != before })
	}
	w.send(at.API, 300, act{0.2, kill}, act{0.5, kill}, act{0.8, kill})
	w.verdict(p)
}

// The process is told to stop while leads are in flight: it stops soon and in order, and
// the next one goes on with them.
func TestProcessIsStopped(t *testing.T) {
	w := newWorld(t, 1000, crmsim.Faults{})
	p := w.process("a")
	p.launch()
	at := p.where()
	w.staff(at.Brokers, at.API)
	w.send(at.API, 300, act{0.5, func() {
		took := p.terminate()
		t.Logf("stopped %v after SIGTERM, with leads in flight", took.Round(time.Millisecond))
		if p.err != nil {
			t.Errorf("after SIGTERM the process ended with %v, want exit code 0\n%s", p.err, p.tail())
		}
		if limit := 10 * time.Second; took > limit { // 3 s on a machine that has nothing else to do
			t.Errorf("SIGTERM to exit took %v, want %v at most", took, limit)
		}
		p.launch()
	}})
	w.verdict(p)
}
