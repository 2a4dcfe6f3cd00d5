package demo

import (
	"maps"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/loadgen"
	"github.com/leadroute/leadroute/processors/ledger"
)

func TestFinals(t *testing.T) {
	claim := &leadroute.Claim{ID: leadroute.ClaimID{Lead: "l", Rev: 2, Rep: "ana"}}
	rows := map[string]*ledger.State{
		"offering":  {Phase: ledger.Offering, Rev: 1},
		"waiting":   {Phase: ledger.Waiting, Rev: 1, Queue: "backlog"},
		"on_offer":  {Phase: ledger.Offering, Rev: 1, Queue: "backlog"}, // out of the queue only when it has an owner
		"sending":   {Phase: ledger.Owned, Rev: 2, Claim: claim, Dests: []ledger.Dest{{Acked: 1, InFlight: true}}},
		"delivered": {Phase: ledger.Owned, Rev: 2, Claim: claim, Dests: []ledger.Dest{{Acked: 2}}},
		"half":      {Phase: ledger.Owned, Rev: 2, Claim: claim, Dests: []ledger.Dest{{Acked: 2}, {Acked: 1}}},
		"given_up":  {Phase: ledger.Owned, Rev: 2, Claim: claim, Dests: []ledger.Dest{{Dead: true}}},
		"closed":    {Phase: ledger.Closed, Rev: 2, Claim: claim, Done: 7},
		"dead":      {Phase: ledger.Dead, Rev: 1},
	}
	want := map[leadroute.LeadID]Final{
		"offering":  {StateOpen, "", 1},
		"waiting":   {StateQueued, "", 1},
		"on_offer":  {StateQueued, "", 1},
		"sending":   {StateOpen, "ana", 2},
		"delivered": {StateDelivered, "ana", 2},
		"half":      {StateOpen, "ana", 2},
		"given_up":  {StateDeadLettered, "ana", 2},
		"closed":    {StateDelivered, "ana", 2},
		"dead":      {StateDeadLettered, "", 1},
	}
	if got := Finals(maps.All(rows)); !maps.Equal(got, want) {
		t.Errorf("Finals = %v, want %v", got, want)
	}
	acked := map[leadroute.LeadID]loadgen.Acknowledged{"closed": {}, "waiting": {}, "at_the_door": {}}
	if got, want := Open(maps.All(rows), acked), len(rows)-2+1; got != want {
		t.Errorf("Open = %d, want %d: all but the closed and the dead one, and the one still at the door", got, want)
	}
}
