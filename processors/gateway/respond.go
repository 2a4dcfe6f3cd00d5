package gateway

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// postRespond takes what a rep, or the CRM on the rep's behalf, says about a lead. Whether it
// stands is for the ledger to judge: 200 says that it does, 409 who has the lead now, and 202
// that the ledger has not answered yet.
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
	a, bad := readAction(buf.Bytes())
	if bad != nil {
		return rejection([]Problem{*bad})
	}
	a.lead = leadroute.LeadID(id)
	reply, p := g.ask(r.Context(), cl, &a)
	switch {
	case p != nil:
		return refuse(p)
	case reply != nil:
		return agreed(reply, &a)
	}
	return answer{http.StatusAccepted, &taken{ID: a.lead, Status: resultAccepted}}
}

// Ask puts what a rep says of a lead into the log and returns what the ledger says, nil if
// that has not come within AgreeWithin: the action is in the log all the same.
func (g *Gateway) Ask(ctx context.Context, lead leadroute.LeadID, said leadroute.RepAction) (*leadroute.Reply, error) {
	cl := g.log.Load()
	if cl == nil {
		return nil, errNotRunning
	}
	reply, p := g.ask(ctx, cl, &action{lead, said})
	if p != nil {
		return nil, p
	}
	return reply, nil
}

func (g *Gateway) ask(ctx context.Context, cl *kgo.Client, a *action) (*leadroute.Reply, *problem) {
	a.said.Reply = newPosting()
	said, forget := g.replies.expect(a.said.Reply)
	defer forget()
	if p := g.act(ctx, cl, []*action{a}); p != nil {
		return nil, p
	}
	patience := time.NewTimer(g.cfg.AgreeWithin)
	defer patience.Stop()
	select {
	case reply := <-said:
		return reply, nil
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil, nil
}

// agreed is what the ledger's answer means to who acted.
func agreed(r *leadroute.Reply, a *action) answer {
	switch {
	case r.Agreed:
		return answer{http.StatusOK, &taken{ID: a.lead, Status: a.said.Action}}
	case !r.Known:
		return refuse(refusal(http.StatusNotFound, codeID, "no lead of this id is known", "use the id that the post of the lead returned"))
	case r.Owner == "":
		return refuse(refusal(http.StatusConflict, codeMoved, "the lead has moved on, and nobody has it now", "the rep need not act on it"))
	}
	return refuse(refusal(http.StatusConflict, codeMoved, "the lead has moved on: "+string(r.Owner)+" has it now", "the rep need not act on it"))
}

// postResponds takes many of them at once, as CRMs send them: an array or NDJSON of
// {"lead","rep","action"}. One that is rejected is named in the answer, the others are
// taken; 429 and 503 hold for the batch as a whole, which may be sent again.
func (g *Gateway) postResponds(w http.ResponseWriter, r *http.Request, _ leadroute.SourceID) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	kind, p := contentType(r, typeJSON, typeNDJSON)
	if p != nil {
		return refuse(p)
	}
	buf, p := readBody(w, r, g.cfg.MaxBatch)
	if p != nil {
		return refuse(p)
	}
	defer free(buf)
	raws, p := g.split(buf.Bytes(), kind)
	if p != nil {
		return refuse(p)
	}
	res := batchResult{Results: make([]recordResult, len(raws))}
	var good []*action
	for i, raw := range raws {
		a, bad := readAction(raw)
		if bad == nil && !validID(string(a.lead)) {
			bad = &Problem{codeID, "/lead", "names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", "use the id that the post of the lead returned"}
		}
		if bad != nil {
			res.Rejected++
			res.Results[i] = recordResult{Index: i, Status: resultRejected, Error: bad}
			continue
		}
		res.Accepted++
		res.Results[i] = recordResult{Index: i, ID: a.lead, Status: resultAccepted}
		good = append(good, &a)
	}
	if p := g.act(r.Context(), cl, good); p != nil {
		return refuse(p)
	}
	switch {
	case res.Rejected == 0:
		return answer{http.StatusAccepted, &res}
	case res.Accepted == 0:
		return answer{http.StatusUnprocessableEntity, &res}
	}
	return answer{http.StatusMultiStatus, &res}
}

// action is what a rep says about one lead.
type action struct {
	lead leadroute.LeadID
	said leadroute.RepAction
}

// act puts the actions into the ledger's inbox and waits until the log has them all.
func (g *Gateway) act(ctx context.Context, cl *kgo.Client, as []*action) *problem {
	n := int64(len(as))
	if full := g.load.enter(n, func(int) bool { return false }); full != nil {
		return full
	}
	done := make(chan error, len(as))
	at := leadroute.At(g.cfg.Stream.Clock())
	for i := range as {
		if as[i].said.At == 0 {
			as[i].said.At = at
		}
		g.produce(cl, leadroute.TopicLedger, as[i].lead, &leadroute.LedgerMessage{Action: &as[i].said}, func(err error) {
			g.load.leave(1)
			done <- err
		})
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.AckTimeout)
	defer cancel()
	for range as {
		select {
		case err := <-done:
			if err != nil {
				return errLogAway
			}
		case <-ctx.Done():
			g.noteLog(ctx.Err())
			return errLogAway
		}
	}
	return nil
}

func readAction(b []byte) (a action, bad *Problem) {
	if bad := syntax(b); bad != nil {
		return a, bad
	}
	b = bytes.TrimSpace(b)
	if b[0] != '{' {
		return a, &Problem{codeType, "", "the body must be a JSON object", `send {"rep":"ana","action":"responded"}`}
	}
	var lead, rep, what string
	members(b, func(key, value []byte) {
		switch string(key) {
		case "rep":
			rep, _ = text(value)
		case "action":
			what, _ = text(value)
		case "lead":
			lead, _ = text(value)
		}
	})
	switch {
	case rep == "" || len(rep) > 128:
		return a, &Problem{codeSchema, "/rep", "must be a rep's id", `send "rep": the id of the rep who acts`}
	case what != leadroute.ActionResponded && what != leadroute.ActionClosed:
		return a, &Problem{codeSchema, "/action", "is not an action", `send "responded" or "closed"`}
	}
	return action{leadroute.LeadID(lead), leadroute.RepAction{Rep: leadroute.RepID(rep), Action: what}}, nil
}
