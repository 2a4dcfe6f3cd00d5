package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// batchResult is the answer to a batch: one result for each record, in order.
type batchResult struct {
	Accepted   int            `json:"accepted"`
	Duplicates int            `json:"duplicates"`
	Rejected   int            `json:"rejected"`
	Results    []recordResult `json:"results"`
}

type recordResult struct {
	Index  int              `json:"index"`
	ID     leadroute.LeadID `json:"id,omitempty"`
	Status string           `json:"status"`
	Class  leadroute.Class  `json:"class,omitempty"`
	Error  *Problem         `json:"error,omitempty"`
}

// postBatch takes many leads at once. A record that is rejected is rejected for good and
// named in the answer; 429 and 503 hold for the batch as a whole, which is to be sent
// again: what of it had arrived comes back as a duplicate.
func (g *Gateway) postBatch(w http.ResponseWriter, r *http.Request, src leadroute.SourceID) answer {
	cl, chk, shut := g.open()
	if shut != nil {
		return refuse(shut)
	}
	if g.batches.Add(1) > int64(g.cfg.MaxBatches) {
		g.batches.Add(-1)
		return refuse(errBatches)
	}
	defer g.batches.Add(-1)
	kind, p := contentType(r, typeJSON, typeNDJSON)
	if p != nil {
		return g.turnAway(cl, src, p, chk)
	}
	buf, p := readBody(w, r, g.cfg.MaxBatch)
	if p != nil {
		return g.turnAway(cl, src, p, chk)
	}
	defer free(buf)
	raws, p := g.split(buf.Bytes(), kind)
	if p != nil {
		return g.turnAway(cl, src, p, chk)
	}
	at := g.cfg.Stream.Clock()
	recs, ours := g.readAll(raws, src, at, chk)
	if ours != nil {
		return refuse(ours)
	}
	if full := g.enterAll(recs); full != nil {
		return refuse(full)
	}
	for i := range recs {
		if len(recs[i].problems) == 0 {
			g.send(cl, &recs[i], at)
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.AckTimeout)
	defer cancel()
	return g.collect(ctx, cl, recs, chk)
}

// split cuts a batch into its records.
func (g *Gateway) split(b []byte, kind string) ([][]byte, *problem) {
	b = bytes.TrimSpace(b)
	var raws [][]byte
	switch {
	case kind == typeNDJSON:
		for line := range bytes.Lines(b) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				raws = append(raws, line)
			}
		}
	case len(b) > 0:
		if bad := syntax(b); bad != nil {
			return nil, refusal(http.StatusBadRequest, bad.Code, bad.Message, bad.Remedy)
		}
		if b[0] != '[' {
			return nil, refusal(http.StatusBadRequest, codeType, "a batch must be a JSON array or NDJSON",
				"send an array of leads, or one lead a line with Content-Type: "+typeNDJSON)
		}
		elements(b, func(v []byte) { raws = append(raws, v) })
	}
	switch n := len(raws); {
	case n == 0:
		return nil, refusal(http.StatusBadRequest, "empty", "the batch holds no lead", "send at least one")
	case n > g.cfg.MaxRecords:
		return nil, refusal(http.StatusRequestEntityTooLarge, codeTooLarge,
			fmt.Sprintf("the batch has %d leads, the limit is %d", n, g.cfg.MaxRecords), "send it in parts")
	}
	return raws, nil
}

func (g *Gateway) readAll(raws [][]byte, src leadroute.SourceID, at time.Time, chk Checker) ([]record, *problem) {
	posting := newPosting()
	recs := make([]record, len(raws))
	for i, raw := range raws {
		var ours *problem
		if recs[i], ours = g.read(raw, src, receipt(posting, i), at, chk); ours != nil {
			return nil, ours
		}
	}
	return recs, nil
}

// enterAll reserves places for all records that have no problem, or for none.
func (g *Gateway) enterAll(recs []record) *problem {
	var n int64
	there := make([]bool, len(g.load.slots.Load().classes))
	for i := range recs {
		if len(recs[i].problems) == 0 {
			there[recs[i].slot] = true
			n++
		}
	}
	full := g.load.enter(n, func(slot int) bool { return there[slot] })
	if full != nil {
		for i := range recs {
			if len(recs[i].problems) == 0 {
				g.metrics.lead(resultOverloaded, recs[i].class)
			}
		}
	}
	return full
}

// collect waits for every record and writes the answer.
func (g *Gateway) collect(ctx context.Context, cl *kgo.Client, recs []record, chk Checker) answer {
	res := batchResult{Results: make([]recordResult, len(recs))}
	failed := false
	for i := range recs {
		rec := &recs[i]
		out := &res.Results[i]
		*out = recordResult{Index: i, ID: rec.lead.ID}
		if len(rec.problems) > 0 {
			g.reject(cl, rec, chk)
			res.Rejected++
			out.Status, out.Error = resultRejected, &rec.problems[0]
			continue
		}
		accepted, err := g.wait(ctx, rec)
		switch {
		case err != nil:
			g.metrics.lead(resultFailed, rec.class)
			failed = true
		case accepted:
			g.metrics.lead(resultAccepted, rec.class)
			res.Accepted++
			out.Status, out.Class = resultAccepted, rec.class
		default:
			g.duplicate(cl, rec, chk)
			res.Duplicates++
			out.Status = resultDuplicate
		}
	}
	switch {
	case failed:
		return refuse(errLogAway)
	case res.Rejected == 0:
		return answer{http.StatusAccepted, &res}
	case res.Rejected == len(recs):
		return answer{http.StatusUnprocessableEntity, &res}
	}
	return answer{http.StatusMultiStatus, &res}
}
