package gateway

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// open returns what a post needs, or why the door is shut.
func (g *Gateway) open() (*kgo.Client, Checker, *problem) {
	cl := g.log.Load()
	if cl == nil {
		return nil, nil, errNotRunning
	}
	chk := g.cfg.Checker()
	if chk == nil {
		return nil, nil, errNoPolicy
	}
	return cl, chk, nil
}

// taken is the answer to a lead that the log has.
type taken struct {
	ID     leadroute.LeadID `json:"id"`
	Status string           `json:"status"`
	Class  leadroute.Class  `json:"class,omitempty"`
}

func (g *Gateway) postLead(w http.ResponseWriter, r *http.Request, src leadroute.SourceID) answer {
	cl, chk, shut := g.open()
	if shut != nil {
		return refuse(shut)
	}
	if _, p := contentType(r, typeJSON); p != nil {
		return g.turnAway(cl, src, p, chk)
	}
	buf, p := readBody(w, r, g.cfg.MaxRecord)
	if p != nil {
		return g.turnAway(cl, src, p, chk)
	}
	defer free(buf)
	at := g.cfg.Stream.Clock()
	rec, ours := g.read(buf.Bytes(), src, receipt(newPosting(), 0), at, chk)
	switch {
	case ours != nil:
		return refuse(ours)
	case len(rec.problems) > 0:
		g.reject(cl, &rec, chk)
		return rejection(rec.problems)
	}
	if full := g.load.enter(1, func(slot int) bool { return slot == rec.slot }); full != nil {
		g.metrics.lead(resultOverloaded, rec.class)
		return refuse(full)
	}
	g.send(cl, &rec, at)
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.AckTimeout)
	defer cancel()
	accepted, err := g.wait(ctx, &rec)
	switch {
	case err != nil:
		g.metrics.lead(resultFailed, rec.class)
		return refuse(errLogAway)
	case !accepted:
		g.duplicate(cl, &rec, chk)
		return answer{http.StatusOK, &taken{ID: rec.lead.ID, Status: resultDuplicate}}
	}
	g.metrics.lead(resultAccepted, rec.class)
	return answer{http.StatusAccepted, &taken{rec.lead.ID, resultAccepted, rec.class}}
}

// read is syntax and examine; a fault of ours comes back as the refusal to answer.
func (g *Gateway) read(raw []byte, src leadroute.SourceID, receipt string, at time.Time, chk Checker) (record, *problem) {
	if bad := syntax(raw); bad != nil {
		return record{lead: leadroute.Lead{Source: src, Receipt: receipt, ReceivedAt: leadroute.At(at)}, problems: []Problem{*bad}}, nil
	}
	rec, err := g.examine(raw, src, receipt, at, chk)
	if err != nil {
		g.cfg.Stream.Log.Error("lead not checked", "plan", chk.PlanID(), "error", err)
		g.metrics.lead(resultFailed, "")
		return rec, errInternal
	}
	return rec, nil
}

// turnAway records a request that was refused before a lead could be read from it.
func (g *Gateway) turnAway(cl *kgo.Client, src leadroute.SourceID, p *problem, chk Checker) answer {
	at := leadroute.At(g.cfg.Stream.Clock())
	code := p.Type[len("urn:leadroute:problem:"):]
	g.reject(cl, &record{
		lead:     leadroute.Lead{Source: src, Receipt: receipt(newPosting(), 0), ReceivedAt: at},
		problems: []Problem{{Code: code}},
	}, chk)
	return refuse(p)
}

func (g *Gateway) reject(cl *kgo.Client, rec *record, chk Checker) {
	g.metrics.lead(resultRejected, "")
	g.event(cl, leadroute.StepRejected, rec, chk.PlanID())
}

func (g *Gateway) duplicate(cl *kgo.Client, rec *record, chk Checker) {
	g.metrics.lead(resultDuplicate, rec.class)
	g.event(cl, leadroute.StepDuplicate, rec, chk.PlanID())
}

// postRespond takes what a rep, or the CRM on the rep's behalf, says about a lead.
// Whether the lead and its owner are known is for the ledger to judge.
func (g *Gateway) postRespond(w http.ResponseWriter, r *http.Request, _ leadroute.SourceID) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	id := r.PathValue("id")
	if !validID(id) {
		return rejection([]Problem{{codeID, "", "the path names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", "use the id that the post of the lead returned"}})
	}
	if _, p := contentType(r, typeJSON); p != nil {
		return refuse(p)
	}
	buf, p := readBody(w, r, g.cfg.MaxRecord)
	if p != nil {
		return refuse(p)
	}
	defer free(buf)
	action, bad := readAction(buf.Bytes())
	if bad != nil {
		return rejection([]Problem{*bad})
	}
	action.At = leadroute.At(g.cfg.Stream.Clock())
	if full := g.load.enter(1, func(int) bool { return false }); full != nil {
		return refuse(full)
	}
	done := make(chan error, 1)
	g.produce(cl, leadroute.TopicLedger, leadroute.LeadID(id), &leadroute.LedgerMessage{Action: action}, func(err error) {
		g.load.leave(1)
		done <- err
	})
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.AckTimeout)
	defer cancel()
	select {
	case err := <-done:
		if err != nil {
			return refuse(errLogAway)
		}
	case <-ctx.Done():
		g.noteLog(ctx.Err())
		return refuse(errLogAway)
	}
	return answer{http.StatusAccepted, &taken{ID: leadroute.LeadID(id), Status: resultAccepted}}
}

func readAction(b []byte) (*leadroute.RepAction, *Problem) {
	if bad := syntax(b); bad != nil {
		return nil, bad
	}
	b = bytes.TrimSpace(b)
	if b[0] != '{' {
		return nil, &Problem{codeType, "", "the body must be a JSON object", `send {"rep":"ana","action":"responded"}`}
	}
	var rep, action string
	members(b, func(key, value []byte) {
		switch string(key) {
		case "rep":
			rep, _ = text(value)
		case "action":
			action, _ = text(value)
		}
	})
	switch {
	case rep == "" || len(rep) > 128:
		return nil, &Problem{codeSchema, "/rep", "must be a rep's id", `send "rep": the id of the rep who acts`}
	case action != leadroute.ActionResponded && action != leadroute.ActionClosed:
		return nil, &Problem{codeSchema, "/action", "is not an action", `send "responded" or "closed"`}
	}
	return &leadroute.RepAction{Rep: leadroute.RepID(rep), Action: action}, nil
}
