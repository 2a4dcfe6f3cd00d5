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
