package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
)

// Verifier checks the signatures of one destination: Standard Webhooks,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
type Verifier interface {
	// Verify tells whether one of the signatures is right for a message.
	Verify(id string, at time.Time, body []byte, signatures string) bool
}

// hookTolerance is how far a message's timestamp may lie from our time; hooksRemembered
// bounds the messages that are known from within it.
const (
	hookTolerance   = 5 * time.Minute
	hooksRemembered = 100_000
)

// postHook takes what reps did with leads from the CRM that a destination delivers to: one
// action, an array of them, or either as the data of a Standard Webhooks envelope. Who
// signs with the destination's key needs no API key. The answer is that of a response; for
// several there is one each.
func (g *Gateway) postHook(w http.ResponseWriter, r *http.Request) answer {
	cl := g.log.Load()
	if cl == nil {
		return refuse(errNotRunning)
	}
	buf, p := readBody(w, r, g.cfg.MaxBatch)
	if p != nil {
		return refuse(p)
	}
	defer free(buf)
	forget, p := g.verify(r, buf.Bytes())
	if p != nil {
		return refuse(p)
	}
	a := g.hooked(r, buf.Bytes())
	if a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests {
		forget() // the same may come again as it is
	}
	return a
}

// verify checks who sent the message, and that it was not heard before.
func (g *Gateway) verify(r *http.Request, body []byte) (forget func(), p *problem) {
	unauthorized := func(detail, remedy string) (func(), *problem) {
		return nil, refusal(http.StatusUnauthorized, "signature", detail, remedy)
	}
	var v Verifier
	if g.cfg.Hook != nil {
		v = g.cfg.Hook(leadroute.DestinationID(r.PathValue("destination")))
	}
	if v == nil {
		return nil, refusal(http.StatusNotFound, "destination", "no destination of this name signs what it sends, so that nothing can be signed for it",
			`give the destination's webhook sign = "standard-webhooks" and a key, and sign with that key`)
	}
	id, stamp := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || len(id) > 256 || err != nil {
		return unauthorized("the message is not signed", "send the headers webhook-id, webhook-timestamp (seconds since 1970) and webhook-signature")
	}
	now, at := g.cfg.Stream.Clock(), time.Unix(seconds, 0)
	if d := now.Sub(at); d > hookTolerance || d < -hookTolerance {
		return unauthorized(fmt.Sprintf("webhook-timestamp lies %s from now, more than %s", d.Abs().Round(time.Second), hookTolerance),
			"sign each attempt with its own time, and set the sender's clock")
	}
	if !v.Verify(id, at, body, r.Header.Get("Webhook-Signature")) {
		return unauthorized("webhook-signature is wrong", `send "v1," and the base64 of the HMAC-SHA256 of "ID.TIMESTAMP.BODY" under the destination's key`)
	}
	forget, fresh := g.heard.take(id+"."+stamp, now)
	if !fresh {
		return nil, refusal(http.StatusConflict, "replayed", "this very message was heard before", "sign another attempt with its own time")
	}
	return forget, nil
}

// heard are the messages whose timestamps are still good. A second attempt at one has its
// own timestamp and is answered like the first.
type heard struct {
	mu  sync.Mutex
	ids map[string]bool
	old []heardAt // of ids, oldest first
}

type heardAt struct {
	id string
	at time.Time
}

func (h *heard) take(id string, now time.Time) (forget func(), fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids == nil {
		h.ids = map[string]bool{}
	}
	for len(h.old) > 0 && (now.Sub(h.old[0].at) > 2*hookTolerance || len(h.old) >= hooksRemembered) {
		delete(h.ids, h.old[0].id)
		h.old = h.old[1:]
	}
	if h.ids[id] {
		return nil, false
	}
	h.ids[id] = true
	h.old = append(h.old, heardAt{id, now})
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.ids, id)
	}, true
}

// hooked lets the ledger judge what a message says.
func (g *Gateway) hooked(r *http.Request, b []byte) answer {
	if bad := syntax(b); bad != nil {
		return rejection([]Problem{*bad})
	}
	b = unwrap(bytes.TrimSpace(b))
	if b[0] == '[' {
		raws, p := g.split(b, typeJSON)
		if p != nil {
			return refuse(p)
		}
		return g.judgeAll(r, raws)
	}
	a, bad := g.readAction(b)
	if bad == nil {
		bad = a.named()
	}
	if bad != nil {
		return rejection([]Problem{*bad})
	}
	return g.judge(r, a)
}

// unwrap returns the data of an envelope {"type", "timestamp", "data"}, else the body.
func unwrap(b []byte) []byte {
	if b[0] != '{' {
		return b
	}
	var data []byte
	members(b, func(key, value []byte) {
		if string(key) == "data" && (value[0] == '{' || value[0] == '[') {
			data = value
		}
	})
	if data == nil {
		return b
	}
	return data
}
