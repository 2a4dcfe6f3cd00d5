package connector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// standardWebhooks is the one signing scheme that a webhook block may name.
const standardWebhooks = "standard-webhooks"

// webhook POSTs the assignment to a URL. Every attempt of a delivery carries the same
// webhook-id and body; timestamp and signature are the attempt's.
type webhook struct {
	url    string
	to     *plan.Destination
	signer *Signer // nil: unsigned
	client *http.Client
	now    func() time.Time
}

func newWebhook(d *plan.Destination, now func() time.Time) (Connector, error) {
	text, err := secret(d.Webhook.URL, "url")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url must be an absolute http or https address") // it may hold a token: not shown
	}
	w := &webhook{url: text, to: d, client: NewClient(d.Concurrency), now: now}
	switch d.Webhook.Sign {
	case "":
	case standardWebhooks:
		key, err := secret(d.Webhook.Key, "key")
		if err != nil {
			return nil, err
		}
		if w.signer, err = NewSigner(key); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	default:
		return nil, fmt.Errorf("sign must be %q or absent, not %q", standardWebhooks, d.Webhook.Sign)
	}
	return w, nil
}

// Deliver makes one attempt: 2xx is a success; 408, 425, 429, 5xx and whatever happens
// to the connection may succeed later; everything else, redirects and 410 included, never will.
func (w *webhook) Deliver(ctx context.Context, d *leadroute.Delivery) Attempt {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := Write(d, w.to.Shape)
	if err != nil {
		return Attempt{Result: leadroute.ResultRejected, Reason: "body cannot be encoded"}
	}
	req, err := http.NewRequestWithContext(ctx, out.Method, w.url, bytes.NewReader(out.Body))
	if err != nil {
		return Attempt{Result: leadroute.ResultRejected, Reason: "request cannot be built"}
	}
	for _, h := range out.Headers {
		req.Header.Set(h[0], h[1])
	}
	id, at := out.ID, w.now()
	// Lower-case names are the specification's; Header.Set canonicalises them.
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	if w.signer != nil {
		req.Header.Set("webhook-signature", w.signer.Sign(id, at, out.Body))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "leadroute")
	// Never sent: tells net/http that the request may be repeated at once when the
	// destination closed the idle connection that it went out on.
	req.Header["Idempotency-Key"] = []string{}

	res, err := w.client.Do(req) //nolint:bodyclose // Drain closes it
	if err != nil {
		return Failure(ctx, err)
	}
	defer Drain(res.Body, cancel)
	return w.judged(Judge(res, w.now()))
}

// judged lets the policy's on_status say which answers are tried again.
func (w *webhook) judged(a Attempt) Attempt {
	if retry, said := w.to.Retries(a.Status); said && a.Result != leadroute.ResultDelivered {
		a.Result = leadroute.ResultRejected
		if retry {
			a.Result = leadroute.ResultRetry
		}
	}
	return a
}

// webhookEvent is the body without the lead's own fields, which are spliced in as they are.
type webhookEvent struct {
	Type      string      `json:"type"`
	Timestamp string      `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	ID         leadroute.LeadID   `json:"id"`
	Revision   int                `json:"revision"`
	Owner      leadroute.RepID    `json:"owner,omitempty"`
	OwnerCRMID string             `json:"owner_crm_id,omitempty"`
	Priority   leadroute.Class    `json:"priority"`
	Territory  string             `json:"territory,omitempty"`
	Rule       string             `json:"rule,omitempty"`
	Pool       leadroute.PoolID   `json:"pool,omitempty"`
	Queue      leadroute.QueueID  `json:"queue,omitempty"`
	Source     leadroute.SourceID `json:"source"`
	ReceivedAt string             `json:"received_at"`
}

// webhookBody is the standard body, around the lead's fields.
func webhookBody(d *leadroute.Delivery, fields []byte) ([]byte, error) {
	owner := d.OwnerCRM
	if owner == "" {
		owner = string(d.Owner)
	}
	kind := "lead.assigned"
	if d.Owner == "" && d.Queue != "" {
		kind = "lead.queued"
	}
	b, err := leadroute.Encode(&webhookEvent{
		Type: kind, Timestamp: rfc3339(d.AssignedAt),
		Data: webhookData{
			ID: d.Lead, Revision: d.Rev, Owner: d.Owner, OwnerCRMID: owner, Priority: d.Class, Territory: d.Territory,
			Rule: d.Rule, Pool: d.Pool, Queue: d.Queue, Source: d.Source, ReceivedAt: rfc3339(d.ReceivedAt),
		},
	})
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		fields = []byte("{}")
	}
	b = append(b[:len(b)-len("}}")], `,"lead":`...)
	b = append(b, fields...)
	return append(b, "}}"...), nil
}

func rfc3339(m leadroute.Millis) string { return m.Time().Format("2006-01-02T15:04:05.000Z07:00") }
