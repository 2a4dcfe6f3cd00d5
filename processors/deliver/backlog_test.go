package deliver

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

func ask(lead string, rev, attempt int, deadline leadroute.Millis) *leadroute.Delivery {
	return &leadroute.Delivery{Lead: leadroute.LeadID(lead), Rev: rev, Attempt: attempt, Deadline: deadline}
}

func rec(class int, partition int32, offset int64) record {
	return record{stream.Partition{Topic: "t", Partition: partition}, class, func() { lastDone = offset }}
}

// lastDone is the offset of the record that was done last.
var lastDone int64

func offsetOf(r record) int64 {
	r.done()
	return lastDone
}

func name(it *item) string {
	if it == nil {
		return "none"
	}
	return fmt.Sprintf("%s/%d#%d", it.d.Lead, it.d.Rev, it.d.Attempt)
}

func TestEarliestDeadlineGoesFirstAndLateWorkYieldsToAHigherClass(t *testing.T) {
	b := newBacklog(3)
	b.add(t.Context(), ask("p2-late", 1, 1, 50), rec(2, 0, 0))
	b.add(t.Context(), ask("p2", 1, 1, 300), rec(2, 0, 0))
	b.add(t.Context(), ask("p1", 1, 1, 150), rec(1, 0, 0))
	b.add(t.Context(), ask("p0", 1, 1, 200), rec(0, 0, 0))
	b.add(t.Context(), ask("p0-late", 1, 1, 90), rec(0, 0, 0))
	b.add(t.Context(), ask("p0-none", 1, 1, 0), rec(0, 0, 0))
	var got []string
	for it := b.next(100, 3); it != nil; it = b.next(100, 3) {
		got = append(got, string(it.d.Lead))
	}
	// The late P0 leads; P1 can still be in time and is due before P0; the late P2 is
	// behind them, and ahead of what has a day.
	want := []string{"p0-late", "p1", "p0", "p0-none", "p2-late", "p2"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("order = %v, want %v", got, want)
	}
}

func TestALateLowClassIsNotStarved(t *testing.T) {
	b := newBacklog(2)
	b.add(t.Context(), ask("old", 1, 1, 10), rec(1, 0, 0))
	for i := range 100 {
		b.add(t.Context(), ask(fmt.Sprint("new-", i), 1, 1, 1000), rec(0, 0, 0))
	}
	for n := 1; n <= fairTurn; n++ {
		if it := b.next(500, 2); it.d.Lead == "old" {
			return
		}
	}
	t.Errorf("the late lead did not go in %v turns", fairTurn)
}

func TestOneAtATimePerLeadAndTheNewestOnly(t *testing.T) {
	b := newBacklog(2)
	b.add(t.Context(), ask("l", 1, 1, 10), rec(1, 0, 1))
	first := b.next(0, 2)
	if got := b.add(t.Context(), ask("l", 1, 1, 10), rec(1, 0, 2)); got != nil || len(first.records) != 2 {
		t.Errorf("a copy of the attempt in flight: superseded %v, records %v, want none and both on it", name(got), first.records)
	}
	if got := b.add(t.Context(), ask("l", 2, 1, 10), rec(1, 0, 3)); got != nil {
		t.Errorf("a newer revision behind an attempt in flight supersedes %v, want none", name(got))
	}
	if got := b.next(0, 2); got != nil {
		t.Errorf("next while the lead's attempt is in flight = %v, want none", name(got))
	}
	if got := b.add(t.Context(), ask("l", 3, 1, 10), rec(0, 0, 4)); name(got) != "l/2#1" {
		t.Errorf("revision 3 supersedes %v, want l/2#1", name(got))
	}
	if got := b.add(t.Context(), ask("l", 2, 4, 10), rec(1, 0, 5)); name(got) != "l/2#4" {
		t.Errorf("revision 2 after 3 supersedes %v, want itself", name(got))
	}
	b.finish(first)
	if got := b.next(0, 2); name(got) != "l/3#1" {
		t.Errorf("next after the end of revision 1 = %v, want l/3#1", name(got))
	}
}

// Whatever comes in whatever order: every record is answered exactly once, a lead never
// has two attempts in flight, an attempt is never started when a newer one is known, and
// a class's count is what it holds.
func TestBacklogLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBacklog(3)
		answered := map[int64]int{}
		var running []*item
		newest := map[leadroute.LeadID]int{} // revision, of what is in the backlog
		read, dropped := int64(0), 0
		answer := func(it *item) {
			for _, r := range it.records {
				answered[offsetOf(r)]++
			}
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [6]int {
			var s [6]int
			for i, most := range []int{9, 5, 4, 3, 2, 400} {
				s[i] = rapid.IntRange(0, most).Draw(t, "n")
			}
			return s
		}), 0, 150).Draw(t, "steps")
		for _, s := range steps {
			switch kind := s[0]; {
			case kind <= 4:
				d := ask(fmt.Sprint("l", s[1]), s[2]+1, s[3]+1, leadroute.Millis(s[5]))
				newest[d.Lead] = max(newest[d.Lead], d.Rev)
				if old := b.add(context.Background(), d, rec(s[4], int32(s[1]%2), read)); old != nil {
					answer(old)
				}
				read++
			case kind <= 6:
				it := b.next(leadroute.Millis(s[5]), 1+s[4])
				if it == nil {
					continue
				}
				for _, other := range running {
					if other.d.Lead == it.d.Lead {
						t.Fatalf("next = %v while %v is in flight", name(it), name(other))
					}
				}
				if it.d.Rev < newest[it.d.Lead] {
					t.Fatalf("next = %v, want revision %v", name(it), newest[it.d.Lead])
				}
				running = append(running, it)
			case kind <= 8 && len(running) > 0:
				it := running[s[5]%len(running)]
				running = append(running[:s[5]%len(running)], running[s[5]%len(running)+1:]...)
				b.finish(it)
				answer(it)
				if b.leads[it.d.Lead] == nil {
					delete(newest, it.d.Lead)
				}
			case kind == 9 && s[5] < 40:
				dropped += len(b.forget(stream.Partition{Topic: "t", Partition: 1}))
				for id := range newest {
					if k := b.leads[id]; k == nil {
						delete(newest, id)
					} else if k.waiting == nil {
						newest[id] = k.running.d.Rev
					}
				}
			}
			counts := make([]int, 3)
			for _, k := range b.leads {
				if k.waiting != nil {
					counts[k.waiting.class]++
				}
			}
			if fmt.Sprint(counts) != fmt.Sprint(b.waiting) {
				t.Fatalf("waiting = %v, want %v", b.waiting, counts)
			}
		}
		for len(running) > 0 || open(b) > 0 {
			if it := b.next(0, 3); it != nil {
				running = append(running, it)
			}
			for _, it := range running {
				b.finish(it)
				answer(it)
			}
			running = nil
		}
		for m, n := range answered {
			if n != 1 {
				t.Fatalf("record %v was answered %v times, want once", m, n)
			}
		}
		if len(answered)+dropped != int(read) {
			t.Fatalf("%v records answered and %v dropped of %v read", len(answered), dropped, read)
		}
		if len(b.leads) != 0 {
			t.Fatalf("%v leads remain in an empty backlog", len(b.leads))
		}
	})
}

// open counts the records that wait.
func open(b *backlog) (n int) {
	for _, k := range b.leads {
		if k.waiting != nil {
			n += len(k.waiting.records)
		}
	}
	return n
}
