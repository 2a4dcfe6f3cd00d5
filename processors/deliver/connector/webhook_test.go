package connector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

const (
	key   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	token = "tok-8f1c-do-not-show"
)

func delivery() *leadroute.Delivery {
	return &leadroute.Delivery{
		Lead: "lead_1-x", Rev: 3, Destination: "crm", Attempt: 2, Owner: "ana", Class: "P0", Rule: "big <&> rich", Pool: "enterprise",
		Source: "scraper", ReceivedAt: 1770000000123, AssignedAt: 1770000000456, Deadline: 1770000060123,
		Fields: json.RawMessage(`{"email":"ana@example.com","n": 1.50, "name":"Zoë"}`),
	}
}

func webhookTo(t *testing.T, url string, now func() time.Time) connector.Connector {
	t.Helper()
	c, err := connector.New(connector.Builtin, &plan.Destination{
		Name: "crm", Concurrency: 4,
		Webhook: &plan.Webhook{URL: plan.Secret{Literal: url}, Sign: "standard-webhooks", Key: plan.Secret{Literal: key}},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestWebhookIsWhatTheReferenceVerifies(t *testing.T) {
	wh, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		header http.Header
		body   []byte
	}
	got := make(chan seen, 2)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- seen{r.Header, b}
	})
	c := webhookTo(t, s.URL+"/hook?token="+token, nil)
	want := connector.Attempt{Result: leadroute.ResultDelivered, Status: 200}
	var bodies [2][]byte
	for i := range bodies {
		if a := c.Deliver(t.Context(), delivery()); a != want {
			t.Fatalf("Deliver = %+v, want %+v", a, want)
		}
		r := <-got
		if err := wh.Verify(r.body, r.header); err != nil {
			t.Errorf("the reference's Verify(%s, %v) = %v", r.body, r.header, err)
		}
		if id := r.header.Get("webhook-id"); id != "lead_1-x/3" {
			t.Errorf("webhook-id = %q, want lead_1-x/3", id)
		}
		if _, ok := r.header["Idempotency-Key"]; ok {
			t.Errorf("Idempotency-Key was sent: %v", r.header)
		}
		bodies[i] = r.body
	}
	if !bytes.Equal(bodies[0], bodies[1]) {
		t.Errorf("two attempts sent %s and %s, want the same bytes", bodies[0], bodies[1])
	}
	var body, wantBody any
	if err := json.Unmarshal(bodies[0], &body); err != nil {
		t.Fatalf("body %s: %v", bodies[0], err)
	}
	_ = json.Unmarshal([]byte(`{"type":"lead.assigned","timestamp":"2026-02-02T02:40:00.456Z","data":{
		"id":"lead_1-x","revision":3,"owner":"ana","owner_crm_id":"ana","priority":"P0","rule":"big <&> rich","pool":"enterprise",
		"source":"scraper","received_at":"2026-02-02T02:40:00.123Z","lead":{"email":"ana@example.com","n":1.5,"name":"Zoë"}}}`), &wantBody)
	if d := cmp.Diff(wantBody, body); d != "" {
		t.Errorf("body differs (-want +got):\n%s", d)
	}
	if raw := string(delivery().Fields); !strings.Contains(string(bodies[0]), raw) {
		t.Errorf("body %s does not hold the lead's fields byte for byte: %s", bodies[0], raw)
	}
}

func TestStatusDecidesTheResult(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) leadroute.Millis { return leadroute.At(now.Add(d)) }
	for _, c := range []struct {
		status     int
		retryAfter string
		want       connector.Attempt
	}{
		{200, "", connector.Attempt{Result: leadroute.ResultDelivered, Status: 200}},
		{204, "5", connector.Attempt{Result: leadroute.ResultDelivered, Status: 204}},
		{301, "", connector.Attempt{Result: leadroute.ResultRejected, Status: 301, Reason: "http 301"}},
		{400, "", connector.Attempt{Result: leadroute.ResultRejected, Status: 400, Reason: "http 400"}},
		{401, "9", connector.Attempt{Result: leadroute.ResultRejected, Status: 401, Reason: "http 401"}},
		{408, "", connector.Attempt{Result: leadroute.ResultRetry, Status: 408, Reason: "http 408"}},
		{410, "", connector.Attempt{Result: leadroute.ResultRejected, Status: 410, Reason: "http 410"}},
		{425, "", connector.Attempt{Result: leadroute.ResultRetry, Status: 425, Reason: "http 425"}},
		{429, "7", connector.Attempt{Result: leadroute.ResultRetry, Status: 429, Reason: "http 429", RetryAfter: at(7 * time.Second)}},
		{429, "0", connector.Attempt{Result: leadroute.ResultRetry, Status: 429, Reason: "http 429"}},
		{429, "soon", connector.Attempt{Result: leadroute.ResultRetry, Status: 429, Reason: "http 429"}},
		{429, "99999999999", connector.Attempt{Result: leadroute.ResultRetry, Status: 429, Reason: "http 429", RetryAfter: at(24 * time.Hour)}},
		{500, "", connector.Attempt{Result: leadroute.ResultRetry, Status: 500, Reason: "http 500"}},
		// The server's clock says 12:00:20 and the date is 30 s after that.
		{503, "Sun, 01 Mar 2026 12:00:50 GMT", connector.Attempt{Result: leadroute.ResultRetry, Status: 503, Reason: "http 503", RetryAfter: at(30 * time.Second)}},
		{503, "Sun, 01 Mar 2026 11:00:00 GMT", connector.Attempt{Result: leadroute.ResultRetry, Status: 503, Reason: "http 503"}},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:20 GMT")
			w.Header().Set("Location", "/elsewhere")
			if c.retryAfter != "" {
				w.Header().Set("Retry-After", c.retryAfter)
			}
			w.WriteHeader(c.status)
		})
		got := webhookTo(t, s.URL, func() time.Time { return now }).Deliver(t.Context(), delivery())
		if got != c.want {
			t.Errorf("Deliver with answer %v, Retry-After %q = %+v, want %+v", c.status, c.retryAfter, got, c.want)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	a := webhookTo(t, s.URL, nil).Deliver(t.Context(), delivery())
	if a.Result != leadroute.ResultRejected || a.Status != 307 || elsewhere.Load() != 0 {
		t.Errorf("Deliver = %+v with %v requests elsewhere, want rejected, 307 and none", a, elsewhere.Load())
	}
}

func TestNoAnswerMayBeRetriedAndSaysNoSecret(t *testing.T) {
	refused := "http://" + closedAddress(t)
	hangsUp := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	release := make(chan struct{})
	silent := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us
	untrusted.StartTLS()
	defer untrusted.Close()
	for _, c := range []struct {
		url, reason string
		timeout     time.Duration
	}{
		{refused, "connection refused", 10 * time.Second},
		{hangsUp.URL, "connection closed", 10 * time.Second},
		{silent.URL, "timeout", 200 * time.Millisecond},
		{untrusted.URL, "certificate not trusted", 10 * time.Second},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
		got := webhookTo(t, c.url+"/"+token, nil).Deliver(ctx, delivery())
		cancel()
		want := connector.Attempt{Result: leadroute.ResultRetry, Reason: c.reason}
		if got != want {
			t.Errorf("Deliver to %v = %+v, want %+v", c.url, got, want)
		}
	}
}

func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestAnEndlessAnswerEndsAndTheConnectionIsUsedAgain(t *testing.T) {
	var conns atomic.Int32
	var endless atomic.Bool
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if !endless.Load() {
			_, _ = fmt.Fprint(w, strings.Repeat("x", 10000))
			return
		}
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := webhookTo(t, s.URL, nil)
	for range 5 {
		c.Deliver(t.Context(), delivery())
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("5 attempts one after the other took %v connections, want 1", n)
	}
	endless.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if a := c.Deliver(ctx, delivery()); a.Result != leadroute.ResultDelivered || ctx.Err() != nil {
		t.Errorf("Deliver with an endless answer = %+v (%v), want delivered", a, ctx.Err())
	}
}

func TestBadDestinationsAreRefusedWithoutShowingSecrets(t *testing.T) {
	ok := plan.Secret{Literal: "https://crm.example.com/" + token}
	for _, c := range []struct {
		d    plan.Destination
		want string
	}{
		{plan.Destination{Name: "crm"}, "destination crm: it has no block that says how to deliver; give it one of: webhook"},
		{plan.Destination{Name: "crm", Webhook: &plan.Webhook{URL: plan.Secret{Name: "CRM_URL"}}}, `destination crm: webhook: url: secret "CRM_URL" is not resolved`},
		{plan.Destination{Name: "crm", Webhook: &plan.Webhook{URL: plan.Secret{Literal: "ftp://" + token}}}, "destination crm: webhook: url must be an absolute http or https address"},
		{plan.Destination{Name: "crm", Webhook: &plan.Webhook{URL: ok, Sign: "rot13"}}, `destination crm: webhook: sign must be "standard-webhooks" or absent, not "rot13"`},
		{plan.Destination{Name: "crm", Webhook: &plan.Webhook{URL: ok, Sign: "standard-webhooks", Key: plan.Secret{Name: "K"}}}, `destination crm: webhook: key: secret "K" is not resolved`},
	} {
		_, err := connector.New(connector.Builtin, &c.d, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("New(%+v) = %v, want %v", c.d.Webhook, err, c.want)
		}
	}
}

func BenchmarkWebhook(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	c, err := connector.New(connector.Builtin, &plan.Destination{
		Name: "crm", Webhook: &plan.Webhook{URL: plan.Secret{Literal: s.URL}, Sign: "standard-webhooks", Key: plan.Secret{Literal: key}},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	d := delivery()
	b.ReportAllocs()
	for b.Loop() {
		if a := c.Deliver(b.Context(), d); a.Result != leadroute.ResultDelivered {
			b.Fatal(a)
		}
	}
}
