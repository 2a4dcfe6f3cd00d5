package stream_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute/processors/stream"
)

// A recovery breaks off: the log's start has moved past the place that is being read, as it
// does when the embedded log compacts. The stage must not begin with the rows that it has read
// until then.
func TestRecoveryThatBreaksOff(t *testing.T) {
	r := newRig(t)
	const keys = 40
	round := func() (least int) {
		t.Helper()
		for i := range keys {
			r.send(name("k%d", i), `{}`)
		}
		for range keys {
			if n := r.nextTold().N; least == 0 || n < least {
				least = n
			}
		}
		return least
	}
	_, stop := r.start(tallyStage())
	round()
	stop()
	fault := r.b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: ns.Table(tallies), Err: kerr.OffsetOutOfRange, Count: 1})
	r.start(tallyStage())
	if fault.Hits() == 0 {
		t.Fatal("the recovery did not break off: the test proves nothing")
	}
	if n := round(); n != 2 {
		t.Errorf("after a recovery that broke off some row counts to %d, want 2 for all", n)
	}
}

// A view whose reading breaks off reads on, and is not recovered before its end.
func TestViewThatBreaksOff(t *testing.T) {
	r := newRig(t)
	const keys = 40
	_, stop := r.start(tallyStage())
	for i := range keys {
		r.send(name("k%d", i), `{}`)
	}
	for range keys {
		r.nextTold()
	}
	stop()
	fault := r.b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: ns.Table(tallies), Err: kerr.OffsetOutOfRange, Count: 1})
	v, err := stream.NewView[tally](r.cfg, tallies, nil)
	if err != nil {
		t.Fatal(err)
	}
	running(t, v.Run)
	await(t, "recovery", v.Recovered())
	n := 0
	for range v.Rows {
		n++
	}
	if fault.Hits() == 0 || n != keys {
		t.Errorf("broken off %d times; the view has %d rows, want %d", fault.Hits(), n, keys)
	}
}
