package stream

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/lovoo/goka/storage"
	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

// The map store behaves as Goka's own memory storage does.
func TestTableStoreAgreesWithGokas(t *testing.T) {
	key := rapid.StringMatching(`[a-d]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		ours, theirs := newTableStore(), storage.NewMemory()
		same := func(what string, a, b any, errA, errB error) {
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%s: %v, want %v", what, errA, errB)
			}
			x, xb := a.([]byte)
			y, yb := b.([]byte)
			if xb && yb {
				if !bytes.Equal(x, y) {
					t.Fatalf("%s = %q, want %q", what, x, y)
				}
			} else if a != b {
				t.Fatalf("%s = %v, want %v", what, a, b)
			}
		}
		list := func(s storage.Storage, from, to []byte) (out []string) {
			it, err := s.IteratorWithRange(from, to)
			if err != nil {
				t.Fatal(err)
			}
			defer it.Release()
			for it.Next() {
				v, err := it.Value()
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, string(it.Key())+"="+string(v))
			}
			return out
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := key.Draw(t, "k"), []byte(rapid.String().Draw(t, "v"))
				same("Set", nil, nil, ours.Set(k, v), theirs.Set(k, v))
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "k")
				same("Delete", nil, nil, ours.Delete(k), theirs.Delete(k))
			},
			"get": func(t *rapid.T) {
				k := key.Draw(t, "k")
				a, errA := ours.Get(k)
				b, errB := theirs.Get(k)
				same("Get", a, b, errA, errB)
				ha, errA := ours.Has(k)
				hb, errB := theirs.Has(k)
				same("Has", ha, hb, errA, errB)
			},
			"offset": func(t *rapid.T) {
				o := rapid.Int64Range(0, 1<<40).Draw(t, "o")
				same("SetOffset", nil, nil, ours.SetOffset(o), theirs.SetOffset(o))
			},
			"": func(*rapid.T) {
				a, errA := ours.GetOffset(-7)
				b, errB := theirs.GetOffset(-7)
				same("GetOffset", a, b, errA, errB)
				x, y := list(ours, []byte("a"), []byte("zzzz")), list(theirs, []byte("a"), []byte("zzzz"))
				if len(x) != len(y) {
					t.Fatalf("rows %v, want %v", x, y)
				}
				for i := range x {
					if x[i] != y[i] {
						t.Fatalf("rows %v, want %v", x, y)
					}
				}
			},
		})
	})
}

func TestTableStoreSkipsZombies(t *testing.T) {
	s := newTableStore()
	put := func(key, value string, epoch int64) bool {
		var v []byte
		if value != "" {
			v = []byte(value)
		}
		return s.apply(key, v, stamp{epoch, leadroute.Millis(epoch)})
	}
	put("a", "a1", 1)
	put("b", "b1", 1)
	put("d", "d1", 1)
	put(barrierKeys(1)[0], "", 2)
	put("b", "b2", 2)
	put("d", "", 2)
	for _, late := range []struct{ key, value string }{{"a", "late"}, {"b", "late"}, {"c", "late"}, {"d", "late"}, {"b", "b2"}} {
		if put(late.key, late.value, 1) {
			t.Errorf("apply(%v) behind the barrier = true, want it skipped", late)
		}
	}
	put("a", "a2", 2) // the owner has written it again since
	for key, want := range map[string]string{"a": "a2", "b": "b2", "c": "", "d": ""} {
		if got := string(s.get(key).value); got != want {
			t.Errorf("row %s = %q, want %q", key, got, want)
		}
	}
	repairs := s.repairs()
	for key, want := range map[string]string{"b": "b2", "c": "", "d": ""} {
		r, ok := repairs[key]
		if !ok || string(r.value) != want || want == "" && r.value != nil {
			t.Errorf("repair of %s = %q, %v, want %q", key, r.value, ok, want)
		}
	}
	if len(repairs) != 3 {
		t.Errorf("%d repairs, want 3", len(repairs))
	}
}

func TestBarrierKeysCoverEveryPartition(t *testing.T) {
	for _, n := range []int32{1, 2, 4, 8, 64, 256} {
		for p, k := range barrierKeys(n) {
			if got := PartitionOf(k, n); got != int32(p) {
				t.Errorf("barrier key of partition %d of %d lies in %d", p, n, got)
			}
			if !isBarrier(k) {
				t.Errorf("isBarrier(%q) = false", k)
			}
		}
	}
}

func TestStampRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stamp{rapid.Int64().Draw(t, "epoch"), leadroute.Millis(rapid.Int64().Draw(t, "at"))}
		if got := parseStamp(s.bytes()); got != s {
			t.Errorf("parseStamp(bytes(%v)) = %v", s, got)
		}
	})
	if got := parseStamp([]byte("x")); got != (stamp{}) {
		t.Errorf("parseStamp of garbage = %v, want none", got)
	}
}

// A process that did not run for too long writes nothing more, though its connection is
// up: what a test can do of SIGSTOP is not to let the guard tick.
func TestGuardLetsNothingOutAfterStall(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	tripped := make(chan struct{})
	const limit = 200 * time.Millisecond
	g := newGuard(limit, func() { close(tripped) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { g.run(ctx); close(ended) }()
	c, err := g.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for start := time.Now(); time.Since(start) < 2*limit; { // well beyond the limit: it ticks
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatalf("Write while running = %v, want nil", err)
		}
		<-time.After(limit / 10)
	}
	cancel()
	<-ended
	past := time.Now().Add(-2 * limit)
	g.last.Store(&past) // as it is when a stalled process wakes
	if _, err := c.Write([]byte("x")); !errors.Is(err, errStalled) {
		t.Errorf("Write after a stall = %v, want %v", err, errStalled)
	}
	select {
	case <-tripped:
	default:
		t.Error("the stall was not reported")
	}
	now := time.Now()
	g.last.Store(&now)
	if _, err := c.Write([]byte("x")); !errors.Is(err, errStalled) {
		t.Errorf("Write later = %v, want %v for ever", err, errStalled)
	}
}

func TestLostSession(t *testing.T) {
	if lostSession(context.Canceled) || lostSession(nil) {
		t.Error("a session that we end counts as lost")
	}
	if !lostSession(errors.New("kafka: anything else")) {
		t.Error("a session that ends with an error does not count as lost")
	}
}
