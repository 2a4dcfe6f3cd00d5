package admit

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

func waiting(id string, class int, deadline leadroute.Millis) *item {
	it := &item{class: class, inbox: class, done: func() {}}
	it.admission.Lead.ID, it.admission.Deadline = leadroute.LeadID(id), deadline
	return it
}

func TestLimitsLeaveRoomForTheUrgent(t *testing.T) {
	for _, c := range []struct {
		classes, inFlight int
		want              []int
	}{{3, 128, []int{128, 112, 96}}, {1, 128, []int{128}}, {2, 8, []int{8, 6}}, {4, 4, []int{4, 4, 4, 3}}} {
		if got := newSchedule(c.classes, c.inFlight, time.Second).limit; fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("limits of %d classes over %d = %v, want %v", c.classes, c.inFlight, got, c.want)
		}
	}
}

func TestOrder(t *testing.T) {
	s := newSchedule(3, 100, time.Second)
	for _, it := range []*item{
		waiting("none", 0, 0), waiting("p2-50", 2, 50), waiting("p0-60", 0, 60), waiting("p1-50", 1, 50),
		waiting("none-later", 0, 0), waiting("p2-10", 2, 10), waiting("p0-60-later", 0, 60), waiting("p2-none", 2, 0),
	} {
		s.push(it)
	}
	var got []string
	for it := s.next(); it != nil; it = s.next() {
		got = append(got, string(it.admission.Lead.ID))
	}
	want := "[p2-10 p1-50 p2-50 p0-60 p0-60-later none none-later p2-none]"
	if fmt.Sprint(got) != want {
		t.Errorf("order = %v, want %v", got, want)
	}
}

// TestFloodDoesNotMoveTheUrgent: beside any number of P2 leads, overdue ones too, a P0
// is the very next to enter, and needs no departure for it.
func TestFloodDoesNotMoveTheUrgent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inFlight := rapid.IntRange(4, 64).Draw(t, "in flight")
		s := newSchedule(3, inFlight, time.Second)
		for i := range rapid.IntRange(inFlight, 500).Draw(t, "flood") {
			s.push(waiting(fmt.Sprint("p2-", i), 2, leadroute.Millis(rapid.Int64Range(1, 1000).Draw(t, "deadline"))))
		}
		for s.next() != nil {
		}
		urgent := rapid.IntRange(1, inFlight-s.limit[2]).Draw(t, "urgent")
		for i := range urgent {
			s.push(waiting(fmt.Sprint("p0-", i), 0, 5000))
		}
		for range urgent {
			if it := s.next(); it == nil || it.class != 0 {
				t.Fatalf("next with %d of %d in the middle = %v, want a P0", len(s.slots), inFlight, it)
			}
		}
	})
}

// TestSchedule runs random histories against a plain list.
func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const patience = 50 * time.Millisecond
		s := newSchedule(3, rapid.IntRange(3, 12).Draw(t, "in flight"), patience)
		var queued []*item                               // the list
		entered := map[leadroute.LeadID]*item{}          // in the middle
		since := map[leadroute.LeadID]leadroute.Millis{} // acknowledged at
		now := leadroute.Millis(1000)
		n := 0
		ids := func() (out []leadroute.LeadID) {
			for i := range n { // in a fixed order
				id := leadroute.LeadID(fmt.Sprint("l", i))
				if entered[id] != nil {
					out = append(out, id)
				}
			}
			return out
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				it := waiting(fmt.Sprint("l", n), rapid.IntRange(0, 2).Draw(t, "class"), leadroute.Millis(rapid.Int64Range(0, 5).Draw(t, "deadline")))
				it.inbox = rapid.IntRange(0, 2).Draw(t, "inbox")
				it.from = stream.Partition{Topic: fmt.Sprint(it.inbox), Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
				n++
				s.push(it)
				queued = append(queued, it)
			},
			"next": func(t *rapid.T) {
				best := -1
				for i, it := range queued {
					if len(entered) < s.limit[it.class] && (best < 0 || it.before(queued[best])) {
						best = i
					}
				}
				got := s.next()
				if best < 0 {
					if got != nil {
						t.Fatalf("next = %v, want none", got.admission.Lead.ID)
					}
					return
				}
				want := queued[best]
				if got != want {
					t.Fatalf("next = %v, want %v", got, want.admission.Lead.ID)
				}
				queued = append(queued[:best], queued[best+1:]...)
				entered[want.admission.Lead.ID] = want
			},
			"ack": func(t *rapid.T) {
				if in := ids(); len(in) > 0 {
					id := rapid.SampledFrom(in).Draw(t, "id")
					s.acked(id, now)
					since[id] = now
				}
			},
			"depart": func(t *rapid.T) {
				if in := ids(); len(in) > 0 {
					id := rapid.SampledFrom(in).Draw(t, "id")
					if !s.departed(id) || s.departed(id) {
						t.Fatalf("departed(%s), twice, want true and false", id)
					}
					delete(entered, id)
					delete(since, id)
				}
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "ms")) * time.Millisecond)
				want := 0
				for id, at := range since {
					if now.Sub(at) >= patience {
						delete(entered, id)
						delete(since, id)
						want++
					}
				}
				if got := s.expire(now); got != want {
					t.Fatalf("expire = %d, want %d", got, want)
				}
			},
			"drop": func(t *rapid.T) {
				p := stream.Partition{Topic: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "topic")), Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
				s.drop(p)
				kept := queued[:0]
				for _, it := range queued {
					if it.from != p {
						kept = append(kept, it)
					}
				}
				queued = kept
				for id, it := range entered {
					if it.from == p {
						delete(entered, id)
						delete(since, id)
					}
				}
			},
			"": func(t *rapid.T) {
				read := make([]int, 3)
				for _, it := range queued {
					read[it.inbox]++
				}
				if fmt.Sprint(read) != fmt.Sprint(s.read) || len(s.slots) != len(entered) || len(s.slots) > s.limit[0] {
					t.Fatalf("waiting %v, in the middle %d; want %v and %d, at most %d", s.read, len(s.slots), read, len(entered), s.limit[0])
				}
			},
		})
	})
}

func TestSecondPostingSharesTheSlot(t *testing.T) {
	s := newSchedule(1, 2, time.Second)
	for range 3 {
		s.push(waiting("l1", 0, 1))
		if s.next() == nil {
			t.Fatal("next = nil, want the lead")
		}
	}
	if len(s.slots) != 1 || !s.departed("l1") || len(s.slots) != 0 {
		t.Errorf("slots = %d, want 1 that the departure frees", len(s.slots))
	}
}

func TestSlotOfASecondPostingHasItsOwnPatience(t *testing.T) {
	s := newSchedule(1, 2, 50*time.Millisecond)
	for i, at := range []leadroute.Millis{1000, 1040} {
		s.push(waiting("l1", 0, 1))
		s.next()
		s.acked("l1", at)
		if i == 0 {
			s.departed("l1")
		}
	}
	for _, c := range []struct {
		at   leadroute.Millis
		want int
	}{{1050, 0}, {1090, 1}, {1200, 0}} {
		if got := s.expire(c.at); got != c.want {
			t.Errorf("expire(%d) = %d, want %d", c.at, got, c.want)
		}
	}
}
