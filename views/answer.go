package views

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// answer is what a route says.
type answer struct {
	status int
	body   any // *problem is sent as application/problem+json
}

// problem is the body of application/problem+json (RFC 9457).
type problem struct {
	Type    string  `json:"type"`
	Title   string  `json:"title"`
	Status  int     `json:"status"`
	Detail  string  `json:"detail"`
	Pointer string  `json:"pointer,omitempty"`
	Remedy  string  `json:"remedy,omitempty"`
	Errors  []fault `json:"errors,omitempty"` // all of them, where there are several
}

type fault struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

func refuse(status int, pointer, detail, remedy string) answer {
	return answer{status, &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Pointer: pointer, Remedy: remedy,
	}}
}

// away is the answer while what we stand on does not answer.
func away(detail, remedy string) answer {
	return refuse(http.StatusServiceUnavailable, "", detail, remedy)
}

// faulty tells all that is wrong with the records of a request. In an array a pointer
// begins with the record's index.
func faulty(faults []intake.Fault, array bool) answer {
	all := make([]fault, 0, min(len(faults), maxFaults))
	for _, f := range faults[:min(len(faults), maxFaults)] {
		if array {
			f.Pointer = "/" + strconv.Itoa(f.Record) + f.Pointer
		}
		all = append(all, fault{f.Pointer, f.Said(), f.Remedy})
	}
	a := refuse(http.StatusUnprocessableEntity, all[0].Pointer, all[0].Message, all[0].Remedy)
	if p, ok := a.body.(*problem); ok && len(faults) > 1 {
		p.Detail = fmt.Sprintf("%s; in all %d things are wrong, nothing was taken", p.Detail, len(faults))
		p.Errors = all
	}
	return a
}

func (a answer) write(w http.ResponseWriter) {
	kind := "application/json"
	if _, ok := a.body.(*problem); ok {
		kind = "application/problem+json"
	}
	body, err := leadroute.Encode(a.body)
	if err != nil {
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	if a.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if a.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // unread as it is, the body ends the connection
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the caller has hung up: nobody to tell
}

// body reads a request's JSON, of at most limit bytes.
func body(r *http.Request, limit int64) (json.RawMessage, *answer) {
	if kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Header.Get("Content-Type") != "" &&
		(err != nil || kind != "application/json" || params["charset"] != "" && params["charset"] != "utf-8" && params["charset"] != "UTF-8") {
		return nil, new(refuse(http.StatusUnsupportedMediaType, "", "the body's Content-Type is not one that is read here",
			"send Content-Type: application/json, in UTF-8"))
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), int64(len(b)) > limit:
		return nil, new(refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", limit), "send less at once"))
	case err != nil:
		return nil, new(refuse(http.StatusBadRequest, "", "the body could not be read to its end", "send the whole body again"))
	}
	var raw json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		where := ""
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			where = fmt.Sprintf(" at byte %d", syntax.Offset)
		}
		return nil, new(refuse(http.StatusBadRequest, "", "the body is not valid JSON"+where, "send valid JSON"))
	}
	return raw, nil
}
