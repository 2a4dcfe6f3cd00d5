package deadletter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/processors/deadletter"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type rig struct {
	*kafkatest.Broker
	*deadletter.Store
	t  *testing.T
	cl *kgo.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	b := kafkatest.Start(t, []leadroute.Class{"P0"}, "crm")
	b.Config.Clock = func() time.Time { return now }
	s, err := deadletter.New(b.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &rig{b, s, t, b.Client()}
}

func (r *rig) bury(ds ...leadroute.DeadLetter) {
	r.t.Helper()
	var rs []*kgo.Record
	for _, d := range ds {
		rs = append(rs, r.Record(leadroute.TopicDeadLetters, string(d.Lead), d))
	}
	kafkatest.Send(r.t, r.cl, rs...)
}

func letter(i int) leadroute.DeadLetter {
	id := leadroute.LeadID(fmt.Sprint("l", i))
	return leadroute.DeadLetter{
		ID: fmt.Sprint(id, "/2/crm"), Kind: leadroute.DeadDelivery, Stage: "deliver", Lead: id, Rev: 2, Destination: "crm", Class: "P0",
		Attempts: 8, Reason: "http 503", At: leadroute.At(now.Add(time.Duration(i-10000) * time.Second)),
		Payload: []byte(`{"lead":"l1","fields":{"email":"ana@example.com","seats":7,"tags":["a","b"],"ok":true,"none":null}}`),
	}
}

func (r *rig) ids(f deadletter.Filter) (ids []string, more bool) {
	r.t.Helper()
	ls, more, err := r.List(r.t.Context(), f)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, l := range ls {
		ids = append(ids, l.ID)
	}
	return ids, more
}

func TestListIsNewestFirstFilteredAndBounded(t *testing.T) {
	r := newRig(t)
	if ids, more := r.ids(deadletter.Filter{}); len(ids) != 0 || more {
		t.Errorf("an empty topic lists %v, more %v, want nothing", ids, more)
	}
	const n = 9000 // more than a chunk of each partition
	var all []leadroute.DeadLetter
	for i := range n {
		d := letter(i)
		if i%3 == 0 {
			d.Kind, d.Destination, d.ID = leadroute.DeadLead, "", string(d.Lead)
		}
		all = append(all, d)
	}
	r.bury(all...)
	kafkatest.Send(t, r.cl, r.Record(leadroute.TopicDeadLetters, "l1", []byte("no dead letter")))
	again := letter(4)
	again.Attempts, again.At = 16, leadroute.At(now)
	r.bury(again)

	want := func(limit int, ok func(leadroute.DeadLetter) bool) (ids []string) {
		for _, d := range slices.Backward(append(slices.Delete(slices.Clone(all), 4, 5), again)) {
			if ok(d) && len(ids) < limit {
				ids = append(ids, d.ID)
			}
		}
		return ids
	}
	for _, c := range []struct {
		f    deadletter.Filter
		want []string
		more bool
	}{
		{deadletter.Filter{}, want(100, func(leadroute.DeadLetter) bool { return true }), true},
		{deadletter.Filter{Kind: leadroute.DeadLead, Limit: 7}, want(7, func(d leadroute.DeadLetter) bool { return d.Kind == leadroute.DeadLead }), true},
		{deadletter.Filter{Destination: "crm", Limit: 3}, want(3, func(d leadroute.DeadLetter) bool { return d.Destination == "crm" }), true},
		{deadletter.Filter{Since: letter(n - 4).At}, want(100, func(d leadroute.DeadLetter) bool { return d.At >= letter(n-4).At }), false},
		{deadletter.Filter{Kind: leadroute.DeadMessage}, nil, false},
	} {
		ids, more := r.ids(c.f)
		if d := cmp.Diff(c.want, ids); d != "" || more != c.more {
			t.Errorf("List(%+v) more = %v, want %v; ids (-want +got):\n%s", c.f, more, c.more, d)
		}
	}
	l, err := r.Get(t.Context(), again.ID)
	if err != nil || l.Attempts != 16 {
		t.Errorf("Get(%v) = %+v, %v, want the newest record", again.ID, l, err)
	}
	if l, err := r.Get(t.Context(), letter(1).ID); err != nil || l.Lead != "l1" {
		t.Errorf("Get of the second oldest = %+v, %v", l, err)
	}
	if _, err := r.Get(t.Context(), "nobody"); !errors.Is(err, deadletter.ErrNotFound) {
		t.Errorf("Get(nobody) = %v, want ErrNotFound", err)
	}
}

func TestReplaySendsBackWhereItCameFrom(t *testing.T) {
	r := newRig(t)
	lead := letter(2)
	lead.Kind, lead.Destination, lead.ID = leadroute.DeadLead, "", "l2"
	message := leadroute.DeadLetter{
		ID: "test.reps-1-7", Kind: leadroute.DeadMessage, Stage: "reps", Reason: "panic", At: leadroute.At(now),
		Topic: "test.reps", Partition: 1, Offset: 7, Payload: []byte(`{"torn`),
	}
	told := leadroute.DeadLetter{
		ID: "n1/ops/slack", Kind: leadroute.DeadNotification, Stage: "notify", Destination: "ops/slack", Reason: "http 404", At: leadroute.At(now),
		Payload: []byte(`{"id":"n1","channel":"ops","reason":"sla:P0/nudge","at":1,"delivery":{"lead":"l1"}}`),
	}
	unknown := leadroute.DeadLetter{ID: "x", Kind: "other", Reason: "?", At: leadroute.At(now)}
	r.bury(letter(1), lead, unknown)
	kafkatest.Send(t, r.cl, r.Record(leadroute.TopicDeadLetters, "ana", message), r.Record(leadroute.TopicDeadLetters, "l1", told))
	for _, id := range []string{"l1/2/crm", "l2", "test.reps-1-7", "n1/ops/slack"} {
		if _, err := r.Replay(t.Context(), id); err != nil {
			t.Errorf("Replay(%v) = %v", id, err)
		}
	}
	if _, err := r.Replay(t.Context(), "x"); !errors.Is(err, deadletter.ErrNotReplayed) {
		t.Errorf("Replay of an unknown kind = %v, want ErrNotReplayed", err)
	}
	want := map[string]leadroute.Redeliver{
		"l1": {Rev: 2, Destination: "crm", DeadLetter: "l1/2/crm", At: leadroute.At(now)},
		"l2": {Rev: 2, DeadLetter: "l2", At: leadroute.At(now)},
	}
	got := map[string]leadroute.Redeliver{}
	r.Read(leadroute.TopicLedger).Until("two Redelivers", func(rec *kgo.Record) bool {
		m, err := leadroute.Decode[leadroute.LedgerMessage](rec.Value)
		if err != nil || m.Redeliver == nil {
			t.Fatalf("ledger got %s (%v), want a Redeliver", rec.Value, err)
		}
		got[string(rec.Key)] = *m.Redeliver
		return len(got) < 2
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Redelivers (-want +got):\n%s", d)
	}
	r.Read(leadroute.TopicReps).Until("the message", func(rec *kgo.Record) bool {
		if string(rec.Key) != "ana" || string(rec.Value) != `{"torn` {
			t.Errorf("reps got %s = %s, want the message as it was", rec.Key, rec.Value)
		}
		return false
	})
	r.Read(leadroute.TopicNotifications).Until("the notification", func(rec *kgo.Record) bool {
		n, err := leadroute.Decode[leadroute.Notification](rec.Value)
		if err != nil || string(rec.Key) != "l1" || n.ID != "n1" || n.Only != "slack" {
			t.Errorf("notifications got %s = %s (%v), want it for the way that failed alone", rec.Key, rec.Value, err)
		}
		return false
	})
	if ids, _ := r.ids(deadletter.Filter{}); !slices.Equal(ids, []string{"x"}) {
		t.Errorf("after the replay List = %v, want x alone", ids)
	}
	if ids, _ := r.ids(deadletter.Filter{Replayed: true}); len(ids) != 5 {
		t.Errorf("List with those replayed = %v, want all five", ids)
	}
	failed := letter(1)
	failed.At = leadroute.At(now.Add(time.Minute))
	r.bury(failed)
	if ids, _ := r.ids(deadletter.Filter{Kind: leadroute.DeadDelivery}); !slices.Equal(ids, []string{"l1/2/crm"}) {
		t.Errorf("given up again, List = %v, want it back", ids)
	}
}

func TestAPIWithholdsTheLeadUnlessAsked(t *testing.T) {
	r := newRig(t)
	r.bury(letter(1))
	mux := http.NewServeMux()
	r.Routes(mux)
	s := httptest.NewServer(mux)
	defer s.Close()
	api, err := apiclient.New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/dead-letters", "/v1/dead-letters/l1/2/crm", "/v1/dead-letters/l1%2F2%2Fcrm"} {
		var plain, full json.RawMessage
		if err := errors.Join(api.Do(t.Context(), "GET", path, nil, &plain), api.Do(t.Context(), "GET", path+"?payload=true", nil, &full)); err != nil {
			t.Fatalf("GET %v: %v", path, err)
		}
		if strings.Contains(string(plain), "ana@") || !strings.Contains(string(plain), `"email":"string"`) || !strings.Contains(string(plain), `"seats":"number"`) {
			t.Errorf("GET %v = %s, want the names of the fields and no value", path, plain)
		}
		if !strings.Contains(string(full), `"email":"ana@example.com"`) {
			t.Errorf("GET %v with payload = %s, want the values", path, full)
		}
	}
	var v deadletter.View
	if err := api.Do(t.Context(), "POST", "/v1/dead-letters/l1%2F2%2Fcrm/replay", nil, &v); err != nil || v.ReplayedAt == nil {
		t.Errorf("POST replay = %+v, %v, want it replayed", v, err)
	}
	for path, status := range map[string]int{
		"/v1/dead-letters/none": 404, "/v1/dead-letters?kind=x": 400, "/v1/dead-letters?since=now": 400, "/v1/dead-letters?limit=0": 400,
	} {
		var p *apiclient.ProblemError
		if err := api.Do(t.Context(), "GET", path, nil, nil); !errors.As(err, &p) || p.Status != status || p.Detail == "" {
			t.Errorf("GET %v = %v, want a problem with status %v and a detail", path, err, status)
		}
	}
}
