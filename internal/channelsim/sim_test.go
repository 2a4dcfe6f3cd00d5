package channelsim

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func open(t *testing.T, f Faults) (*Sim, string) {
	t.Helper()
	s, err := New(Options{Seed: 1, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return s, srv.URL
}

func post(t *testing.T, url, kind, auth, body string) (status int, answer string, h http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", auth)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

// TestWhatIsWrongIsRefused: each service takes what its documentation shows, and answers
// what is wrong as it says.
func TestWhatIsWrongIsRefused(t *testing.T) {
	s, url := open(t, Faults{})
	const jsonKind, formKind = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
	bearer := "Bearer " + SlackToken
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(TwilioSID+":"+TwilioToken))
	messages := "/2010-04-01/Accounts/" + TwilioSID + "/Messages.json"
	event := func(change ...string) string {
		return strings.NewReplacer(change...).Replace(`{"routing_key":"` + RoutingKey + `","event_action":"trigger","dedup_key":"k","payload":{"summary":"s","source":"x","severity":"error"}}`)
	}
	for _, c := range []struct {
		path, kind, auth, body string
		status                 int
		answer                 string
	}{
		{SlackHook, jsonKind, "", `{"text":"hello"}`, 200, "ok"},
		{SlackHook, "application/json", "", `{"text":"hello"}`, 200, "ok"},
		{SlackHook, jsonKind, "", `{"text":""}`, 400, "no_text"},
		{SlackHook, jsonKind, "", `{"text"`, 400, "invalid_payload"},
		{SlackHook, "text/plain", "", `{"text":"hello"}`, 400, "invalid_payload"},
		{"/services/T1/B1/other", jsonKind, "", `{"text":"hello"}`, 404, "no_service"},
		{SlackMethod, jsonKind, bearer, `{"channel":"C123","text":"hello"}`, 200, `"ok":true`},
		{SlackMethod, jsonKind, bearer, `{"channel":"#ops","text":"hello"}`, 200, `"ok":true`},
		{SlackMethod, jsonKind, "", `{"channel":"C123","text":"hello"}`, 200, `"not_authed"`},
		{SlackMethod, jsonKind, "Bearer x", `{"channel":"C123","text":"hello"}`, 200, `"invalid_auth"`},
		{SlackMethod, jsonKind, bearer, `{"channel":"ana","text":"hello"}`, 200, `"channel_not_found"`},
		{SlackMethod, jsonKind, bearer, `{"channel":"C123"}`, 200, `"no_text"`},
		{SlackMethod, jsonKind, bearer, `{"channel":"C123","text":"` + strings.Repeat("x", 40_001) + `"}`, 200, `"msg_too_long"`},
		{SlackMethod, "application/json; charset=latin1", bearer, `{"channel":"C123","text":"hello"}`, 200, `"invalid_charset"`},
		{SlackMethod, "text/plain", bearer, `{"channel":"C123","text":"hello"}`, 200, `"invalid_post_type"`},
		{messages, formKind, basic, "To=%2B49301234567&From=%2B15005550006&Body=hello", 201, `"status":"queued"`},
		{messages, formKind, "", "To=%2B49301234567&From=%2B15005550006&Body=hello", 401, `"code":20003`},
		{"/2010-04-01/Accounts/AC1/Messages.json", formKind, basic, "To=%2B49301234567&From=%2B15005550006&Body=hello", 404, `"code":20404`},
		{messages, formKind, basic, "To=%2B49-30&From=%2B15005550006&Body=hello", 400, `"code":21211`},
		{messages, formKind, basic, "From=%2B15005550006&Body=hello", 400, `"code":21604`},
		{messages, jsonKind, basic, "To=%2B49301234567&From=%2B15005550006&Body=hello", 400, `"code":21604`},
		{messages, formKind, basic, "To=%2B49301234567&Body=hello", 400, `"code":21603`},
		{messages, formKind, basic, "To=%2B49301234567&From=%2B1&Body=hello", 400, `"code":21606`},
		{messages, formKind, basic, "To=%2B49301234567&From=%2B15005550006", 400, `"code":21602`},
		{messages, formKind, basic, "To=%2B49301234567&From=%2B15005550006&Body=" + strings.Repeat("x", 1601), 400, `"code":21617`},
		{PagerEnqueue, jsonKind, "", event(), 202, `"dedup_key":"k"`},
		{PagerEnqueue, jsonKind, "", `{"routing_key":"` + RoutingKey + `","event_action":"resolve","dedup_key":"k"}`, 202, `"success"`},
		{PagerEnqueue, jsonKind, "", `{"routing_key":"` + RoutingKey + `","event_action":"resolve"}`, 400, "'dedup_key' is missing"},
		{PagerEnqueue, jsonKind, "", event(RoutingKey, "short"), 400, "should be 32 characters"},
		{PagerEnqueue, jsonKind, "", event("trigger", "raise"), 400, "'event_action'"},
		{PagerEnqueue, jsonKind, "", event(`"error"`, `"urgent"`), 400, "'payload.severity'"},
		{PagerEnqueue, jsonKind, "", event(`"s"`, `"`+strings.Repeat("x", 1025)+`"`), 400, "'payload.summary'"},
		{PagerEnqueue, jsonKind, "", event(`"k"`, `"`+strings.Repeat("x", 256)+`"`), 400, "'dedup_key'"},
		{PagerEnqueue, jsonKind, "", `{"routing_key":"` + RoutingKey + `","event_action":"trigger"}`, 400, "'payload' is missing"},
		{PagerEnqueue, jsonKind, "", `{`, 400, "JSON parse error"},
		{WebhookPath, jsonKind, "", `{}`, 401, "signature"},
	} {
		before := s.Counts()
		status, answer, _ := post(t, url+c.path, c.kind, c.auth, c.body)
		if status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s %s %.80s = %d %s, want %d %s", c.path, c.kind, c.body, status, answer, c.status, c.answer)
		}
		good := strings.Contains(answer, "ok\":true") || c.status == 201 || c.status == 202 || answer == "ok"
		if after := s.Counts(); after.Taken-before.Taken != map[bool]int{true: 1}[good] || after.Requests != before.Requests+1 {
			t.Errorf("%s %.80s: %+v after %+v", c.path, c.body, after, before)
		}
	}
	wh, err := standardwebhooks.NewWebhook(WebhookKey)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"t"}`)
	sig, err := wh.Sign("m1", time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+WebhookPath, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {jsonKind}, "Webhook-Id": {"m1"}, "Webhook-Timestamp": {fmt.Sprint(time.Now().Unix())}, "Webhook-Signature": {sig}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got := s.Got(); res.StatusCode != 204 || got[len(got)-1].ID != "m1" {
		t.Errorf("a signed message is answered %d, the last is %+v", res.StatusCode, got[len(got)-1])
	}
	if open := s.Incidents(); len(open) != 0 {
		t.Errorf("%v are open, want the one that was raised resolved", open)
	}
}

// TestTrouble: the shares are met, what is thrown away is not taken, what is hidden is.
func TestTrouble(t *testing.T) {
	s, url := open(t, Faults{Throttle: 0.25, Fail: 0.25, Drop: 0.25, RetryAfter: 7})
	answers := map[int]int{}
	for i := range 400 {
		status, _, h := post(t, url+SlackHook, "application/json", "", fmt.Sprintf(`{"text":"%d"}`, i))
		answers[status]++
		if status == 429 && h.Get("Retry-After") != "7" {
			t.Fatalf("429 with Retry-After %q, want 7", h.Get("Retry-After"))
		}
	}
	c := s.Counts()
	if c.Taken != answers[200]+answers[0] || c.Dropped != answers[0] || c.Throttled != answers[429] || c.Failed != answers[500] || len(s.Got()) != c.Taken {
		t.Errorf("answers %v, counts %+v", answers, c)
	}
	for status, n := range answers {
		if n < 70 || n > 130 {
			t.Errorf("%d of 400 were answered %d, want a quarter", n, status)
		}
	}
	if err := s.SetFaults(Faults{Fail: 0.7, Drop: 0.7}); err == nil {
		t.Error("rates above 1 are taken")
	}
}

// TestMail drives the server with the client of the standard library.
func TestMail(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- s.ServeMail(ctx, ln) }()
	good := "From: a@example.com\r\nTo: ana@example.com\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\nDate: Wed, 14 Jan 2026 10:00:00 +0000\r\nMessage-ID: <m1@x>\r\n\r\none\r\n..two\r\n"
	for _, c := range []struct{ to, text, want string }{
		{"ana@example.com", good, ""},
		{"nobody@example.com", good, "550"},
		{"ana@example.com", strings.Replace(good, "Date", "X-Date", 1), "the header has no Date"},
		{"ana@example.com", good + strings.Repeat("x", 1001) + "\r\n", "line too long"},
	} {
		err := smtp.SendMail(ln.Addr().String(), nil, "a@example.com", []string{c.to}, []byte(c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("to %s: %v, want %q", c.to, err, c.want)
		}
	}
	got := s.Got()
	if len(got) != 1 || got[0].ID != "m1@x" || got[0].To != "ana@example.com" || got[0].Subject != "grün" || !strings.Contains(got[0].Text, "two") {
		t.Errorf("Got = %+v, want the good one", got)
	}
	if err := s.SetFaults(Faults{Throttle: 1}); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(ln.Addr().String(), nil, "a@example.com", []string{"ana@example.com"}, []byte(good)); err == nil || !strings.HasPrefix(err.Error(), "451") {
		t.Errorf("a busy server: %v, want 451", err)
	}
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "MAIL FROM:<a@example.com>\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(b), "503 bad sequence") {
		t.Errorf("MAIL before EHLO: %q %v, want 503", b, err)
	}
	cancel()
	if err := <-over; err != nil {
		t.Errorf("ServeMail = %v, want nil", err)
	}
}
