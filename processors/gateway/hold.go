package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/leadroute/leadroute"
)

// maxReason bounds what an operator says of why, in characters: it is kept in the lead's row.
const maxReason = 200

// postHold lets a lead rest: {"reason":"...","until":"2026-01-14T17:00:00Z"}. 200 says that the
// ledger has agreed, 409 why not, 202 that it has not answered yet.
func (g *Gateway) postHold(w http.ResponseWriter, r *http.Request, by leadroute.SourceID) answer {
	return g.hold(w, r, &leadroute.Hold{By: string(by)})
}

// postRelease ends a hold: {"reason":"..."}, or nothing.
func (g *Gateway) postRelease(w http.ResponseWriter, r *http.Request, by leadroute.SourceID) answer {
	return g.hold(w, r, &leadroute.Hold{By: string(by), Over: true})
}

func (g *Gateway) hold(w http.ResponseWriter, r *http.Request, h *leadroute.Hold) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	a := &action{lead: leadroute.LeadID(r.PathValue("id")), hold: h}
	if bad := a.named(); bad != nil {
		bad.Pointer, bad.Message = "", "the path "+bad.Message
		return rejection([]Problem{*bad})
	}
	if _, p := contentType(r, typeJSON); p != nil && r.ContentLength != 0 {
		return refuse(p)
	}
	buf, p := readBody(w, r, g.cfg.MaxRecord)
	if p != nil {
		return refuse(p)
	}
	defer free(buf)
	if bad := readHold(buf.Bytes(), h, leadroute.At(g.cfg.Stream.Clock())); bad != nil {
		return rejection([]Problem{*bad})
	}
	h.ID = newPosting()
	replies, p := g.ask(r.Context(), cl, []*action{a})
	word := "held"
	if h.Over {
		word = "released"
	}
	switch {
	case p != nil:
		return refuse(p)
	case replies[0] == nil:
		return answer{http.StatusAccepted, &taken{ID: a.lead, Status: resultAccepted}}
	}
	if p := notHeld(replies[0]); p != nil {
		return refuse(p)
	}
	return answer{http.StatusOK, &taken{ID: a.lead, Status: word}}
}

// notHeld says why a hold or its end does not stand, nil if it does.
func notHeld(r *leadroute.Reply) *problem {
	conflict := func(detail, remedy string) *problem {
		return refusal(http.StatusConflict, codeMoved, detail, remedy)
	}
	switch {
	case r.Agreed:
		return nil
	case !r.Known:
		return refusal(http.StatusNotFound, codeID, "no lead of this id is known", "use the id that the post of the lead returned")
	case r.Refused == "held":
		return conflict("the lead is held already", "to hold it for longer, release it first")
	case r.Refused == "asking", r.Refused == "not_then":
		return conflict("the lead is not decided yet", "ask again in a moment")
	case r.Refused == "not_held":
		return conflict("the lead is not held", "there is nothing to release")
	case r.Refused == "too_often":
		return conflict("the lead was held too often", "let it go its way")
	}
	return conflict("the lead is "+r.Refused, "only an open lead can be held")
}

// readHold reads {"reason","until"}; a release needs neither.
func readHold(b []byte, h *leadroute.Hold, now leadroute.Millis) *Problem {
	b = bytes.TrimSpace(b)
	if len(b) == 0 && h.Over {
		return nil
	}
	if bad := syntax(b); bad != nil {
		return bad
	}
	if b[0] != '{' {
		return &Problem{codeType, "", "the body must be a JSON object", `send {"reason":"waiting for legal","until":"2026-01-14T17:00:00Z"}`}
	}
	var until string
	members(b, func(key, value []byte) {
		switch string(key) {
		case "reason":
			h.Reason, _ = text(value)
		case "until":
			until, _ = text(value)
		}
	})
	h.Reason = strings.TrimSpace(h.Reason)
	switch bad := strings.ContainsFunc(h.Reason, unicode.IsControl); {
	case h.Reason == "" && !h.Over:
		return &Problem{codeSchema, "/reason", "must say why the lead is held", `send "reason": a few words; they are kept with the lead`}
	case len([]rune(h.Reason)) > maxReason, bad:
		return &Problem{codeSchema, "/reason", fmt.Sprintf("must be one line of at most %d characters", maxReason), "say it in fewer words"}
	case until == "" || h.Over:
		return nil
	}
	t, err := time.Parse(time.RFC3339, until)
	if err != nil || leadroute.At(t) <= now {
		return &Problem{codeSchema, "/until", "must be a time to come, as RFC 3339 writes it", `send "until":"2026-01-14T17:00:00Z", or leave it out to hold the lead until it is released`}
	}
	h.Until = leadroute.At(t)
	return nil
}
