package identities

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

const start leadroute.Millis = 1768384800000

// TestStage: through Goka, an identity notes the first lead, tells the second who that was,
// and the first, asking again, that it is the first; it forgets both when their time is over.
func TestStage(t *testing.T) {
	st := Stage()
	h := streamtest.New(t, st)
	ask := func(lead leadroute.LeadID, receipt uint64, at leadroute.Millis) *leadroute.Met {
		t.Helper()
		sent := h.Send("k", &leadroute.IdentityMessage{Ask: &leadroute.Ask{Lead: lead, Receipt: receipt, N: 1, Last: true, Within: time.Hour.Milliseconds()}}, at)
		if len(sent) != 1 || sent[0].Topic != leadroute.TopicLedger || sent[0].Key != string(lead) {
			t.Fatalf("ask of %s: sent %v, want one answer", lead, sent)
		}
		return streamtest.Decode[leadroute.LedgerMessage](t, sent[0]).Met
	}
	first, second := &leadroute.Met{N: 1, First: true}, &leadroute.Met{N: 1, Lead: "L1", Stands: true}
	for _, c := range []struct {
		what    string
		lead    leadroute.LeadID
		receipt uint64
		at      leadroute.Millis
		want    *leadroute.Met
	}{
		{"the first", "L1", 7, start, first},
		{"another", "L2", 8, start + 1, second},
		{"the first, again", "L1", 7, start + 2, first},
		{"another posting under the first one's id", "L1", 9, start + 3, second},
		{"another, in the last moment", "L3", 10, start.Add(time.Hour) - 1, second},
		{"another, too late to be known", "L4", 11, start.Add(time.Hour), first},
	} {
		if d := cmp.Diff(c.want, ask(c.lead, c.receipt, c.at)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
	row := h.State("k")
	if out := st.Sweep("k", row, row.Until-1); len(out) != 0 {
		t.Errorf("Sweep before %d = %v, want nothing", row.Until, out)
	}
	out := st.Sweep("k", row, row.Until)
	if len(out) != 1 {
		t.Fatalf("Sweep at %d = %v, want one check", row.Until, out)
	}
	h.Send("k", out[0].Value.(*leadroute.IdentityMessage), row.Until-1)
	if h.State("k") == nil {
		t.Error("a check before its time forgot the row")
	}
	h.Send("k", out[0].Value.(*leadroute.IdentityMessage), row.Until)
	if s := h.State("k"); s != nil {
		t.Errorf("State after its time = %+v, want none", s)
	}
}

// TestTimes: a policy that slides keeps a person from the latest lead on, another one from
// the first; and a policy of shorter memory makes none shorter.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		what string
		then leadroute.Ask
		want leadroute.Millis
	}{
		{"the same", leadroute.Ask{Within: 1000}, start + 1000},
		{"slides", leadroute.Ask{Within: 1000, Slide: true}, start + 1500},
		{"shorter", leadroute.Ask{Within: 100, Slide: true}, start + 1000},
		{"longer, from the first on", leadroute.Ask{Within: 5000}, start + 1000},
	} {
		s, _ := Apply(nil, &leadroute.IdentityMessage{Ask: &leadroute.Ask{Lead: "L1", Within: 1000}}, start)
		c.then.Lead = "L2"
		s, _ = Apply(s, &leadroute.IdentityMessage{Ask: &c.then}, start+500)
		if s.Until != c.want || s.First != start || s.Last != start+500 {
			t.Errorf("%s: %+v, want until %d", c.what, s, c.want)
		}
	}
}

// TestRowIsSmall: the longest row with its key has the bytes that the documentation says.
func TestRowIsSmall(t *testing.T) {
	id := leadroute.LeadID("Zk3v9Qm2LxT7aB1cD4eF5gHi")
	s, _ := Apply(nil, &leadroute.IdentityMessage{Ask: &leadroute.Ask{Lead: id, Receipt: 1<<64 - 1, Last: true, Within: 90 * 24 * 3600_000}}, start)
	for _, most := range []int{150, 250} {
		b, err := leadroute.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(b) + 24; n > most {
			t.Errorf("the row has %d bytes with its key, want at most %d: %s", n, most, b)
		}
		s, _ = Apply(s, &leadroute.IdentityMessage{Own: &leadroute.Own{Claim: leadroute.ClaimID{Lead: id, Rev: 1, Try: 1, Rep: "u-00012345"}}}, start)
	}
}
