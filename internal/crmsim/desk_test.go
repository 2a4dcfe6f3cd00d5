package crmsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

// product is an API that takes responses and remembers them.
type product struct {
	mu     sync.Mutex
	told   map[string][]string // lead to "rep action"
	status func(n int) int     // what the nth request is answered
	n      int
	heard  chan string // every action that was taken
}

func newProduct(status func(int) int) *product {
	if status == nil {
		status = func(int) int { return http.StatusAccepted }
	}
	return &product{told: make(map[string][]string), status: status, heard: make(chan string, 10_000)}
}

func (p *product) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type action struct{ Lead, Rep, Action string }
	var as []action
	lines := json.NewDecoder(r.Body)
	var err error
	for err == nil {
		var a action
		if err = lines.Decode(&a); err == nil {
			as = append(as, a)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	status := p.status(p.n)
	if !errors.Is(err, io.EOF) || r.URL.Path != "/v1/leads/respond" || r.Header.Get("Authorization") != "Bearer k" {
		status = http.StatusBadRequest
	}
	if status == http.StatusAccepted {
		for _, a := range as {
			p.told[a.Lead] = append(p.told[a.Lead], a.Rep+" "+a.Action)
			p.heard <- a.Lead + " " + a.Action
		}
	}
	w.WriteHeader(status)
}

func (p *product) listen(t *testing.T, addr string) (at string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: p}
	done := make(chan struct{})
	go func() { _ = srv.Serve(ln); close(done) }()
	stop = sync.OnceFunc(func() { _ = srv.Close(); <-done })
	t.Cleanup(stop)
	return ln.Addr().String(), stop
}

// hear waits for n actions.
func (p *product) hear(t *testing.T, n int) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for i := range n {
		select {
		case <-p.heard:
		case <-deadline.C:
			t.Fatalf("the product heard of %d actions, want %d", i, n)
		}
	}
}

// work runs a desk until the test ends.
func work(t *testing.T, s *Sim, o DeskOptions) *Desk {
	t.Helper()
	o.Key = "k"
	d, err := NewDesk(s, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	return d
}

// eventually polls until ok holds, for ten seconds at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited ten seconds in vain until %s", what)
		}
	}
}

var quick = Span{0, 20 * time.Millisecond}

func TestRepsRespondAndClose(t *testing.T) {
	// Some requests fail before they are taken; all are told again.
	p := newProduct(func(n int) int {
		return map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusAccepted}[n%17 == 0]
	})
	addr, _ := p.listen(t, "127.0.0.1:0")
	s := newSim(t, Options{})
	const n = 200
	for i := range n / 2 { // before the reps come to work
		deliver(t, s, parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ana"})
	}
	d := work(t, s, DeskOptions{URL: "http://" + addr, Respond: quick, Close: quick})
	for i := n / 2; i < n; i++ {
		deliver(t, s, parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ben"})
	}
	deliver(t, s, parcel{lead: "waits", rev: 1, queue: "backlog"}) // nobody's
	p.hear(t, 2*n)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range n {
		rep := "ana"
		if i >= n/2 {
			rep = "ben"
		}
		id := fmt.Sprintf("l%d", i)
		if got, want := strings.Join(p.told[id], ", "), rep+" responded, "+rep+" closed"; got != want {
			t.Errorf("lead %s: the product was told %q, want %q", id, got, want)
		}
		if rec, _ := s.Record(leadroute.LeadID(id)); rec.End != EndClosed {
			t.Errorf("lead %s: ended %q, want closed", id, rec.End)
		}
	}
	if len(p.told["waits"]) > 0 {
		t.Errorf("a lead without an owner was worked on: %q", p.told["waits"])
	}
	if st, c := s.Stats(), d.Counts(); st.Open != 0 || st.Closed != n || c.Retries == 0 || c.Refused != 0 {
		t.Errorf("in the end %d are open, %d closed, desk %+v", st.Open, st.Closed, c)
	}
}

// A lead that moves before its rep responds is the new owner's to work on.
func TestMovedLead(t *testing.T) {
	p := newProduct(nil)
	addr, _ := p.listen(t, "127.0.0.1:0")
	s := newSim(t, Options{})
	deliver(t, s, parcel{lead: "a", rev: 1, owner: "ana"})
	d, err := NewDesk(s, DeskOptions{URL: "http://" + addr, Key: "k", Respond: quick, Close: quick})
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, s, parcel{lead: "a", rev: 2, owner: "ben"}) // before anybody works
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	p.hear(t, 2)
	eventually(t, "ana's work is taken from her", func() bool { return d.Counts().Moved == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := strings.Join(p.told["a"], ", "); got != "ben responded, ben closed" {
		t.Errorf("the product was told %q, want ben's work only", got)
	}
}

// The product learns of a close only after the CRM has closed: else it could fill the
// slot before the simulator counts it free.
func TestCloseIsCountedBeforeItIsTold(t *testing.T) {
	s := newSim(t, Options{})
	p := newProduct(nil)
	wrong := make(chan string, 100)
	p.status = func(int) int {
		for _, r := range s.Records() {
			if told := p.told[string(r.Lead)]; len(told) == 1 && r.End == "" && p.n%2 == 0 {
				wrong <- string(r.Lead)
			}
		}
		return http.StatusAccepted
	}
	addr, _ := p.listen(t, "127.0.0.1:0")
	deliver(t, s, parcel{lead: "a", rev: 1, owner: "ana"})
	work(t, s, DeskOptions{URL: "http://" + addr})
	p.hear(t, 2)
	select {
	case lead := <-wrong:
		t.Errorf("the product was told that %s is closed while it was open in the CRM", lead)
	default:
	}
}

func TestDeskSurvivesRestart(t *testing.T) {
	p := newProduct(nil)
	addr, stop := p.listen(t, "127.0.0.1:0")
	s := newSim(t, Options{})
	d := work(t, s, DeskOptions{URL: "http://" + addr, Respond: quick, Close: quick})
	const n = 100
	for i := range n / 2 {
		deliver(t, s, parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ana"})
	}
	p.hear(t, n/2)
	stop()
	for i := n / 2; i < n; i++ {
		deliver(t, s, parcel{lead: fmt.Sprintf("l%d", i), rev: 1, owner: "ana"})
	}
	eventually(t, "somebody notices that the product is away", func() bool { return d.Counts().Retries > 0 })
	p.listen(t, addr)
	p.hear(t, 2*n-n/2)
	for id, told := range p.told {
		if told[0] != "ana responded" || told[len(told)-1] != "ana closed" {
			t.Errorf("lead %s: the product was told %q", id, told)
		}
	}
	if len(p.told) != n {
		t.Errorf("%d leads were worked on, want %d", len(p.told), n)
	}
}

func TestRefusedIsNotToldAgain(t *testing.T) {
	p := newProduct(func(int) int { return http.StatusNotFound })
	addr, _ := p.listen(t, "127.0.0.1:0")
	s := newSim(t, Options{})
	d := work(t, s, DeskOptions{URL: "http://" + addr})
	deliver(t, s, parcel{lead: "a", rev: 1, owner: "ana"})
	eventually(t, "respond and close are refused", func() bool { return d.Counts() == DeskCounts{Refused: 2} })
	if p.n != 2 {
		t.Errorf("the product was asked %d times, want 2", p.n)
	}
}

func TestNewDeskRefuses(t *testing.T) {
	s := newSim(t, Options{})
	for _, o := range []DeskOptions{{URL: "here"}, {URL: "http://127.0.0.1", Respond: Span{2, 1}}, {URL: "http://127.0.0.1", Close: Span{-1, 1}}} {
		if _, err := NewDesk(s, o); err == nil {
			t.Errorf("NewDesk(%+v) gave no error", o)
		}
	}
}
