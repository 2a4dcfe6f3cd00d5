package policies

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

func open(t *testing.T, b *kafkatest.Broker) *Log {
	t.Helper()
	l, err := Open(t.Context(), b.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func publish(t *testing.T, l *Log, ids ...leadroute.PlanID) {
	t.Helper()
	for _, id := range ids {
		if err := l.Publish(t.Context(), id, "inbound", map[string][]byte{"policy.hcl": []byte("# " + id)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogKeepsWhatWasPublished(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	l := open(t, b)
	publish(t, l, "a", "b", "a")
	big := map[string][]byte{"table.csv": []byte(strings.Repeat("0123456789abcdef", 5<<20/16))}
	if err := l.Publish(t.Context(), "big", "inbound", big); err != nil {
		t.Fatal(err)
	}
	if err := l.Publish(t.Context(), "huge", "inbound", map[string][]byte{"t.csv": make([]byte, 20<<20)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("20 MB: %v, want ErrTooLarge", err)
	}
	for _, reader := range []*Log{l, open(t, b)} {
		s, _ := reader.Standing()
		if d := cmp.Diff([]leadroute.PlanID{"a", "b", "big"}, s.Published); d != "" {
			t.Errorf("published (-want +got):\n%s", d)
		}
		for id, want := range map[leadroute.PlanID]string{"a": "# a", "b": "# b"} {
			r, err := reader.Source(t.Context(), id)
			if err != nil || r == nil || string(r.Source["policy.hcl"]) != want {
				t.Errorf("Source(%s) = %v, %v; want %q", id, r, err, want)
			}
		}
		if r, err := reader.Source(t.Context(), "big"); err != nil || !bytes.Equal(r.Source["table.csv"], big["table.csv"]) {
			t.Errorf("Source(big): %v, want the 5 MB that were published", err)
		}
		if r, err := reader.Source(t.Context(), "nobody's"); r != nil || err != nil {
			t.Errorf("Source of an unknown plan = %v, %v; want neither", r, err)
		}
	}
}

func TestChanges(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	l := open(t, b)
	publish(t, l, "a", "b", "c")
	ctx := t.Context()
	for i, step := range []struct {
		do    func() error
		moved bool
		want  string // current/candidate
	}{
		{func() error { return l.Enforce(ctx, "a", "", ByRun, "") }, false, "a/"},
		{func() error { return l.Enforce(ctx, "c", "b", ByApply, "") }, true, "a/"},
		{func() error { return l.Try(ctx, "b", "c", ByApply) }, true, "a/"},
		{func() error { return l.Try(ctx, "a", "a", ByApply) }, true, "a/"},
		{func() error { return l.Try(ctx, "b", "a", ByApply) }, false, "a/b"},
		{func() error { return l.Try(ctx, "c", "a", ByApply) }, true, "a/b"},
		{func() error { return l.Withdraw(ctx, "c", ByRollout, "") }, true, "a/b"},
		{func() error { return l.Withdraw(ctx, "b", ByRollout, "moved_leads") }, false, "a/"},
		{func() error { return l.Promote(ctx, "b", "a", ByRollout, "") }, true, "a/"},
		{func() error { return l.Try(ctx, "b", "a", ByApply) }, false, "a/b"},
		{func() error { return l.Promote(ctx, "b", "a", ByRollout, "") }, false, "b/"},
		{func() error { return l.Try(ctx, "c", "b", ByApply) }, false, "b/c"},
		{func() error { return l.Enforce(ctx, "a", "b", ByRollback, "") }, false, "a/"},
	} {
		if err := step.do(); errors.Is(err, ErrMoved) != step.moved || err != nil && !step.moved {
			t.Errorf("step %d: %v, want moved %v", i, err, step.moved)
		}
		if s, _ := l.Standing(); string(s.Current+"/"+s.Candidate) != step.want {
			t.Errorf("step %d: %s/%s, want %s", i, s.Current, s.Candidate, step.want)
		}
	}
	s, _ := l.Standing()
	if got := s.Before(); got != "b" {
		t.Errorf("before a there was %s, want b", got)
	}
	again, _ := open(t, b).Standing()
	if d := cmp.Diff(s, again); d != "" {
		t.Errorf("another reader comes to another conclusion (-first +second):\n%s", d)
	}
}

// TestOneOfManyWins: of changes that go on from one plan exactly one takes effect, and
// everybody agrees which.
func TestOneOfManyWins(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	logs := []*Log{open(t, b), open(t, b), open(t, b)}
	ids := []leadroute.PlanID{"a", "b", "c", "d"}
	publish(t, logs[0], ids...)
	if err := logs[0].Enforce(t.Context(), "a", "", ByRun, ""); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		from, _ := logs[0].Standing()
		wins := make([]bool, len(logs))
		var wg sync.WaitGroup
		for i, l := range logs {
			to := ids[r.IntN(len(ids))]
			for to == from.Current {
				to = ids[r.IntN(len(ids))]
			}
			wg.Go(func() {
				err := l.Enforce(t.Context(), to, from.Current, ByApply, "")
				wins[i] = err == nil
				if err != nil && !errors.Is(err, ErrMoved) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, w := range wins {
			if w {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d of %d changes took effect, want 1 (seed %d)", n, len(logs), seed)
		}
	}
	want, _ := open(t, b).Standing()
	for i, l := range logs {
		end, err := l.end(t.Context())
		if err == nil {
			err = l.await(t.Context(), end)
		}
		if got, _ := l.Standing(); err != nil || !cmp.Equal(want, got) {
			t.Errorf("reader %d: %v\n%s", i, err, cmp.Diff(want, got))
		}
	}
}

func TestJudge(t *testing.T) {
	some := func(f float64) *float64 { return &f }
	o := &plan.Rollout{Mode: plan.RolloutCanary, Hold: time.Hour, Abort: plan.AbortWhen{
		SLAMissedAbove: some(0.02), UnassignedAbove: some(0), MovedLeadsAbove: some(0.15),
	}}
	for _, c := range []struct {
		name string
		f    Figures
		age  time.Duration
		want string // abort, promote, or nothing
	}{
		{"nothing known", Figures{}, 2 * time.Hour, ""},
		{"young and well", Figures{Leads: 100, Settled: 100}, time.Minute, ""},
		{"held", Figures{Leads: 100, Settled: 100, Missed: 2, Moved: 15}, time.Hour, "promote"},
		{"too few to say", Figures{Leads: 29, Unassigned: 5, Moved: 29}, time.Minute, ""},
		{"moved", Figures{Leads: 100, Moved: 16}, 2 * time.Hour, "abort"},
		{"unassigned", Figures{Leads: 1000, Unassigned: 1}, time.Minute, "abort"},
		{"late", Figures{Leads: 100, Settled: 40, Missed: 1}, time.Minute, "abort"},
	} {
		v := Judge(o, c.f, c.age)
		got := map[bool]string{v.Abort: "abort", v.Promote: "promote"}[true]
		if got != c.want || (got != "") != (v.Reason != "") {
			t.Errorf("%s: %+v, want %q", c.name, v, c.want)
		}
	}
	if v := Judge(&plan.Rollout{}, Figures{Leads: 1000, Moved: 1000}, time.Hour); v.Abort || v.Promote {
		t.Errorf("a rollout without bounds and hold: %+v, want it to go on", v)
	}
}
