package gateway

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// postClaim takes a rep's wish to have a lead that is open to claim: 200 says that the rep
// has it, 409 who was first or why the rep cannot have it now, 403 that it is not the rep's to
// claim, and 202 that nobody has answered yet.
func (g *Gateway) postClaim(w http.ResponseWriter, r *http.Request, _ leadroute.SourceID) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	id := leadroute.LeadID(r.PathValue("id"))
	if !validID(string(id)) {
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
	rep, bad := readRep(buf.Bytes(), `send {"rep":"ana"}`)
	if bad != nil {
		return rejection([]Problem{*bad})
	}
	bid := &leadroute.Bid{Rep: rep, At: leadroute.At(g.cfg.Stream.Clock()), Reply: newPosting()}
	reply, p := g.bid(r.Context(), cl, id, bid)
	switch {
	case p != nil:
		return refuse(p)
	case reply == nil:
		return answer{http.StatusAccepted, &taken{ID: id, Status: resultAccepted}}
	}
	return claimed(reply, id)
}

// bid puts the wish into the ledger's inbox and returns the answer, nil if there is none
// within AgreeWithin.
func (g *Gateway) bid(ctx context.Context, cl *kgo.Client, id leadroute.LeadID, b *leadroute.Bid) (*leadroute.Reply, *problem) {
	said, forget := g.replies.expect(b.Reply)
	defer forget()
	if full := g.load.enter(1, func(int) bool { return false }); full != nil {
		return nil, full
	}
	done := make(chan error, 1)
	g.produce(cl, leadroute.TopicLedger, id, &leadroute.LedgerMessage{Bid: b}, func(err error) {
		g.load.leave(1)
		done <- err
	})
	log, cancel := context.WithTimeout(ctx, g.cfg.AckTimeout)
	defer cancel()
	select {
	case err := <-done:
		if err != nil {
			return nil, errLogAway
		}
	case <-log.Done():
		g.noteLog(log.Err())
		return nil, errLogAway
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

// claimed is what the answer to a bid means to the rep.
func claimed(r *leadroute.Reply, id leadroute.LeadID) answer {
	conflict := func(detail, remedy string) answer {
		return refuse(refusal(http.StatusConflict, codeMoved, detail, remedy))
	}
	forbidden := func(detail, remedy string) answer {
		return refuse(refusal(http.StatusForbidden, codeNotTheirs, detail, remedy))
	}
	switch {
	case r.Agreed:
		return answer{http.StatusOK, &taken{ID: id, Status: "claimed"}}
	case !r.Known:
		return refuse(refusal(http.StatusNotFound, codeID, "no lead of this id is known", "use the id that the post of the lead returned"))
	case r.Owner != "":
		return conflict("the lead is taken: "+string(r.Owner)+" has it", "claim another one: GET /v1/claimable lists them")
	}
	switch r.Refused {
	case "unknown_rep":
		return forbidden("there is no such rep", "check the id with leadroute reps list")
	case "not_a_member":
		return forbidden("the rep is not in the pool whose lead it is", "claim what GET /v1/claimable?rep= lists for the rep")
	case "unfit":
		return forbidden("the rep does not have what the pool requires for this lead", "leave it to somebody who has")
	case "had_it":
		return forbidden("the lead was taken from the rep, who did not respond in time", "leave it to somebody else")
	case "not_open", "unknown_pool":
		return conflict("the lead is not open to claim now", "claim another one: GET /v1/claimable lists them")
	case "owned":
		return conflict("somebody else has other leads of this person or company", "leave it to them: the lead is offered to whoever that is")
	case "too_few_present":
		return conflict("too few of the pool are there for it to give out a lead", "try again when more are")
	}
	return conflict("the rep cannot take a lead now: "+r.Refused, "claim it again when that is over, if it is still open")
}

// readRep reads the rep who claims.
func readRep(b []byte, remedy string) (leadroute.RepID, *Problem) {
	if bad := syntax(b); bad != nil {
		return "", bad
	}
	b = bytes.TrimSpace(b)
	if b[0] != '{' {
		return "", &Problem{codeType, "", "the body must be a JSON object", remedy}
	}
	var rep string
	members(b, func(key, value []byte) {
		if string(key) == "rep" {
			rep, _ = text(value)
		}
	})
	if rep == "" || len(rep) > 128 {
		return "", &Problem{codeSchema, "/rep", "must be a rep's id", remedy}
	}
	return leadroute.RepID(rep), nil
}
