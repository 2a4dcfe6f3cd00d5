package accounts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

// TestStage: through Goka, an account is set under its key, changed, left alone by an
// empty message, and removed.
func TestStage(t *testing.T) {
	h := streamtest.New(t, Stage())
	want := leadroute.Account{Domain: "acme.example", Name: "Acme", Owner: "ana", Attrs: map[string]any{"tier": "gold"}}
	for _, c := range []struct {
		what string
		m    leadroute.AccountMessage
		want *leadroute.Account
	}{
		{"set, under another domain in the message", leadroute.AccountMessage{Set: &leadroute.Account{Domain: "other.example", Name: "Acme", Owner: "ana", Attrs: map[string]any{"tier": "gold"}}}, &want},
		{"nothing", leadroute.AccountMessage{}, &want},
		{"changed", leadroute.AccountMessage{Set: &leadroute.Account{Owner: "ben"}}, &leadroute.Account{Domain: "acme.example", Owner: "ben"}},
		{"removed", leadroute.AccountMessage{Remove: &struct{}{}}, nil},
		{"removed again", leadroute.AccountMessage{Remove: &struct{}{}}, nil},
	} {
		if sent := h.Send("acme.example", &c.m, 1768384800000); len(sent) != 0 {
			t.Errorf("%s: sent %v, want nothing", c.what, sent)
		}
		if d := cmp.Diff(c.want, h.State("acme.example")); d != "" {
			t.Errorf("%s: row (-want +got):\n%s", c.what, d)
		}
	}
}

// TestOwn: the first assignment of a new company claims it, and says so to whoever comes
// next; what somebody says of it stands.
func TestOwn(t *testing.T) {
	const at leadroute.Millis = 1768384800000
	h := streamtest.New(t, Stage())
	own := func(lead leadroute.LeadID, rep leadroute.RepID) *leadroute.Owned {
		t.Helper()
		sent := h.Send("acme.example", &leadroute.AccountMessage{Own: &leadroute.Own{Claim: leadroute.ClaimID{Lead: lead, Rev: 1, Try: 1, Rep: rep}}}, at)
		if len(sent) != 1 || sent[0].Topic != leadroute.TopicLedger || sent[0].Key != string(lead) {
			t.Fatalf("own by %s: sent %v, want one answer to the lead", lead, sent)
		}
		return streamtest.Decode[leadroute.LedgerMessage](t, sent[0]).Owned
	}
	set := func(a leadroute.Account) { h.Send("acme.example", &leadroute.AccountMessage{Set: &a}, at) }
	if o := own("L1", "ana"); !o.Yes || !o.Made {
		t.Errorf("the first: %+v, want yes, made", o)
	}
	want := &leadroute.Account{Domain: "acme.example", Owner: "ana", Claim: &leadroute.Ownership{Rep: "ana", Lead: "L1", Rev: 1, Try: 1, At: at}}
	if d := cmp.Diff(want, h.State("acme.example")); d != "" {
		t.Errorf("claimed (-want +got):\n%s", d)
	}
	if o := own("L2", "ben"); o.Yes || o.Owner != "ana" {
		t.Errorf("the second: %+v, want ana", o)
	}
	set(leadroute.Account{Name: "Acme"})
	if a := h.State("acme.example"); a.Owner != "ana" || a.Claim == nil || a.Name != "Acme" || a.Claimed() {
		t.Errorf("imported without an owner: %+v, want ana's still, and no longer known by the claim alone", a)
	}
	set(leadroute.Account{Name: "Acme", Owner: "cem", Claim: want.Claim})
	if a := h.State("acme.example"); a.Owner != "cem" || a.Claim != nil {
		t.Errorf("imported with an owner: %+v, want cem's by somebody's word", a)
	}
	if o := own("L3", "ben"); !o.Yes || o.Made {
		t.Errorf("a lead of an account whose owner was named: %+v, want yes, and nothing made", o)
	}
	if a := h.State("acme.example"); a.Owner != "cem" || a.Claim != nil {
		t.Errorf("after that: %+v, want cem's", a)
	}
}
