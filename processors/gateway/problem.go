package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
)

// Problem is one thing wrong with a lead.
type Problem struct {
	Code    string `json:"code"`              // schema, json, too_large, id, emitted_at, identity, ...
	Pointer string `json:"pointer,omitempty"` // JSON pointer to the member, "" for the lead itself
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// The codes of the door's own problems.
const (
	codeJSON      = "json"
	codeType      = "type"
	codeTooLarge  = "too_large"
	codeID        = "id"
	codeMoved     = "moved_on"
	codeNotTheirs = "not_theirs"
	codeIdentity  = "identity"
	codeEmittedAt = "emitted_at"
	codeTwice     = "duplicate_member"
	codeSchema    = "schema"
)

// problem is the body of application/problem+json (RFC 9457).
type problem struct {
	Type    string    `json:"type"`
	Title   string    `json:"title"`
	Status  int       `json:"status"`
	Detail  string    `json:"detail"`
	Pointer string    `json:"pointer,omitempty"`
	Remedy  string    `json:"remedy,omitempty"`
	Errors  []Problem `json:"errors,omitempty"` // all of them, where there are several

	retryAfter time.Duration // 0: no header
}

// Error is the detail.
func (p *problem) Error() string { return p.Detail }

// refusal builds a problem; code ends up in its type.
func refusal(status int, code, detail, remedy string) *problem {
	return &problem{
		Type: "urn:leadroute:problem:" + code, Title: http.StatusText(status), Status: status,
		Detail: detail, Remedy: remedy,
	}
}

func (p *problem) retry(after time.Duration) *problem {
	p.retryAfter = after
	return p
}

func refuse(p *problem) answer { return answer{status: p.Status, body: p} }

// The refusals that say the same every time.
var (
	errUnauthorized = refusal(http.StatusUnauthorized, "unauthorized", "the API key is missing or not known",
		"send Authorization: Bearer KEY, or Basic with the key as the user")
	errNotRunning = refusal(http.StatusServiceUnavailable, "starting", "the door is not open yet",
		"send the same again after Retry-After").retry(time.Second)
	errNoPolicy = refusal(http.StatusServiceUnavailable, "no_policy", "no policy is in force",
		"send the same again after Retry-After").retry(2 * time.Second)
	errLogAway = refusal(http.StatusServiceUnavailable, "log_unavailable", "the log has not acknowledged the lead",
		"send the same again after Retry-After: a lead that did arrive is not taken twice").retry(2 * time.Second)
	errInFlight = refusal(http.StatusTooManyRequests, "too_many_in_flight", "too many leads are on their way into the log",
		"send the same again after Retry-After").retry(time.Second)
	errBatches = refusal(http.StatusTooManyRequests, "too_many_batches", "too many batches at once",
		"send the same again after Retry-After, or fewer batches side by side").retry(time.Second)
	errInternal = refusal(http.StatusInternalServerError, "internal", "the lead could not be checked; nothing was taken", "")
)

func errBacklog(c leadroute.Class, backlog, limit int64) *problem {
	return refusal(http.StatusTooManyRequests, "backlog",
		"class "+string(c)+" has "+strconv.FormatInt(backlog, 10)+" leads waiting, the limit is "+strconv.FormatInt(limit, 10),
		"send the same again after Retry-After").retry(5 * time.Second)
}

// rejection is the answer to a single lead that has problems; ps is not empty.
func rejection(ps []Problem) answer {
	status := http.StatusUnprocessableEntity
	switch ps[0].Code {
	case codeJSON:
		status = http.StatusBadRequest
	case codeTooLarge:
		status = http.StatusRequestEntityTooLarge
	}
	p := refusal(status, ps[0].Code, ps[0].Message, ps[0].Remedy)
	p.Pointer = ps[0].Pointer
	if len(ps) > 1 {
		p.Errors = ps
	}
	return refuse(p)
}

func write(w http.ResponseWriter, a answer) {
	h := w.Header()
	contentType := "application/json"
	if p, ok := a.body.(*problem); ok {
		contentType = "application/problem+json"
		if p.retryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(max(p.retryAfter, time.Second)/time.Second)))
		}
	}
	body, ok := a.body.([]byte)
	if !ok {
		var err error
		if body, err = leadroute.Encode(a.body); err != nil {
			http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
			return
		}
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}
