package company

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// madeUp draws companies' names with words as unevenly spread as in a real list: some own
// words that very many names have, many that one or two have, and common words.
type madeUp struct {
	r           *rand.Rand
	own         []string
	zipf        *rand.Zipf
	trade, deco []string
}

func newMadeUp(seed uint64, own int) *madeUp {
	m := &madeUp{r: rand.New(rand.NewPCG(seed, 3)), trade: words(tradeList), deco: words("group holdings international global services solutions systems partners industries")}
	syllables := strings.Fields("a an ar bel ber bo bra ca cor da del den dor e el en er fa far fin ga gen gil go ha har hel i in is ja jor ka kel kor la lan lar lin lo " +
		"ma mar mer mon na nel nor o on or pa par pel per qua ra ran rel ri ro sa san sel ser sol ta tan tel ter tor u ul va van vel ver vi wa wel win xa ya za zel zor")
	seen := map[string]bool{}
	for len(m.own) < own {
		var w strings.Builder
		for range 2 + m.r.IntN(3) {
			w.WriteString(syllables[m.r.IntN(len(syllables))])
		}
		if s := w.String(); len(s) > 2 && !seen[s] {
			seen[s] = true
			m.own = append(m.own, s)
		}
	}
	m.zipf = rand.NewZipf(m.r, 1.07, 20, uint64(own-1))
	return m
}

func (m *madeUp) name() string {
	pick := func(l []string) string { return l[m.r.IntN(len(l))] }
	var ws []string
	switch d := m.r.IntN(100); {
	case d < 3: // First Mutual Bank
		ws = append(ws, pick([]string{"First", "United", "American", "National", "General"}), pick(m.trade))
	case d < 60:
		ws = append(ws, m.own[m.zipf.Uint64()])
	case d < 95:
		ws = append(ws, m.own[m.zipf.Uint64()], m.own[m.zipf.Uint64()])
	default:
		ws = append(ws, m.own[m.zipf.Uint64()], m.own[m.zipf.Uint64()], m.own[m.zipf.Uint64()])
	}
	for range m.r.IntN(3) {
		ws = append(ws, pick(m.trade))
	}
	if m.r.IntN(3) == 0 {
		ws = append(ws, pick(m.deco))
	}
	if m.r.IntN(4) > 0 {
		ws = append(ws, pick([]string{"Inc.", "LLC", "Ltd", "GmbH", "Corp.", "S.A.", "B.V."}))
	}
	return strings.Join(ws, " ")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// threadTime is the CPU time of this thread: on a machine that others use, too, the time of
// day shows their work, not ours.
func threadTime(b *testing.B) int64 {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

// BenchmarkSearch looks names up among ten thousand accounts and a million: as they are
// filed, with noise, and names of nobody. It reports the CPU time of the median lookup and of
// the slowest of a hundred, the mean as a share of the 50 µs that a lookup may take (of-limit),
// how many times as long it takes to compare a name with every account's (x-scan), and the
// memory of the index.
func BenchmarkSearch(b *testing.B) {
	const limit, least = 50_000, 0.92 // ns; as in the policies
	for _, accounts := range []int{10_000, 1_000_000} {
		f := sync.OnceValue(func() *filed { return newFiled(accounts) })
		for _, kind := range []string{"exact", "noisy", "nobody"} {
			b.Run(fmt.Sprintf("%d/%s", accounts, kind), func(b *testing.B) {
				f := f()
				r := rand.New(rand.NewPCG(2, uint64(len(kind))))
				asked := make([]string, 1<<14)
				for i := range asked {
					switch asked[i] = f.names[r.IntN(accounts)]; kind {
					case "noisy":
						asked[i], _ = noisy(r, asked[i])
					case "nobody":
						asked[i] = f.m.name() // or somebody, by chance
					}
				}
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				took := make([]int64, 0, b.N)
				total := int64(0)
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					t := threadTime(b)
					f.x.Search(Normal(asked[i%len(asked)]), least)
					took = append(took, threadTime(b)-t)
					total += took[i]
				}
				b.StopTimer()
				slices.Sort(took)
				mean := float64(total) / float64(b.N)
				b.ReportMetric(float64(took[len(took)/2]), "p50-cpu-ns")
				b.ReportMetric(float64(took[len(took)*99/100]), "p99-cpu-ns")
				b.ReportMetric(mean/limit, "of-limit")
				t := threadTime(b)
				const scans = 3
				for i := range scans {
					f.x.scan(Normal(asked[i]))
				}
				b.ReportMetric(float64(threadTime(b)-t)/scans/mean, "x-scan")
				b.ReportMetric(f.bytes, "B/account")
				b.ReportMetric(f.set, "set-ns")
			})
		}
	}
}

// filed is an index of made-up accounts.
type filed struct {
	m          *madeUp
	x          *Index
	names      []string
	bytes, set float64 // of memory, and of time, an account
}

func newFiled(accounts int) *filed {
	f := &filed{m: newMadeUp(1, accounts*2/5), x: NewIndex(), names: make([]string, accounts)}
	domains := make([]string, accounts)
	for i := range f.names {
		f.names[i], domains[i] = f.m.name(), fmt.Sprintf("company-%d.example", i)
	}
	before := heap()
	start := time.Now()
	for i, name := range f.names {
		f.x.Set(domains[i], name)
	}
	f.set = float64(time.Since(start).Nanoseconds()) / float64(accounts)
	f.bytes = float64(heap()-before) / float64(accounts)
	runtime.KeepAlive(domains)
	return f
}

// scan compares a name with every name of the index.
func (x *Index) scan(n Name) []Hit {
	q := &query{}
	q.read(x, n)
	q.widen()
	for i := range x.names {
		if q.scored = q.scored[:0]; x.names[i].n > 0 {
			q.score(&x.names[i])
		}
	}
	return q.hits(0)
}
