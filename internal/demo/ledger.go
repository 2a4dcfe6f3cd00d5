package demo

import (
	"iter"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/loadgen"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Finals are the ledger's last words, by its rows: those of the process itself, or a
// view of the table from outside.
func Finals(rows iter.Seq2[string, *ledger.State]) map[leadroute.LeadID]Final {
	out := make(map[leadroute.LeadID]Final)
	for id, s := range rows {
		out[leadroute.LeadID(id)] = Final{State: finalState(s), Owner: s.Owner(), Revision: s.Rev}
	}
	return out
}

// Open counts the leads that the ledger has not finished with; one that the door has
// acknowledged and the ledger has not seen yet is among them.
func Open(rows iter.Seq2[string, *ledger.State], acked map[leadroute.LeadID]loadgen.Acknowledged) int {
	n, unseen := 0, len(acked)
	for id, s := range rows {
		if _, ok := acked[leadroute.LeadID(id)]; ok {
			unseen--
		}
		if s.Phase != ledger.Dead && s.Done == 0 {
			n++
		}
	}
	return n + unseen
}

func finalState(s *ledger.State) State {
	for i := range s.Dests {
		if s.Dests[i].Dead {
			return StateDeadLettered
		}
	}
	switch {
	case s.Phase == ledger.Dead:
		return StateDeadLettered
	case s.Phase == ledger.Closed:
		return StateDelivered
	case s.Queue != "":
		return StateQueued
	case s.Phase == ledger.Owned && acknowledged(s):
		return StateDelivered
	default:
		return StateOpen
	}
}

func acknowledged(s *ledger.State) bool {
	for i := range s.Dests {
		if s.Dests[i].Acked < s.Rev {
			return false
		}
	}
	return true
}
