package connector

import (
	"net/http"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Message is what one delivery is written as, the same for every attempt.
type Message struct {
	Method, ID string
	Headers    [][2]string // name, value
	Body       []byte
}

// Write writes the delivery as the policy says; a nil shape says nothing. A header of
// which a part is missing is left out, and so is a field.
func Write(d *leadroute.Delivery, s *plan.Shape) (m Message, err error) {
	m = Message{Method: http.MethodPost, ID: d.Key()}
	if s == nil {
		m.Body, err = webhookBody(d, d.Fields)
		return m, err
	}
	r, err := s.Record(d)
	if err != nil {
		return m, err
	}
	defer r.Free()
	if s.Method != "" {
		m.Method = s.Method
	}
	if s.Key != nil {
		if key := s.Key.Of(r); key != "" {
			m.ID = key
		}
	}
	for i := range s.Headers {
		if v, ok := s.Headers[i].Of(r); ok {
			m.Headers = append(m.Headers, [2]string{s.Headers[i].Name, v})
		}
	}
	if s.Body != nil {
		m.Body, err = leadroute.Encode(s.Body(r))
		return m, err
	}
	fields := []byte(d.Fields)
	if s.Map != nil {
		if fields, err = leadroute.Encode(s.Map(r)); err != nil {
			return m, err
		}
	}
	m.Body, err = webhookBody(d, fields)
	return m, err
}
