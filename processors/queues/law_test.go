package queues

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

const start = leadroute.Millis(1768384800000)

func policy() *plan.Plan {
	return &plan.Plan{ID: "p", Queues: map[leadroute.QueueID]*plan.Queue{
		"backlog": {Name: "backlog", AlertAfter: 10 * time.Minute, Alert: []string{"managers", "duty"}},
	}}
}

// apply is one decision behind the codec.
func apply(t *rapid.T, row []byte, m *leadroute.QueueSeen, at leadroute.Millis, replay bool) ([]byte, *State, []leadroute.Effect) {
	t.Helper()
	var s *State
	if row != nil {
		var err error
		if s, err = leadroute.Decode[State](row); err != nil {
			t.Fatal(err)
		}
	}
	next, out := Apply(Env{Plan: policy}, "backlog", s, &leadroute.QueueMessage{Seen: m}, at, replay)
	if next == nil {
		return nil, nil, out
	}
	b, err := leadroute.Encode(next)
	if err != nil {
		t.Fatal(err)
	}
	return b, next, out
}

func ids(out []leadroute.Effect) (all []string) {
	for _, e := range out {
		if n, ok := e.Value.(*leadroute.Notification); ok {
			all = append(all, n.Channel+" "+n.ID)
		}
	}
	return all
}

// TestOneAlertAtATime: whatever the partitions see and in whatever order they say it, each
// channel is told once when some lead has waited for too long, and again only after there was
// none. A copy that may be a replay says the same again, under the same id, and nothing more.
func TestOneAlertAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type sight struct{ since, at leadroute.Millis }
		model, alarm := map[int32]sight{}, false
		var row []byte
		now := start
		for n := range rapid.IntRange(1, 60).Draw(t, "sightings") {
			before := now
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			m := &leadroute.QueueSeen{At: now, Partition: rapid.Int32Range(0, 3).Draw(t, "partition"), Waiting: rapid.IntRange(0, 2).Draw(t, "waiting")}
			for p, v := range model {
				if now >= v.at.Add(fresh) {
					delete(model, p)
				}
			}
			delete(model, m.Partition)
			if m.Waiting > 0 {
				m.Since = now.Add(-time.Duration(rapid.IntRange(0, 900).Draw(t, "waited")) * time.Second)
				m.Oldest, m.Rev = leadroute.LeadID(fmt.Sprint("L", n)), 1
				m.Next = &leadroute.Place{Lead: m.Oldest, Queue: "backlog", Deadline: m.Since}
				model[m.Partition] = sight{m.Since, now}
			}
			late := false
			for _, v := range model {
				late = late || now >= v.since.Add(10*time.Minute)
			}
			next, s, out := apply(t, row, m, now, false)
			if got, want := len(ids(out)), map[bool]int{true: 2}[late && !alarm]; got != want {
				t.Fatalf("at %v sighting %+v told %v, want %d channels told: some wait too long %v, before %v", now.Sub(start), m, ids(out), want, late, alarm)
			}
			if (s != nil && s.Told != nil) != late || (s == nil) != (len(model) == 0) {
				t.Fatalf("at %v the row is %+v, want an alert %v and sights %v", now.Sub(start), s, late, model)
			}
			if s != nil && len(s.Parts) != len(model) {
				t.Fatalf("at %v the row knows %+v, want %v", now.Sub(start), s.Parts, model)
			}
			again, _, twice := apply(t, next, m, now, true)
			if string(again) != string(next) || fmt.Sprint(ids(twice)) != fmt.Sprint(ids(out)) && now != before {
				t.Fatalf("a replay of %+v says %v and leaves %s, want %v and %s", m, ids(twice), again, ids(out), next)
			}
			row, alarm = next, late
		}
	})
}

// TestTheQueueAsAWhole: what the partitions see adds up.
func TestTheQueueAsAWhole(t *testing.T) {
	s := &State{}
	for i, v := range []leadroute.QueueSeen{
		{Waiting: 3, Since: 300, Oldest: "L3", Next: &leadroute.Place{Lead: "L1", Deadline: 10}},
		{Waiting: 2, Since: 200, Oldest: "L2", Next: &leadroute.Place{Lead: "L9", Deadline: 20}},
		{Waiting: 1, Since: 0, Oldest: "L0", Next: &leadroute.Place{Lead: "L0", Deadline: 30}}, // a router of before does not say since when
	} {
		v.Partition = int32(i)
		s.see(&v, start)
	}
	if s.Waiting() != 6 || s.Oldest().Oldest != "L2" || s.Next().Lead != "L1" {
		t.Errorf("%d wait, the oldest is %s, the next %s; want 6, L2, L1", s.Waiting(), s.Oldest().Oldest, s.Next().Lead)
	}
	if s.Lately(start.Add(fresh-1)).Waiting() != 6 || s.Lately(start.Add(fresh)).Waiting() != 0 {
		t.Error("what no clock says any more still counts, or what was said just now does not")
	}
}
