package gateway

import (
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
