package company

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
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

// BenchmarkSearch looks names with and without noise, and names of nobody, up among a
// million accounts.
func BenchmarkSearch(b *testing.B) {
	for _, accounts := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(accounts), func(b *testing.B) {
			m := newMadeUp(1, accounts*2/5)
			names := make([]string, accounts)
			domains := make([]string, accounts)
			for i := range names {
				names[i] = m.name()
				domains[i] = fmt.Sprintf("company-%d.example", i)
			}
			before := heap()
			start := time.Now()
			x := NewIndex()
			for i, name := range names {
				x.Set(domains[i], name)
			}
			built := time.Since(start)
			used := float64(heap()-before) / float64(accounts)
			asked := make([]string, 1<<14)
			for i := range asked {
				switch asked[i] = names[m.r.IntN(len(names))]; i % 4 {
				case 0, 1:
					asked[i], _ = noisy(m.r, asked[i])
				case 2:
					asked[i] = m.name() // of nobody, or of somebody by chance
				}
			}
			took := make([]time.Duration, 0, b.N)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				t := time.Now()
				x.Search(Normal(asked[i%len(asked)]), 0.92)
				took = append(took, time.Since(t))
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
			b.ReportMetric(used, "B/account")
			b.ReportMetric(float64(built.Nanoseconds())/float64(accounts), "ns/set")
			runtime.KeepAlive(x)
			runtime.KeepAlive(names)
			runtime.KeepAlive(domains)
		})
	}
}
