package notify

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

const signingKey = "whsec_bGVhZHJvdXRlLWUyZS1zaWduaW5nLWtleS0zMmJ5dGVz"

// request is what a vendor was sent.
type request struct {
	path, auth, kind string
	header           http.Header
	body             []byte
}

// vendor is a service that keeps what it was sent and gives the answers of its script, the
// last one again and again.
type vendor struct {
	*httptest.Server
	got chan request
}

func newVendor(t *testing.T, answers ...func(http.ResponseWriter)) *vendor {
	t.Helper()
	v := &vendor{got: make(chan request, 100)}
	var mu sync.Mutex
	n := 0
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		answers[min(n, len(answers)-1)](w)
		n++
		v.got <- request{r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header, body}
	}))
	t.Cleanup(v.Close)
	return v
}

func status(code int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func settings(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func sender(t *testing.T, w plan.Way, env map[string]string) Sender {
	t.Helper()
	s, err := newSender(&plan.Channel{Name: "c"}, &w, settings(env))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func message() *Message {
	return &Message{
		ID: "L1/1/notified/7/slack", Subject: "P0 lead L1: with ana", Text: "P0 lead L1: with ana\nWhy: sla:P0/nudge", Reason: "sla:P0/nudge",
		At: time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC), Delivery: &leadroute.Delivery{Lead: "L1", Rev: 1, Owner: "ana", Class: "P0", Fields: []byte(`{"email":"emi@example.com"}`)},
	}
}

// TestVendorsWires holds each way against what the vendor documents of a request.
func TestVendorsWires(t *testing.T) {
	toRep := func(*leadroute.Rep) string { return "" }
	for _, c := range []struct {
		name   string
		way    func(url string) plan.Way
		env    map[string]string // {url} is the vendor's
		answer func(http.ResponseWriter)
		to     string
		check  func(*testing.T, request)
	}{
		{
			"slack webhook", func(u string) plan.Way {
				return plan.Way{Kind: plan.WaySlack, URL: plan.Secret{Literal: u + "/services/T0/B0/x"}}
			}, nil,
			status(200, "ok"), "",
			func(t *testing.T, r request) {
				t.Helper()
				if r.path != "/services/T0/B0/x" || !strings.HasPrefix(r.kind, "application/json") || member(t, r.body, "text") != message().Text {
					t.Errorf("sent %+v %s", r, r.body)
				}
			},
		},
		{
			"slack person", func(string) plan.Way { return plan.Way{Kind: plan.WaySlack, To: toRep} },
			map[string]string{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": "{url}/api/chat.postMessage"},
			status(200, `{"ok":true,"ts":"1"}`), "U123",
			func(t *testing.T, r request) {
				t.Helper()
				if r.path != "/api/chat.postMessage" || r.auth != "Bearer xoxb-1" || member(t, r.body, "channel") != "U123" || member(t, r.body, "text") != message().Text {
					t.Errorf("sent %+v %s", r, r.body)
				}
			},
		},
		{
			"sms", func(string) plan.Way { return plan.Way{Kind: plan.WaySMS, To: toRep} },
			map[string]string{"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "tok", "TWILIO_FROM": "+15005550006", "TWILIO_API_URL": "{url}"},
			status(201, `{"sid":"SM1","status":"queued"}`), "+49 30 1234-567",
			func(t *testing.T, r request) {
				t.Helper()
				form, err := url.ParseQuery(string(r.body))
				if err != nil || r.path != "/2010-04-01/Accounts/AC1/Messages.json" || r.kind != "application/x-www-form-urlencoded" ||
					r.auth != "Basic "+base64.StdEncoding.EncodeToString([]byte("AC1:tok")) ||
					form.Get("To") != "+49301234567" || form.Get("From") != "+15005550006" || form.Get("Body") != message().Text {
					t.Errorf("sent %+v %s (%v)", r, r.body, err)
				}
			},
		},
		{
			"pager", func(u string) plan.Way {
				return plan.Way{Kind: plan.WayPager, URL: plan.Secret{Literal: u + "/v2/enqueue"}}
			},
			map[string]string{"PAGERDUTY_ROUTING_KEY": "R0"},
			status(202, `{"status":"success"}`), "",
			func(t *testing.T, r request) {
				t.Helper()
				var e event
				if err := json.Unmarshal(r.body, &e); err != nil {
					t.Fatal(err)
				}
				if r.path != "/v2/enqueue" || e.RoutingKey != "R0" || e.EventAction != "trigger" || e.DedupKey != message().ID ||
					e.Payload.Summary != message().Subject || e.Payload.Source == "" || e.Payload.Severity != "error" || e.Payload.Class != "P0" {
					t.Errorf("sent %+v", e)
				}
			},
		},
		{
			"webhook", func(u string) plan.Way {
				return plan.Way{Kind: plan.WayWebhook, Webhook: &plan.Webhook{URL: plan.Secret{Literal: u + "/hook"}, Sign: "standard-webhooks", Key: plan.Secret{Name: "HOOK_KEY"}}}
			},
			map[string]string{"HOOK_KEY": signingKey},
			status(204, ""), "",
			func(t *testing.T, r request) {
				t.Helper()
				var at int64
				_, _ = fmt.Sscan(r.header.Get("webhook-timestamp"), &at)
				s, err := connector.NewSigner(signingKey)
				if err != nil {
					t.Fatal(err)
				}
				if id := r.header.Get("webhook-id"); id != message().ID || r.header.Get("webhook-signature") != s.Sign(id, time.Unix(at, 0), r.body) {
					t.Errorf("signed %v", r.header)
				}
				var b told
				if err := json.Unmarshal(r.body, &b); err != nil || b.Type != "lead.notified" || b.Data.ID != "L1" || b.Data.Reason != "sla:P0/nudge" {
					t.Errorf("sent %s (%v)", r.body, err)
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t, c.answer)
			env := map[string]string{}
			for k, s := range c.env {
				env[k] = strings.ReplaceAll(s, "{url}", v.URL)
			}
			m := message()
			m.To = c.to
			if a := sender(t, c.way(v.URL), env).Send(t.Context(), m); a.Result != leadroute.ResultDelivered {
				t.Fatalf("Send = %+v, want it delivered", a)
			}
			r := <-v.got
			c.check(t, r)
			if strings.Contains(string(r.body), "emi@example.com") {
				t.Errorf("the lead's e-mail was sent: %s", r.body)
			}
			for name := range env { // each setting that is needed is named when it is missing
				if strings.HasSuffix(name, "_API_URL") {
					continue
				}
				less := map[string]string{}
				for k, s := range env {
					if k != name {
						less[k] = s
					}
				}
				w := c.way(v.URL)
				if _, err := newSender(&plan.Channel{Name: "c"}, &w, settings(less)); err == nil || !strings.Contains(err.Error(), name+" is not set") {
					t.Errorf("without %s: %v, want it named", name, err)
				}
			}
		})
	}
}

func member(t *testing.T, body []byte, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	s, _ := m[name].(string)
	return s
}

func TestWhatAnAnswerMeans(t *testing.T) {
	bot := map[string]string{"SLACK_BOT_TOKEN": "xoxb-1"}
	for _, c := range []struct {
		answer func(http.ResponseWriter)
		bot    bool
		want   leadroute.Result
		reason string
	}{
		{status(500, ""), false, leadroute.ResultRetry, "http 500"},
		{func(w http.ResponseWriter) { w.Header().Set("Retry-After", "30"); w.WriteHeader(429) }, false, leadroute.ResultRetry, "http 429"},
		{status(404, "no_service"), false, leadroute.ResultRejected, "http 404"},
		{status(200, `{"ok":false,"error":"channel_not_found"}`), true, leadroute.ResultRejected, "slack: channel_not_found"},
		{status(200, `{"ok":false,"error":"ratelimited"}`), true, leadroute.ResultRetry, "slack: ratelimited"},
		{status(200, `{"ok":false,"error":"emi@example.com"}`), true, leadroute.ResultRejected, "slack: it said no"},
		{status(200, `<html>`), true, leadroute.ResultRetry, "the answer is not Slack's"},
	} {
		v := newVendor(t, c.answer)
		w, env := plan.Way{Kind: plan.WaySlack, URL: plan.Secret{Literal: v.URL}}, bot
		if c.bot {
			w, env = plan.Way{Kind: plan.WaySlack, Everybody: []string{"#ops"}}, map[string]string{"SLACK_BOT_TOKEN": "x", "SLACK_API_URL": v.URL}
		}
		if a := sender(t, w, env).Send(t.Context(), message()); a.Result != c.want || a.Reason != c.reason {
			t.Errorf("%+v, want %s because of %s", a, c.want, c.reason)
		}
	}
	if a := sender(t, plan.Way{Kind: plan.WaySlack, URL: plan.Secret{Literal: "http://127.0.0.1:1/x"}}, nil).Send(t.Context(), message()); a.Result != leadroute.ResultRetry || a.Reason != "connection refused" {
		t.Errorf("nobody listens: %+v", a)
	}
}

// mailServer is an SMTP server (RFC 5321) that takes one message and hands its lines on.
func mailServer(t *testing.T, refuse string) (address string, got chan []string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	got = make(chan []string, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewScanner(c)
		say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
		say("220 mail.example.com ESMTP")
		var lines []string
		data := false
		for in.Scan() {
			line := in.Text()
			lines = append(lines, line)
			verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
			switch {
			case data && line == ".":
				data = false
				say("250 queued")
			case data:
			case verb == "EHLO":
				say("250-mail.example.com\r\n250 8BITMIME")
			case verb == "RCPT" && refuse != "":
				say(refuse)
			case verb == "DATA":
				data = true
				say("354 go on")
			case verb == "QUIT":
				say("221 bye")
				got <- lines
				return
			default:
				say("250 ok")
			}
		}
		got <- lines
	}()
	return ln.Addr().String(), got
}

func TestEmail(t *testing.T) {
	address, got := mailServer(t, "")
	env := map[string]string{"SMTP_URL": "smtp://" + address, "SMTP_FROM": "leadroute@example.com"}
	m := message()
	m.To = "ana@example.com"
	if a := sender(t, plan.Way{Kind: plan.WayEmail, Everybody: []string{m.To}}, env).Send(t.Context(), m); a.Result != leadroute.ResultDelivered {
		t.Fatalf("Send = %+v, want it delivered", a)
	}
	said := strings.Join(<-got, "\n")
	for _, want := range []string{"MAIL FROM:<leadroute@example.com>", "RCPT TO:<ana@example.com>", "Subject: P0 lead L1: with ana", "Message-ID: <L1.1.notified.7.slack@leadroute>", "Why: sla:P0/nudge"} {
		if !strings.Contains(said, want) {
			t.Errorf("the server was told\n%s\nwant %s", said, want)
		}
	}
	for answer, want := range map[string]leadroute.Result{"550 no such user": leadroute.ResultRejected, "451 try later": leadroute.ResultRetry} {
		address, _ := mailServer(t, answer)
		env["SMTP_URL"] = "smtp://" + address
		if a := sender(t, plan.Way{Kind: plan.WayEmail, Everybody: []string{m.To}}, env).Send(t.Context(), m); a.Result != want || strings.Contains(a.Reason, "ana@") {
			t.Errorf("%s: %+v, want %s, without the address", answer, a, want)
		}
	}
	env["SMTP_URL"] = "mail:25"
	w := plan.Way{Kind: plan.WayEmail}
	if _, err := newSender(&plan.Channel{Name: "c"}, &w, settings(env)); err == nil || !strings.Contains(err.Error(), "smtp://USER:PASSWORD@HOST:587") {
		t.Errorf("an address that is none: %v", err)
	}
}

// TestWorker: on the log, a notification is sent by each way that applies, again after a
// failure, once although it comes twice, and to the dead letters when it cannot be.
func TestWorker(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	slackOK := newVendor(t, status(503, ""), status(200, "ok"))
	refuses := newVendor(t, status(400, "invalid_payload"))
	p := &plan.Plan{ID: "p", Zone: time.UTC, Channels: []plan.Channel{
		{Name: "managers", Ways: []plan.Way{
			{Kind: plan.WaySlack, URL: plan.Secret{Literal: slackOK.URL}},
			{Kind: plan.WaySMS, To: func(r *leadroute.Rep) string { s, _ := r.Attrs["mobile"].(string); return s }},
		}},
		{Name: "broken", Ways: []plan.Way{{Kind: plan.WaySlack, URL: plan.Secret{Literal: refuses.URL}}}},
	}}
	sms := newVendor(t, status(201, "{}"))
	cfg := Config{
		Stream: b.Config, Plan: func(leadroute.PlanID) *plan.Plan { return p }, Wait: time.Millisecond, Site: "http://127.0.0.1:8080",
		Rep: func(id leadroute.RepID) *leadroute.Rep {
			return map[leadroute.RepID]*leadroute.Rep{"ana": {ID: "ana", Attrs: map[string]any{"mobile": "+49301234567"}}, "ben": {ID: "ben"}}[id]
		},
		Secret: settings(map[string]string{"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+15005550006", "TWILIO_API_URL": sms.URL}),
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop := kafkatest.Run(t, w.Run)
	cl := b.Client()
	tell := func(id, channel string, owner leadroute.RepID) *kgo.Record {
		return b.Record(leadroute.TopicNotifications, "L1", &leadroute.Notification{
			ID: id, Channel: channel, Reason: "sla:P0/nudge", At: 1768384800000,
			Delivery: leadroute.Delivery{Lead: "L1", Rev: 1, Owner: owner, Class: "P0", Plan: "p", Fields: []byte(`{}`)},
		})
	}
	kafkatest.Send(t, cl, tell("n1", "managers", "ana"), tell("n1", "managers", "ana"), tell("n2", "managers", "ben"), tell("n3", "broken", "ana"), tell("n4", "nowhere", "ana"),
		&kgo.Record{Topic: b.Config.Namespace.Topic(leadroute.TopicNotifications), Key: []byte("x"), Value: []byte("{")})

	dead := map[string]string{}
	b.Read(leadroute.TopicDeadLetters).Until("four dead letters", func(r *kgo.Record) bool {
		l, err := leadroute.Decode[leadroute.DeadLetter](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if l.Kind == leadroute.DeadMessage {
			dead["message"] = l.Reason
		} else {
			dead[l.ID] = l.Reason
		}
		return len(dead) < 4
	})
	want := map[string]string{
		"n2/managers/sms": "rep ben has no address for sms", "n3/broken/slack": "http 400", "n4/nowhere": "the policy has no such channel", "message": "not a notification",
	}
	for id, reason := range want {
		if dead[id] != reason {
			t.Errorf("dead letter %s: %q, want %q (all: %v)", id, dead[id], reason, dead)
		}
	}
	// 503, then n1 and n2; the copy of n1 is known.
	for range 3 {
		r := kafkatest.Await(t, "a message to Slack", slackOK.got)
		if !strings.Contains(member(t, r.body, "text"), "http://127.0.0.1:8080/v1/leads/L1") {
			t.Errorf("told %s, want the lead's address in it", r.body)
		}
	}
	kafkatest.Await(t, "a text message", sms.got)
	stop()
	if len(slackOK.got) > 0 || len(sms.got) > 0 {
		t.Errorf("%d messages to Slack and %d text messages too many", len(slackOK.got), len(sms.got))
	}
}
