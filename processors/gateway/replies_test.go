package gateway

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// TestRespondIsAnswered: what the ledger says of an action is what the rep is told.
func TestRespondIsAnswered(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.AgreeWithin = 3 * time.Second })
	startLedger(t, d)
	body := func(rep string) string { return `{"rep":"` + rep + `","action":"responded"}` }
	for _, c := range []struct {
		rep, detail string
		status      int
	}{
		{"ana", "", 200}, {"ben", "the lead has moved on: ana has it now", 409}, {"cy", "the lead has moved on, and nobody has it now", 409}, {"eve", "no lead of this id is known", 404},
	} {
		r := d.post(t, "/v1/leads/l1/respond", body(c.rep))
		if r.status != c.status || c.detail != "" && r.member(t, "detail") != c.detail || c.status == 200 && r.member(t, "status") != "responded" {
			t.Errorf("%s responds: %v, want %d %s", c.rep, r, c.status, c.detail)
		}
	}
	if n := len(d.replies.waiting); n != 0 {
		t.Errorf("%d answers are still waited for", n)
	}
	d.cfg.AgreeWithin = 10 * time.Millisecond
	if r := d.post(t, "/v1/leads/l1/respond", body("silent")); r.status != 202 {
		t.Errorf("the ledger is silent: %v, want 202", r)
	}
}

// startLedger answers actions by the rep who acts: ana has the lead, ben and cy have not, and
// eve acts on one that is not known. Holds it answers by the lead's id, as by the reason why
// not. It returns when the door hears it.
func startLedger(t *testing.T, d *door) {
	t.Helper()
	ledger, err := kgo.NewClient(append(d.cfg.Stream.Options(), kgo.ConsumeTopics("leadroute.ledger"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	t.Cleanup(func() { cancel(); <-over; ledger.Close() })
	answers := map[leadroute.RepID]leadroute.Reply{"ana": {Agreed: true, Known: true, Owner: "ana"}, "ben": {Known: true, Owner: "ana"}, "cy": {Known: true}, "eve": {}}
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			ledger.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				m, err := leadroute.Decode[leadroute.LedgerMessage](r.Value)
				var key string
				var reply leadroute.Reply
				switch {
				case err == nil && m.Action != nil && m.Action.Rep != "silent":
					key, reply = m.Action.Reply, answers[m.Action.Rep]
				case err == nil && m.Hold != nil && m.Hold.ID != "" && m.Hold.By == "web":
					key, reply = m.Hold.Reply, leadroute.Reply{Known: string(r.Key) != "unknown", Refused: string(r.Key)}
					reply.Agreed = string(r.Key) == "l1" && (m.Hold.Over || m.Hold.Reason == "legal, first" && m.Hold.Until != 1)
				}
				if err != nil || m.Action == nil && key == "" {
					t.Errorf("the ledger was told %s", r.Value)
					return
				}
				v, err := leadroute.Encode(&reply)
				if err == nil && key != "" {
					for range 2 { // a copy is nobody's
						err = ledger.ProduceSync(ctx, &kgo.Record{Topic: "leadroute.replies", Key: []byte(key), Value: v}).FirstErr()
					}
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			})
		}
	}()
	// The door listens from when it has found the end of the topic.
	for d.post(t, "/v1/leads/l1/respond", `{"rep":"ana","action":"responded"}`).status != 200 {
		if t.Context().Err() != nil {
			t.Fatal("the ledger's answers are not heard")
		}
	}
}
