package ownership

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
)

const at leadroute.Millis = 1768384800000

func claim(lead leadroute.LeadID, rev, try int, rep leadroute.RepID) leadroute.ClaimID {
	return leadroute.ClaimID{Lead: lead, Rev: rev, Try: try, Rep: rep}
}

func TestJudge(t *testing.T) {
	anas := &leadroute.Ownership{Rep: "ana", Lead: "L1", Rev: 1, Try: 2, At: at - 1000}
	for _, c := range []struct {
		what string
		have *leadroute.Ownership
		ask  leadroute.Own
		want leadroute.Ownership
		said leadroute.Owned
	}{
		{
			"the first owns it", nil,
			leadroute.Own{Claim: claim("L1", 1, 2, "ana")},
			leadroute.Ownership{Rep: "ana", Lead: "L1", Rev: 1, Try: 2, At: at},
			leadroute.Owned{Yes: true, Made: true},
		},
		{"the same again", anas, leadroute.Own{Claim: claim("L1", 1, 2, "ana")}, *anas, leadroute.Owned{Yes: true, Made: true}},
		{"another lead of the owner's", anas, leadroute.Own{Claim: claim("L2", 1, 1, "ana")}, *anas, leadroute.Owned{Yes: true}},
		{"another lead of another rep's", anas, leadroute.Own{Claim: claim("L2", 1, 1, "ben")}, *anas, leadroute.Owned{Owner: "ana"}},
		{"the owner has declined", anas, leadroute.Own{Claim: claim("L2", 1, 3, "ben"), Passed: []leadroute.RepID{"ana"}}, *anas, leadroute.Owned{Yes: true}},
		{"another one has declined", anas, leadroute.Own{Claim: claim("L2", 1, 3, "ben"), Passed: []leadroute.RepID{"cem"}}, *anas, leadroute.Owned{Owner: "ana"}},
		{
			"the owner is gone", anas,
			leadroute.Own{Claim: claim("L2", 1, 3, "ben"), Passed: []leadroute.RepID{"ana"}, Gone: []leadroute.RepID{"ana"}},
			leadroute.Ownership{Rep: "ben", Lead: "L2", Rev: 1, Try: 3, At: at, Instead: "ana"},
			leadroute.Owned{Yes: true, Made: true},
		},
		{"who counts for more named ben", anas, leadroute.Own{Claim: claim("L2", 1, 3, "ben"), Yield: true}, *anas, leadroute.Owned{Yes: true}},
		{
			"the lead that made it moved on", anas,
			leadroute.Own{Claim: claim("L1", 2, 1, "ben")},
			leadroute.Ownership{Rep: "ben", Lead: "L1", Rev: 2, Try: 1, At: at},
			leadroute.Owned{Yes: true, Made: true},
		},
		{"a late copy of a try before", anas, leadroute.Own{Claim: claim("L1", 1, 1, "ben")}, *anas, leadroute.Owned{Owner: "ana"}},
	} {
		var have *leadroute.Ownership
		if c.have != nil {
			own := *c.have
			have = &own
		}
		c.ask.N, c.ask.Bid = 1, "b"
		c.said.Claim, c.said.N, c.said.Bid = c.ask.Claim, 1, "b"
		got, said := Judge(have, &c.ask, at)
		if d := cmp.Diff(&c.want, got); d != "" {
			t.Errorf("%s: owner (-want +got):\n%s", c.what, d)
		}
		if d := cmp.Diff(&c.said, said); d != "" {
			t.Errorf("%s: said (-want +got):\n%s", c.what, d)
		}
		again, resaid := Judge(got, &c.ask, at+5)
		if d := cmp.Diff(&c.want, again) + cmp.Diff(said, resaid); d != "" {
			t.Errorf("%s, a copy of it: (-want +got):\n%s", c.what, d)
		}
	}
}
