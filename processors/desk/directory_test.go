package desk

import (
	"slices"
	"testing"

	"github.com/leadroute/leadroute"
)

func TestDirectoryFollowsTheRows(t *testing.T) {
	var d Directory
	row := func(crmID string) *State { return &State{Profile: leadroute.Rep{CRMID: crmID}} }
	for i, c := range []struct {
		id  leadroute.RepID
		row *State
		u1  []leadroute.RepID
		u2  []leadroute.RepID
	}{
		{"ana", row("u1"), []leadroute.RepID{"ana"}, nil},
		{"ana", row("u1"), []leadroute.RepID{"ana"}, nil},
		{"ben", row("u1"), []leadroute.RepID{"ana", "ben"}, nil},
		{"ana", row("u2"), []leadroute.RepID{"ben"}, []leadroute.RepID{"ana"}},
		{"ben", row(""), nil, []leadroute.RepID{"ana"}},
		{"ana", nil, nil, nil},
		{"eve", nil, nil, nil},
	} {
		d.Update(c.id, c.row)
		if u1, u2 := d.Owners("u1"), d.Owners("u2"); !slices.Equal(u1, c.u1) || !slices.Equal(u2, c.u2) {
			t.Errorf("after %d (%s): u1 is %v, want %v; u2 is %v, want %v", i, c.id, u1, c.u1, u2, c.u2)
		}
	}
	if who := d.Owners(""); len(who) > 0 {
		t.Errorf("Owners of no id = %v, want nobody", who)
	}
}
