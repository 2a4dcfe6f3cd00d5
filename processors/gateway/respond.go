package gateway

import (
	"bytes"
	"context"
	"net/http"

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
	a, bad := g.readAction(buf.Bytes())
	if bad != nil {
		return rejection([]Problem{*bad})
	}
	a.lead = leadroute.LeadID(id)
	return g.judge(r, a)
}

// judge puts an action to the ledger and answers with what it says, if that comes in time.
func (g *Gateway) judge(r *http.Request, a *action) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	replies, p := g.ask(r.Context(), cl, []*action{a})
	switch {
	case p != nil:
		return refuse(p)
	case replies[0] == nil:
		return answer{http.StatusAccepted, &taken{ID: a.lead, Status: resultAccepted}}
	}
	if p := moved(replies[0]); p != nil {
		return refuse(p)
	}
	return answer{http.StatusOK, &taken{ID: a.lead, Status: a.said.Action}}
}

// judgeAll does so with many, of which each has its own answer.
func (g *Gateway) judgeAll(r *http.Request, raws [][]byte) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	res, good, at := g.readActions(raws)
	replies, p := g.ask(r.Context(), cl, good)
	if p != nil {
		return refuse(p)
	}
	waiting := 0
	for i, reply := range replies {
		out := &res.Results[at[i]]
		if reply == nil {
			waiting++
			continue
		}
		out.Status = good[i].said.Action
		if p := moved(reply); p != nil {
			res.Accepted--
			res.Rejected++
			out.Status, out.Error = resultRejected, &Problem{Code: codeMoved, Message: p.Detail, Remedy: p.Remedy}
			if !reply.Known {
				out.Error.Code, out.Error.Pointer = codeID, "/lead"
			}
		}
	}
	switch {
	case res.Rejected == len(raws):
		return answer{http.StatusUnprocessableEntity, res}
	case res.Rejected > 0:
		return answer{http.StatusMultiStatus, res}
	case waiting > 0:
		return answer{http.StatusAccepted, res}
	}
	return answer{http.StatusOK, res}
}

// Ask puts what a rep says of a lead into the log and returns what the ledger says, nil if
// that has not come within AgreeWithin: the action is in the log all the same.
func (g *Gateway) Ask(ctx context.Context, lead leadroute.LeadID, said leadroute.RepAction) (*leadroute.Reply, error) {
	cl := g.log.Load()
	if cl == nil {
		return nil, errNotRunning
	}
	replies, p := g.ask(ctx, cl, []*action{{lead: lead, said: said}})
	if p != nil {
		return nil, p
	}
	return replies[0], nil
}

// ask puts actions into the log and returns the ledger's answers, nil where none has come
// within AgreeWithin.
func (g *Gateway) ask(ctx context.Context, cl *kgo.Client, as []*action) ([]*leadroute.Reply, *problem) {
	said := make([]<-chan *leadroute.Reply, len(as))
	for i, a := range as {
		key := receipt(newPosting(), i)
		if a.hold != nil {
			a.hold.Reply = key
		}
		a.said.Reply = key
		var forget func()
		said[i], forget = g.replies.expect(key)
		defer forget()
	}
	if p := g.act(ctx, cl, as); p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.AgreeWithin)
	defer cancel()
	replies := make([]*leadroute.Reply, len(as))
	for i := range as {
		select {
		case replies[i] = <-said[i]:
		case <-ctx.Done():
			select { // it may have come with the last moment
			case replies[i] = <-said[i]:
			default:
			}
		}
	}
	return replies, nil
}

// moved says why an action does not stand, nil if it does.
func moved(r *leadroute.Reply) *problem {
	const remedy = "the rep need not act on it"
	switch {
	case r.Agreed:
		return nil
	case !r.Known:
		return refusal(http.StatusNotFound, codeID, "no lead of this id is known", "use the id that the post of the lead returned")
	case r.Owner == "":
		return refusal(http.StatusConflict, codeMoved, "the lead has moved on, and nobody has it now", remedy)
	}
	return refusal(http.StatusConflict, codeMoved, "the lead has moved on: "+string(r.Owner)+" has it now", remedy)
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
	res, good, _ := g.readActions(raws)
	if p := g.act(r.Context(), cl, good); p != nil {
		return refuse(p)
	}
	switch {
	case res.Rejected == 0:
		return answer{http.StatusAccepted, res}
	case res.Accepted == 0:
		return answer{http.StatusUnprocessableEntity, res}
	}
	return answer{http.StatusMultiStatus, res}
}

// readActions reads many; at is where each good one stands.
func (g *Gateway) readActions(raws [][]byte) (res *batchResult, good []*action, at []int) {
	res = &batchResult{Results: make([]recordResult, len(raws))}
	for i, raw := range raws {
		a, bad := g.readAction(raw)
		if bad == nil {
			bad = a.named()
		}
		if bad != nil {
			res.Rejected++
			res.Results[i] = recordResult{Index: i, Status: resultRejected, Error: bad}
			continue
		}
		res.Accepted++
		res.Results[i] = recordResult{Index: i, ID: a.lead, Status: resultAccepted}
		good, at = append(good, a), append(at, i)
	}
	return res, good, at
}

// action is what a rep says about one lead, or an operator who holds it.
type action struct {
	lead leadroute.LeadID
	said leadroute.RepAction
	hold *leadroute.Hold // instead of said
}

func (a *action) message() *leadroute.LedgerMessage {
	if a.hold != nil {
		return &leadroute.LedgerMessage{Hold: a.hold}
	}
	return &leadroute.LedgerMessage{Action: &a.said}
}

// named says what is wrong with the lead's id where the body names it.
func (a *action) named() *Problem {
	if validID(string(a.lead)) {
		return nil
	}
	return &Problem{codeID, "/lead", "names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", "use the id that the post of the lead returned"}
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
		g.produce(cl, leadroute.TopicLedger, as[i].lead, as[i].message(), func(err error) {
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

// readAction reads {"lead", "rep" or "crm_id", "action"}.
func (g *Gateway) readAction(b []byte) (*action, *Problem) {
	if bad := syntax(b); bad != nil {
		return nil, bad
	}
	b = bytes.TrimSpace(b)
	if b[0] != '{' {
		return nil, &Problem{codeType, "", "the body must be a JSON object", `send {"rep":"ana","action":"responded"}`}
	}
	var lead, rep, crmID, what string
	members(b, func(key, value []byte) {
		switch string(key) {
		case "rep":
			rep, _ = text(value)
		case "crm_id":
			crmID, _ = text(value)
		case "action":
			what, _ = text(value)
		case "lead":
			lead, _ = text(value)
		}
	})
	if rep == "" && crmID != "" {
		var bad *Problem
		if rep, bad = g.owner(crmID); bad != nil {
			return nil, bad
		}
	}
	switch {
	case rep == "" || len(rep) > 128:
		return nil, &Problem{codeSchema, "/rep", "must be a rep's id", `send "rep": the id of the rep who acts, or "crm_id": the rep's id in the CRM`}
	case what != leadroute.ActionResponded && what != leadroute.ActionClosed:
		return nil, &Problem{codeSchema, "/action", "is not an action", `send "responded" or "closed"`}
	}
	return &action{lead: leadroute.LeadID(lead), said: leadroute.RepAction{Rep: leadroute.RepID(rep), Action: what}}, nil
}

// owner finds the rep who has that id in the CRM.
func (g *Gateway) owner(crmID string) (string, *Problem) {
	var owners []leadroute.RepID
	if g.cfg.Owners != nil {
		owners = g.cfg.Owners(crmID)
	}
	switch len(owners) {
	case 0:
		return "", &Problem{codeSchema, "/crm_id", "is no rep's crm_id", `send "rep" instead, or import the rep with this crm_id`}
	case 1:
		return string(owners[0]), nil
	}
	return "", &Problem{codeSchema, "/crm_id", "is the crm_id of several reps", `send "rep" instead, and give each rep a crm_id of their own`}
}
