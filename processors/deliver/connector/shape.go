package connector

import (
	"net/http"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// message is what one delivery is written as, the same for every attempt.
type message struct {
	method, id string
	headers    [][2]string
	body       []byte
}

// write writes the delivery as the policy says; a nil shape says nothing. A header of
// which a part is missing is left out, and so is a field.
func write(d *leadroute.Delivery, s *plan.Shape) (m message, err error) {
	m = message{method: http.MethodPost, id: d.Key()}
	if s == nil {
		m.body, err = webhookBody(d, d.Fields)
		return m, err
	}
	r, err := s.Record(d)
	if err != nil {
		return m, err
	}
	defer r.Free()
	if s.Method != "" {
		m.method = s.Method
	}
	if s.Key != nil {
		if key := s.Key.Of(r); key != "" {
			m.id = key
		}
	}
	for i := range s.Headers {
		if v, ok := s.Headers[i].Of(r); ok {
			m.headers = append(m.headers, [2]string{s.Headers[i].Name, v})
		}
	}
	if s.Body != nil {
		m.body, err = leadroute.Encode(s.Body(r))
		return m, err
	}
	fields := []byte(d.Fields)
	if s.Map != nil {
		if fields, err = leadroute.Encode(s.Map(r)); err != nil {
			return m, err
		}
	}
	m.body, err = webhookBody(d, fields)
	return m, err
}
