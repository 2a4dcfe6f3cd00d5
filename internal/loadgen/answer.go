package loadgen

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/leadroute/leadroute"
)

// answer is the door's word on one lead.
type answer struct {
	Index  int              `json:"index"`
	ID     leadroute.LeadID `json:"id"`
	Status string           `json:"status"` // accepted, duplicate or rejected
	Class  leadroute.Class  `json:"class"`
	Error  answerError      `json:"error"`
}

type answerError struct {
	Code string `json:"code"`
}

func (a *answer) decode(b []byte) error {
	err := json.Unmarshal(b, a)
	a.ID = leadroute.LeadID(strings.Clone(string(a.ID))) // the buffer is used again
	return err
}

func decodeBatch(b []byte) ([]answer, error) {
	var body struct {
		Results []answer `json:"results"`
	}
	err := json.Unmarshal(b, &body)
	for i := range body.Results {
		r := &body.Results[i]
		r.ID = leadroute.LeadID(strings.Clone(string(r.ID)))
	}
	return body.Results, err
}

// problemCode names why a lead was rejected: the last part of the problem's type (a URL
// or a URN), else the status.
func problemCode(b []byte, status int) string {
	var p struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b, &p); err == nil && p.Type != "" && p.Type != "about:blank" {
		return strings.Clone(p.Type[strings.LastIndexAny(p.Type, "/:")+1:])
	}
	return strconv.Itoa(status)
}

// RetryAfter reads the header of that name, in seconds or as a date, and adds up to a
// fifth, so that not all come back at once. It is negative where the header says nothing.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return -1
	}
	var d time.Duration
	if s, err := strconv.Atoi(v); err == nil {
		d = time.Duration(s) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	} else {
		return -1
	}
	if d <= 0 {
		return -1
	}
	return d + rand.N(d/5+1)
}
