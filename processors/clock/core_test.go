package clock

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

func dueTimer(lead string, n int, due leadroute.Millis) *leadroute.Timer {
	return &leadroute.Timer{Lead: leadroute.LeadID(lead), Kind: leadroute.TimerRetry, Name: "crm", Rev: 1, N: n, Due: due}
}

// The wheel against the law as written: a timer fires at its due time, then after 5, 10,
// 20, 40, 60, 60... seconds, until it is cancelled or replaced, earliest first.
func TestWheelFiresAsTheLawSays(t *testing.T) {
	type want struct {
		timer leadroute.Timer
		next  leadroute.Millis
		fired int
	}
	waits := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute}
	rapid.Check(t, func(t *rapid.T) {
		w, model, now := newWheel(), map[string]*want{}, leadroute.Millis(1000)
		steps := rapid.SliceOf(rapid.Custom(func(t *rapid.T) [4]int {
			return [4]int{rapid.IntRange(0, 5).Draw(t, "what"), rapid.IntRange(0, 12).Draw(t, "lead"), rapid.IntRange(0, 2).Draw(t, "n"), rapid.IntRange(0, 90000).Draw(t, "ms")}
		})).Draw(t, "steps")
		for _, s := range steps {
			lead := fmt.Sprint("l", s[1])
			switch s[0] {
			case 0, 1, 2:
				tm := dueTimer(lead, s[2], leadroute.Millis(s[3]/1000*1000))
				w.set(tm.Key(), tm)
				if m := model[tm.Key()]; m == nil || m.timer != *tm {
					model[tm.Key()] = &want{timer: *tm, next: tm.Due}
				}
			case 3:
				key := dueTimer(lead, 0, 0).Key()
				w.cancel(key)
				delete(model, key)
			default:
				now += leadroute.Millis(s[3])
				for last := leadroute.Millis(-1); ; {
					got, due := w.fire(now)
					if got == nil {
						break
					}
					m := model[got.Key()]
					if m == nil || m.timer != *got || m.next != due || due > now || due < last {
						t.Fatalf("at %v fired %+v of %v after %v, want %+v", now, got, due, last, m)
					}
					last = due
					m.next = now.Add(waits[min(m.fired, len(waits)-1)])
					m.fired++
				}
				for key, m := range model {
					if m.next <= now {
						t.Fatalf("at %v %v of %v did not fire", now, key, m.next)
					}
				}
			}
			if w.len() != len(model) || len(w.rows) != len(model) {
				t.Fatalf("wheel holds %v and %v, want %v", w.len(), len(w.rows), len(model))
			}
			first := leadroute.Millis(-1)
			for _, m := range model {
				if first < 0 || m.next < first {
					first = m.next
				}
			}
			if got, ok := w.next(); ok != (len(model) > 0) || ok && got != first {
				t.Fatalf("next = %v, %v, want %v", got, ok, first)
			}
		}
	})
}

func TestOrderIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o order
		var model []place
		for _, s := range rapid.SliceOfN(rapid.IntRange(0, 6000), 0, 3000).Draw(t, "steps") {
			p := place{Deadline: leadroute.Millis(s % 1500 / 3), Lead: leadroute.LeadID(fmt.Sprint(s % 3))}
			i, there := slices.BinarySearchFunc(model, p, place.Compare)
			switch {
			case s < 4500 && !there:
				model = slices.Insert(model, i, p)
			case s >= 4500 && there:
				model = slices.Delete(model, i, i+1)
			}
			if s < 4500 {
				o.add(p)
			} else {
				o.remove(p)
			}
		}
		after := place{Deadline: leadroute.Millis(rapid.IntRange(0, 500).Draw(t, "after")), Lead: "1"}
		var got, want []place
		o.from(after, func(p place) bool { got = append(got, p); return true })
		for _, p := range model {
			if p.Compare(after) > 0 {
				want = append(want, p)
			}
		}
		if !slices.Equal(got, want) || o.size != len(model) {
			t.Fatalf("places after %v = %v (size %v), want %v (%v)", after, got, o.size, want, len(model))
		}
	})
}

func waiting(i int, deadline leadroute.Millis) *leadroute.Timer {
	return &leadroute.Timer{Lead: leadroute.LeadID(fmt.Sprintf("l%04d", i)), Kind: leadroute.TimerWake, Name: "q", Deadline: deadline}
}

func TestAQueueDrainsWithinATickWhileThereIsRoom(t *testing.T) {
	q := newQueues()
	const n = 5000
	for i := range n {
		q.set(waiting(i, leadroute.Millis(n-i)))
	}
	var got []leadroute.LeadID
	var sizes []int
	todo := q.tick()
	for len(todo) > 0 {
		sizes = append(sizes, len(todo))
		var more []*leadroute.Timer
		for _, w := range todo {
			got = append(got, w.Lead)
			more = append(more, q.cancel(w.Lead, "q")...)
		}
		todo = more
	}
	for i, id := range got {
		if want := waiting(n-1-i, 0).Lead; id != want {
			t.Fatalf("lead %v offered is %v, want %v", i, id, want)
		}
	}
	if want := []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 256}; len(got) != n || !slices.Equal(sizes[:10], want) || slices.Max(sizes) != 256 {
		t.Errorf("%v of %v offered in batches of %v, want all, in %v and so on", len(got), n, sizes, want)
	}
}

func TestAWindowInFlightAtATickIsWaitedForOnce(t *testing.T) {
	q := newQueues()
	for i := range 20 {
		q.set(waiting(i, 1))
	}
	q.tick()
	batch := q.cancel("l0000", "q") // two more at once
	if len(batch) != 2 {
		t.Fatalf("offered after the first left = %v leads, want 2", len(batch))
	}
	if got := q.tick(); len(got) != 0 {
		t.Errorf("a tick right after a batch offers %v leads, want none", len(got))
	}
	if got := q.tick(); len(got) != 2 || got[0].Lead != "l0001" || got[1].Lead != "l0002" {
		t.Errorf("the tick after that offers %v, want the head again and one behind it", got)
	}
}

func TestALeadThatComesBackAtOnceIsNotOfferedAtOnce(t *testing.T) {
	q := newQueues()
	for i := range 3 {
		q.set(waiting(i, 1))
	}
	first := q.tick()[0]
	offers := len(q.cancel(first.Lead, "q")) // it leaves to be offered to the pools
	q.set(waiting(0, 1))                     // nobody is free
	for _, id := range []leadroute.LeadID{"l0001", "l0002"} {
		offers += len(q.cancel(id, "q"))
		q.set(&leadroute.Timer{Lead: id, Name: "q", Deadline: 1})
	}
	if offers != 2 {
		t.Errorf("three leads that nobody takes are offered %v times within a tick, want each once", offers+1)
	}
	if got := q.tick(); len(got) != 2 || got[0].Lead != "l0000" {
		t.Errorf("the next tick offers %v, want the head and one more", got)
	}
}

// Some leads have a place and some have none, of a capacity that comes and goes, in any
// order: nobody is offered twice in a tick, never more than the windows, and whoever has
// a place gets it within a few ticks per lead in the queue.
func TestNoLeadWithAPlaceStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueues()
		n := rapid.IntRange(1, 120).Draw(t, "leads")
		placeable := map[leadroute.LeadID]bool{}
		stays := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "stays")
		deadlines := rapid.SliceOfN(rapid.IntRange(1, 20), n, n).Draw(t, "deadlines")
		for i := range n {
			w := waiting(i, leadroute.Millis(deadlines[i]))
			q.set(w)
			if !stays[i] {
				placeable[w.Lead] = true
			}
		}
		delay := rapid.IntRange(0, 2).Draw(t, "ticks until an answer comes")
		leaves := map[leadroute.LeadID]int{} // placed, the tick at which its row goes
		for tick := 0; len(placeable) > 0; tick++ {
			if tick > 3*n+10 {
				t.Fatalf("after %v ticks %v of %v leads with a place still wait", tick, len(placeable), n)
			}
			offered := map[leadroute.LeadID]bool{}
			todo := q.tick()
			for {
				for id, at := range leaves {
					if at <= tick {
						delete(leaves, id)
						todo = append(todo, q.cancel(id, "q")...)
					}
				}
				if len(todo) == 0 {
					break
				}
				w := todo[0]
				todo = todo[1:]
				if offered[w.Lead] {
					t.Fatalf("tick %v offers %v twice", tick, w.Lead)
				}
				offered[w.Lead] = true
				if placeable[w.Lead] {
					delete(placeable, w.Lead)
					leaves[w.Lead] = tick + delay
				}
			}
		}
	})
}

func TestQueuesCountWhatWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, model := newQueues(), map[string]bool{}
		for _, s := range rapid.SliceOf(rapid.IntRange(0, 999)).Draw(t, "steps") {
			tm := &leadroute.Timer{Lead: leadroute.LeadID(fmt.Sprint("l", s%20)), Name: fmt.Sprint("q", s%3), Deadline: leadroute.Millis(s % 7)}
			switch {
			case s < 500:
				q.set(tm)
				model[string(tm.Lead)+tm.Name] = true
			case s < 900:
				q.cancel(tm.Lead, tm.Name)
				delete(model, string(tm.Lead)+tm.Name)
			default:
				q.tick()
			}
		}
		sum := 0
		for name, n := range q.waiting() {
			if n != q.byName[name].order.size {
				t.Fatalf("queue %v holds %v rows and %v places", name, n, q.byName[name].order.size)
			}
			sum += n
		}
		if sum != len(model) || q.len() != len(model) {
			t.Fatalf("waiting = %v (len %v), want %v", sum, q.len(), len(model))
		}
	})
}

// TestHeadsAreOfferedInOrder: a queue is offered by its own order, whatever that is, and the
// queue whose head has the earliest deadline before the others.
func TestHeadsAreOfferedInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueues()
		left := map[string][]leadroute.Place{}
		for i := range rapid.IntRange(1, 40).Draw(t, "leads") {
			w := waiting(i, leadroute.Millis(rapid.IntRange(1, 20).Draw(t, "deadline")))
			w.Name = rapid.SampledFrom([]string{"by_deadline", "by_priority", "by_arrival"}).Draw(t, "queue")
			switch w.Name {
			case "by_priority":
				w.Rank = rapid.IntRange(0, 3).Draw(t, "rank")
			case "by_arrival":
				w.Order = leadroute.Millis(rapid.IntRange(1, 20).Draw(t, "arrival"))
			}
			q.set(w)
			left[w.Name] = append(left[w.Name], w.Place())
		}
		var heads []leadroute.Place
		for _, all := range left {
			slices.SortFunc(all, place.Compare)
			heads = append(heads, all[0])
		}
		slices.SortFunc(heads, place.Sooner)
		offered, got := q.tick(), map[string][]leadroute.Place{}
		for i, w := range offered {
			if w.Place() != heads[i] {
				t.Fatalf("a tick offers %v, want %v", offered, heads)
			}
		}
		for q.len() > 0 { // each leaves as soon as it is offered
			if len(offered) == 0 {
				offered = q.tick()
			}
			w := offered[0]
			got[w.Name] = append(got[w.Name], w.Place())
			offered = append(offered[1:], q.cancel(w.Lead, w.Name)...)
		}
		if diff := cmp.Diff(left, got); diff != "" {
			t.Fatalf("the queues were offered (-want +got):\n%s", diff)
		}
	})
}

// What the clock says of a queue: how many wait, who waits longest, who is next; and once
// that nobody does any more.
func TestWhatIsSeenOfAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, model, said := newQueues(), map[string]*leadroute.Timer{}, map[string]bool{}
		for _, s := range rapid.SliceOf(rapid.IntRange(0, 5999)).Draw(t, "steps") {
			w := waiting(s%20, leadroute.Millis(1+s/20%10))
			w.Name, w.Since = fmt.Sprint("q", s%2), leadroute.Millis(1+s/200%7)
			switch key := w.Key(); {
			case s < 4000:
				q.set(w)
				model[key] = w
			default:
				q.cancel(w.Lead, w.Name)
				delete(model, key)
			}
			if s%3 > 0 {
				continue
			}
			want := map[string]*leadroute.QueueSeen{}
			for name := range said {
				want[name] = &leadroute.QueueSeen{Partition: 7}
			}
			for _, w := range model {
				v := want[w.Name]
				if v == nil || v.Waiting == 0 {
					v = &leadroute.QueueSeen{Partition: 7, Since: 1 << 40, Next: &place{Rank: 9}}
					want[w.Name] = v
				}
				v.Waiting++
				if v.Since > w.Since || v.Since == w.Since && w.Lead < v.Oldest {
					v.Since, v.Oldest = w.Since, w.Lead
				}
				if p := w.Place(); p.Compare(*v.Next) < 0 {
					v.Next = &p
				}
			}
			if diff := cmp.Diff(want, q.seen(7, said)); diff != "" {
				t.Fatalf("seen (-want +got):\n%s", diff)
			}
		}
	})
}
