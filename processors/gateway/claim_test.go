package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

// TestClaimIsAnswered: what the ledger, the pool or the rep's row says of a claim is what the
// rep is told.
func TestClaimIsAnswered(t *testing.T) {
	for _, c := range []struct {
		reply  leadroute.Reply
		status int
		detail string
	}{
		{leadroute.Reply{Known: true, Agreed: true, Owner: "ana", Rev: 1}, 200, ""},
		{leadroute.Reply{}, 404, "no lead of this id"},
		{leadroute.Reply{Known: true, Owner: "ben"}, 409, "ben has it"},
		{leadroute.Reply{Known: true, Refused: "not_open"}, 409, "not open to claim"},
		{leadroute.Reply{Known: true, Refused: "unknown_pool"}, 409, "not open to claim"},
		{leadroute.Reply{Known: true, Refused: "too_few_present"}, 409, "too few"},
		{leadroute.Reply{Known: true, Refused: "owned"}, 409, "other leads of this person"},
		{leadroute.Reply{Known: true, Refused: "full"}, 409, "full"},
		{leadroute.Reply{Known: true, Refused: "off"}, 409, "off"},
		{leadroute.Reply{Known: true, Refused: "not_a_member"}, 403, "not in the pool"},
		{leadroute.Reply{Known: true, Refused: "unknown_rep"}, 403, "no such rep"},
		{leadroute.Reply{Known: true, Refused: "unfit"}, 403, "requires"},
		{leadroute.Reply{Known: true, Refused: "had_it"}, 403, "taken from the rep"},
	} {
		a := claimed(&c.reply, "l1")
		if a.status != c.status {
			t.Errorf("%+v = %d, want %d", c.reply, a.status, c.status)
		}
		if p, ok := a.body.(*problem); ok && (!strings.Contains(p.Detail, c.detail) || p.Remedy == "") || !ok && c.status != 200 {
			t.Errorf("%+v = %+v, want %q and what to do", c.reply, a.body, c.detail)
		}
	}
}

// TestClaimGoesToTheLedger: a claim is put into the ledger's inbox, and answered 202 where
// nobody has answered it in time.
func TestClaimGoesToTheLedger(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.AgreeWithin = 10 * time.Millisecond })
	if r := d.post(t, "/v1/leads/l1/claim", ` {"rep":"ana"} `); r.status != 202 {
		t.Fatalf("claim = %v, want 202", r)
	}
	for _, bad := range []struct{ path, body, pointer string }{
		{"/v1/leads/l1/claim", `{}`, "/rep"},
		{"/v1/leads/l1/claim", `{"rep":7}`, "/rep"},
		{"/v1/leads/l1/claim", `["ana"]`, ""},
		{"/v1/leads/ana@example.com/claim", `{"rep":"ana"}`, ""},
		{"/v1/leads/l1/claim", `{"rep":`, ""},
	} {
		if r := d.post(t, bad.path, bad.body); r.status != 422 && r.status != 400 {
			t.Errorf("%s to %s = %v, want 422", bad.body, bad.path, r)
		}
	}
}
