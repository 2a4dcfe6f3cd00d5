package notify

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// webhook POSTs the notification, signed as Standard Webhooks says if the way has a key.
type webhook struct {
	to     poster
	shape  *plan.Shape // nil: our own body
	signer *connector.Signer
}

func newWebhook(w *plan.Way, secret func(string) (string, error)) (Sender, error) {
	address, err := text(w.Webhook.URL, secret)
	if err != nil {
		return nil, err
	}
	s := &webhook{}
	if s.to, err = newPoster(address); err != nil {
		return nil, err
	}
	if w.Webhook.Sign != "" {
		key, err := text(w.Webhook.Key, secret)
		if err != nil {
			return nil, err
		}
		if s.signer, err = connector.NewSigner(key); err != nil {
			return nil, err
		}
	}
	if w.Shape != nil {
		shape := *w.Shape
		shape.Headers = slices.Clone(shape.Headers)
		for i := range shape.Headers {
			shape.Headers[i].Parts = slices.Clone(shape.Headers[i].Parts)
			for j := range shape.Headers[i].Parts {
				part := &shape.Headers[i].Parts[j]
				if part.Secret == nil {
					continue
				}
				v, err := text(*part.Secret, secret)
				if err != nil {
					return nil, err
				}
				part.Secret = &plan.Secret{Literal: v}
			}
		}
		s.shape = &shape
	}
	return s, nil
}

// told is the body where the policy does not say another.
type told struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      data   `json:"data"`
}

type data struct {
	ID       leadroute.LeadID `json:"id"`
	Revision int              `json:"revision"`
	Owner    leadroute.RepID  `json:"owner,omitempty"`
	Priority leadroute.Class  `json:"priority,omitempty"`
	Pool     leadroute.PoolID `json:"pool,omitempty"`
	Reason   string           `json:"reason"`
	Text     string           `json:"text"`
}

func (s *webhook) Send(ctx context.Context, m *Message) connector.Attempt {
	head := jsonHeader()
	body, err := s.body(m, head)
	if err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "body cannot be encoded"}
	}
	at := time.Now()
	head.Set("webhook-id", m.ID)
	head.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	if s.signer != nil {
		head.Set("webhook-signature", s.signer.Sign(m.ID, at, body))
	}
	a, _ := s.to.post(ctx, body, head)
	return a
}

func (s *webhook) body(m *Message, head http.Header) ([]byte, error) {
	if s.shape != nil && m.Delivery != nil {
		out, err := connector.Write(m.Delivery, s.shape)
		for _, h := range out.Headers {
			head.Set(h[0], h[1])
		}
		if err != nil || s.shape.Body != nil {
			return out.Body, err
		}
	}
	d := m.Delivery
	if d == nil {
		d = &leadroute.Delivery{}
	}
	return leadroute.Encode(&told{
		Type: "lead.notified", Timestamp: m.At.UTC().Format(time.RFC3339Nano),
		Data: data{ID: d.Lead, Revision: d.Rev, Owner: d.Owner, Priority: d.Class, Pool: d.Pool, Reason: m.Reason, Text: m.Text},
	})
}
