package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// pagerEvents is where incidents are raised: PagerDuty's Events API v2,
// https://developer.pagerduty.com/docs/send-alert-event.
const pagerEvents = "https://events.pagerduty.com/v2/enqueue"

// pager raises an incident. Its deduplication key is the message's id, so that one that is
// sent twice is one incident; a way that resolves has one incident per lead.
type pager struct {
	to       poster
	key      string // routing key of the service, unless the way names one
	severity string
}

func newPager(w *plan.Way, secret func(string) (string, error)) (Sender, error) {
	s := &pager{severity: cmp.Or(w.Severity, "error")}
	var err error
	if w.To == nil && len(w.Everybody) == 0 {
		if s.key, err = secret("PAGERDUTY_ROUTING_KEY"); err != nil {
			return nil, err
		}
	}
	address := pagerEvents
	if w.URL != (plan.Secret{}) {
		if address, err = text(w.URL, secret); err != nil {
			return nil, err
		}
	}
	s.to, err = newPoster(address)
	return s, err
}

// event is the body that the API takes.
type event struct {
	RoutingKey  string   `json:"routing_key"`
	EventAction string   `json:"event_action"`
	DedupKey    string   `json:"dedup_key"`
	Payload     *payload `json:"payload,omitempty"` // not needed to resolve
}

type payload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"` // critical, error, warning or info
	Timestamp string         `json:"timestamp"`
	Component string         `json:"component,omitempty"`
	Class     string         `json:"class,omitempty"`
	Details   map[string]any `json:"custom_details,omitempty"`
}

const (
	maxSummary = 1024
	maxDedup   = 255
)

func (s *pager) Send(ctx context.Context, m *Message) connector.Attempt {
	e := event{RoutingKey: cmp.Or(s.key, m.To), EventAction: "resolve", DedupKey: key(cmp.Or(m.Incident, m.ID))}
	if !m.Resolve {
		e.EventAction = "trigger"
		e.Payload = &payload{
			Summary: cut(m.Subject, maxSummary), Source: "leadroute", Severity: s.severity, Timestamp: m.At.UTC().Format(time.RFC3339Nano),
			Component: m.Reason, Details: map[string]any{"text": m.Text},
		}
		if m.Delivery != nil {
			e.Payload.Class = string(m.Delivery.Class)
		}
	}
	body, err := leadroute.Encode(e)
	if err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "body cannot be encoded"}
	}
	a, _ := s.to.post(ctx, body, jsonHeader())
	return a
}

// key is an id as a deduplication key: a long one ends in its hash.
func key(id string) string {
	if len(id) <= maxDedup {
		return id
	}
	h := sha256.Sum256([]byte(id))
	return hex.EncodeToString(h[:])
}
