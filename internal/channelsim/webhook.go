package channelsim

import (
	"encoding/json"
	"mime"
	"net/http"
)

// webhook takes what is signed as Standard Webhooks says,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
// checked by the reference implementation: 204, and 401 for a bad signature or a timestamp
// that is more than five minutes off.
var webhook = service{
	pattern: "POST " + WebhookPath,
	serve: func(s *Sim, r *http.Request, body []byte) reply {
		if err := s.hook.Verify(body, r.Header); err != nil {
			return reply{status: http.StatusUnauthorized, body: `{"error":"signature"}`}
		}
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if kind != "application/json" || !json.Valid(body) {
			return reply{status: http.StatusBadRequest, body: `{"error":"no JSON"}`}
		}
		return reply{status: http.StatusNoContent, got: &Received{Service: "webhook", ID: r.Header.Get("Webhook-Id"), Text: string(body)}}
	},
	busy: func(s int) reply {
		return reply{status: http.StatusTooManyRequests, header: retryHeader(s), body: `{"error":"too many"}`}
	},
	broken: func(int) reply { return reply{status: http.StatusInternalServerError, body: `{"error":"internal"}`} },
}
