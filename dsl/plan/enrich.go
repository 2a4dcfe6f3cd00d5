package plan

import (
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// Enrich asks another service for what a lead does not say, after the derived fields and
// before the defaults.
type Enrich struct {
	Name        string
	When        Cond // over the lead
	Timeout     time.Duration
	CacheFor    time.Duration // 0: not at all
	OnError     OnError
	Batch       int // leads in one call; 0: one
	Budget      float64
	CostPerCall float64
	Skip        []leadroute.Class // whose leads do not wait for it
	HTTP        *Request
	// Layout lays out the lead's JSON object with the answer under "response"; the values of
	// Set, and the parts of HTTP, read it.
	Layout *Layout
	Set    []Derive
}

// OnError says what becomes of a lead when the service does not answer.
type OnError string

// The ways to go on.
const (
	OnErrorContinue OnError = "continue"
	OnErrorFail     OnError = "fail"
	OnErrorQueue    OnError = "queue"
)

// Request is an HTTP request that is put together for each lead.
type Request struct {
	Method         string
	URL            Content
	Query, Headers []Named
	Body           []Named // as one JSON object; nil: none
}

// Named is one parameter, header or member.
type Named struct {
	Name  string
	Value Content
}

// Content is a text of parts, each from the lead, or secret, or as it stands.
type Content []Part

// Part is a piece of a content: a text, or a secret.
type Part struct {
	Text   Text
	Secret *Secret // nil: Text
}

// String is the content as people may see it: without its secrets.
func (c Content) String() string {
	var b strings.Builder
	for _, p := range c {
		switch {
		case p.Secret != nil:
			b.WriteString("${" + p.Secret.String() + "}")
		case p.Text.Const:
			b.WriteString(p.Text.Value())
		default:
			b.WriteString("${" + p.Text.Source + "}")
		}
	}
	return b.String()
}

// Of puts the content together; ok is false where a part is missing. secret resolves a
// secret by its name.
func (c Content) Of(r *Record, secret func(name string) string) (text string, ok bool) {
	var b strings.Builder
	for _, p := range c {
		var v string
		if p.Secret != nil {
			v = secret(p.Secret.Name)
		} else {
			v = p.Text.Of(r)
		}
		if v == "" {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), b.Len() > 0
}
