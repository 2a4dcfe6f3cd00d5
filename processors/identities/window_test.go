package identities

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

// flow is people who come at an even pace, three in ten of them once more, each with one
// identity, while the rows are swept every sweepEvery.
type flow struct {
	r      *rand.Rand
	within time.Duration
	slide  bool
	rows   map[string]*State
	people int
	now    leadroute.Millis
	most   int // rows at once
	swept  int // rows that were looked at
}

// play lets so many people come in each window, for that long.
func (f *flow) play(windows float64, people int) {
	pause := f.within
	if people > 0 {
		pause = f.within / time.Duration(people)
	}
	end, sweep, next := f.now.Add(time.Duration(windows*float64(f.within))), f.now.Add(sweepEvery), f.now.Add(pause)
	for f.now < end {
		if f.now = min(sweep, next); f.now == sweep {
			f.sweep()
			sweep = f.now.Add(sweepEvery)
			continue
		}
		next = f.now.Add(pause)
		if people == 0 {
			continue
		}
		who := f.people
		if who > 0 && f.r.IntN(10) < 3 {
			who = f.r.IntN(who)
		} else {
			f.people++
		}
		key := fmt.Sprintf("%024d", who)
		id := leadroute.LeadID(fmt.Sprintf("%024d", f.now))
		m := &leadroute.IdentityMessage{Ask: &leadroute.Ask{Lead: id, Receipt: f.r.Uint64(), Last: true, Within: f.within.Milliseconds(), Slide: f.slide}}
		f.rows[key], _ = Apply(f.rows[key], m, f.now)
		if f.most = max(f.most, len(f.rows)); f.rows[key].Owner == nil && f.slide {
			own := &leadroute.Own{Claim: leadroute.ClaimID{Lead: id, Rev: 1, Try: 1, Rep: "u-00012345"}, Within: f.within.Milliseconds()}
			f.rows[key], _ = Apply(f.rows[key], &leadroute.IdentityMessage{Own: own}, f.now)
		}
	}
}

func (f *flow) sweep() {
	for key, s := range f.rows {
		f.swept++
		for _, e := range Sweep(key, s, f.now) {
			m, _ := e.Value.(*leadroute.IdentityMessage)
			if s, _ = Apply(s, m, f.now); s == nil {
				delete(f.rows, key)
			}
		}
	}
}

func newFlow(within time.Duration, slide bool) *flow {
	return &flow{r: rand.New(rand.NewPCG(1, uint64(within))), within: within, slide: slide, rows: map[string]*State{}, now: start}
}

var windows = []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour}

// TestMemoryIsBounded: there are never more rows than people who came within the window and
// the time between two sweeps, however long it goes on; and none when nobody came for so long.
func TestMemoryIsBounded(t *testing.T) {
	const people = 600
	for _, within := range windows {
		for _, slide := range []bool{false, true} {
			f := newFlow(within, slide)
			f.play(4, people)
			bound := int(float64(people) * float64(within+sweepEvery) / float64(within)) //nolint:gosec // small
			if f.most > bound+1 || f.most < people/2 {
				t.Errorf("%v, slides %v: %d rows at once, want at most %d, and half of that at least", within, slide, f.most, bound+1)
			}
			if f.people < 3*people/2 {
				t.Errorf("%v, slides %v: only %d people came", within, slide, f.people)
			}
			f.play(1+2*float64(sweepEvery)/float64(within), 0)
			if len(f.rows) != 0 {
				t.Errorf("%v, slides %v: %d rows are left when nobody came for longer than that", within, slide, len(f.rows))
			}
		}
	}
}

// BenchmarkWindow plays four windows of people and reports the most rows at once against those
// who came within one window (of-bound: 1 is the bound), what a row takes on the log and in
// memory, key included, and what of a core an hourly look at a million rows takes (‰-core).
func BenchmarkWindow(b *testing.B) {
	for _, within := range windows {
		b.Run(fmt.Sprintf("%dh", int(within.Hours())), func(b *testing.B) {
			const people = 5000
			var f *flow
			for b.Loop() {
				f = newFlow(within, true)
				f.play(4, people)
			}
			b.ReportMetric(float64(f.most)/(people*float64(within+sweepEvery)/float64(within)), "of-bound")
			memory(b, f)
		})
	}
}

// memory holds the rows as a table does, encoded.
func memory(b *testing.B, f *flow) {
	b.Helper()
	type kept struct {
		value []byte
		at    leadroute.Millis
	}
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	const copies = 40 // of each row: a large table
	before := heap()
	table := map[string]kept{}
	log := 0
	for key, s := range f.rows {
		raw, err := leadroute.Encode(s)
		if err != nil {
			b.Fatal(err)
		}
		for i := range copies {
			table[fmt.Sprintf("%02d%s", i, key[2:])] = kept{append(make([]byte, 0, len(raw)), raw...), s.Last}
		}
		log += len(key) + len(raw)
	}
	b.ReportMetric(float64(log)/float64(len(f.rows)), "log-B/row")
	b.ReportMetric((heap()-before)/float64(len(table)), "heap-B/row")
	begun := time.Now()
	for key, k := range table {
		s, err := leadroute.Decode[State](k.value)
		if err != nil {
			b.Fatal(err)
		}
		Sweep(key, s, f.now)
	}
	ns := float64(time.Since(begun).Nanoseconds()) / float64(len(table))
	b.ReportMetric(1000*ns*1e6/float64(sweepEvery.Nanoseconds()), "‰-core")
	runtime.KeepAlive(table)
}
