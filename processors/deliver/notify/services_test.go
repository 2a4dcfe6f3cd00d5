package notify

import (
	"context"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/channelsim"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

// services are the simulated ones, with the settings that lead to them.
func services(t *testing.T, f channelsim.Faults) (*channelsim.Sim, map[string]string) {
	t.Helper()
	s, err := channelsim.New(channelsim.Options{Seed: 1, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- s.ServeMail(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return s, map[string]string{
		"SLACK_URL": srv.URL + channelsim.SlackHook, "SLACK_BOT_TOKEN": channelsim.SlackToken, "SLACK_API_URL": srv.URL + channelsim.SlackMethod,
		"TWILIO_ACCOUNT_SID": channelsim.TwilioSID, "TWILIO_AUTH_TOKEN": channelsim.TwilioToken, "TWILIO_FROM": channelsim.TwilioFrom, "TWILIO_API_URL": srv.URL,
		"PAGERDUTY_ROUTING_KEY": channelsim.RoutingKey, "PAGER_URL": srv.URL + channelsim.PagerEnqueue,
		"HOOK_URL": srv.URL + channelsim.WebhookPath, "HOOK_KEY": channelsim.WebhookKey,
		"SMTP_URL": "smtp://" + ln.Addr().String(), "SMTP_FROM": "leadroute@example.com",
	}
}

// compiled is a policy with these channels.
func compiled(t *testing.T, channels string) *plan.Plan {
	t.Helper()
	p, found := dsl.Parse(map[string][]byte{"policy.hcl": []byte(`
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
schema "lead" {
  field "company" {}
}
priority "P0" {}
rep "ana" { email = "ana@example.com" }
pool "all" { members = [rep.ana] }
queue "wait" {}
rule "all" { to = [pool.all, queue.wait] }
` + channels)})
	if found.HasErrors() {
		var b strings.Builder
		_ = found.WriteText(&b)
		t.Fatal(b.String())
	}
	return p.Plan
}

const everyWay = `
channel "everybody" {
  slack {
    url        = secret("SLACK_URL")
    text       = "<!here> ${lead.priority} lead of ${lead.company} is with ${rep.name} (${step.name}): ${decision.url}"
    rate_limit = "1000/s"
  }
  email {
    to      = "managers@example.com"
    subject = "${lead.company} waits for ${rep.name}"
    text    = "Grüße. ${step.reason} at rule ${decision.rule}, pool ${assigned.pool}."
  }
  sms {
    to   = rep.mobile
    text = "${lead.company} waits: ${decision.url}"
  }
  pager {
    url      = secret("PAGER_URL")
    summary  = "${lead.company}: nobody responds"
    severity = "critical"
    resolve  = true
  }
  webhook {
    url  = secret("HOOK_URL")
    sign = "standard-webhooks"
    key  = secret("HOOK_KEY")
  }
}
channel "owner" {
  slack {
    to   = rep.slack_id
    text = "${lead.company}"
  }
}
`

func notification(id string, rev int) *leadroute.Notification {
	return &leadroute.Notification{
		ID: id, Channel: "everybody", Reason: "sla:P0/nudge", At: 1768384800000,
		Delivery: leadroute.Delivery{
			Lead: "L1", Rev: rev, Owner: "ana", Class: "P0", Rule: "all", Pool: "all", Fields: []byte(`{"company":"R&D <!channel>\nInc","email":"emi@example.com"}`),
		},
	}
}

// TestServicesTakeWhatIsSent: every way's own words arrive at services that take what their
// documentation says and nothing else, though each is in trouble for half of the time.
func TestServicesTakeWhatIsSent(t *testing.T) {
	for name, f := range map[string]channelsim.Faults{"healthy": {}, "in trouble": {Throttle: 0.2, Fail: 0.2, Drop: 0.1, RetryAfter: 1}} {
		t.Run(name, func(t *testing.T) {
			b := kafkatest.Start(t, []leadroute.Class{"P0"})
			s, env := services(t, f)
			p := compiled(t, everyWay)
			rep := &leadroute.Rep{ID: "ana", Name: "Ana", Attrs: map[string]any{"mobile": "+49 30 1234567", "slack_id": "U0123"}}
			w, err := New(Config{
				Stream: b.Config, Plan: func(leadroute.PlanID) *plan.Plan { return p }, Wait: time.Millisecond, Site: "http://127.0.0.1:8080", Attempts: 30,
				Rep: func(leadroute.RepID) *leadroute.Rep { return rep }, Secret: settings(env),
			})
			if err != nil {
				t.Fatal(err)
			}
			kafkatest.Run(t, w.Run)
			over := notification("n2", 1)
			over.Resolve, over.Reason = true, leadroute.ReasonResolved
			other := notification("n3", 1)
			other.Channel, other.Delivery.Lead = "owner", "L2"
			kafkatest.Send(t, b.Client(),
				b.Record(leadroute.TopicNotifications, "L1", notification("n1", 1)), b.Record(leadroute.TopicNotifications, "L1", over),
				b.Record(leadroute.TopicNotifications, "L2", other))
			want := map[string]func(channelsim.Received) bool{
				"slack": func(r channelsim.Received) bool {
					return r.To == "" && r.Text == "<!here> P0 lead of R&amp;D &lt;!channel&gt;\nInc is with Ana (nudge): http://127.0.0.1:8080/v1/leads/L1"
				},
				"slack, a person": func(r channelsim.Received) bool { return r.To == "U0123" && r.Text == "R&amp;D &lt;!channel&gt;\nInc" },
				"email": func(r channelsim.Received) bool {
					return r.To == "managers@example.com" && r.Subject == "R&D <!channel> Inc waits for Ana" && strings.Contains(r.Text, "sla:P0/nudge at rule all, pool all.")
				},
				"twilio": func(r channelsim.Received) bool {
					return r.To == "+49301234567" && r.Text == "R&D <!channel>\nInc waits: http://127.0.0.1:8080/v1/leads/L1"
				},
				"pagerduty": func(r channelsim.Received) bool {
					return r.Action == "trigger" && r.ID == "L1/everybody" && r.Subject == "R&D <!channel> Inc: nobody responds"
				},
				"pagerduty, resolved": func(r channelsim.Received) bool { return r.Action == "resolve" && r.ID == "L1/everybody" },
				"webhook": func(r channelsim.Received) bool {
					return r.ID == "n1/webhook" && strings.Contains(r.Text, `"reason":"sla:P0/nudge"`)
				},
			}
			for end := time.Now().Add(kafkatest.Patience); ; <-time.After(5 * time.Millisecond) {
				got := s.Got()
				left := 0
				for what, is := range want {
					if !slices.ContainsFunc(got, func(r channelsim.Received) bool { return strings.HasPrefix(what, r.Service) && is(r) }) {
						left++
					}
				}
				if left == 0 && len(s.Incidents()) == 0 {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("the services took %+v, open are %v, counts %+v", got, s.Incidents(), s.Counts())
				}
			}
			if c := s.Counts(); c.Refused != 0 {
				t.Errorf("%d requests were refused as wrong: %+v", c.Refused, c)
			}
			raised := slices.IndexFunc(s.Got(), func(r channelsim.Received) bool { return r.Action == "resolve" })
			for _, r := range s.Got()[raised:] {
				if r.Action == "trigger" {
					t.Errorf("the incident was raised after it was resolved: %+v", s.Got())
				}
			}
			for _, r := range s.Got() {
				if strings.Contains(r.Text+r.Subject, "emi@") {
					t.Errorf("a person's address was told: %+v", r)
				}
			}
		})
	}
}

// TestWordsOfWhichAPartIsMissing: then the usual ones are said.
func TestWordsOfWhichAPartIsMissing(t *testing.T) {
	p := compiled(t, everyWay)
	n := notification("n1", 1)
	n.Delivery.Fields = []byte(`{}`)
	ways := p.Channel("everybody").Ways
	for i := range ways {
		subject, text := say(&ways[i], n, nil, "http://127.0.0.1:8080")
		wantSubject, wantText := words(n, "http://127.0.0.1:8080")
		if ways[i].Kind == plan.WayEmail {
			wantText = "Grüße. sla:P0/nudge at rule all, pool all."
		}
		if subject != wantSubject || text != wantText {
			t.Errorf("%s says %q, %q; want %q, %q", ways[i].Kind, subject, text, wantSubject, wantText)
		}
	}
}

// TestLimits: what is too long for a service is cut, not refused.
func TestLimits(t *testing.T) {
	s, env := services(t, channelsim.Faults{})
	m := message()
	m.Subject, m.Text, m.ID = strings.Repeat("ü", 3000), strings.Repeat("ü", 50_000), strings.Repeat("k", 300)
	for _, c := range []struct {
		way plan.Way
		to  string
	}{
		{plan.Way{Kind: plan.WaySlack, URL: plan.Secret{Name: "SLACK_URL"}}, ""},
		{plan.Way{Kind: plan.WaySlack, Everybody: []string{"#ops"}}, "#ops"},
		{plan.Way{Kind: plan.WaySMS, Everybody: []string{"+49301234567"}}, "+49301234567"},
		{plan.Way{Kind: plan.WayPager, URL: plan.Secret{Name: "PAGER_URL"}}, ""},
		{plan.Way{Kind: plan.WayEmail, Everybody: []string{"ana@example.com"}}, "ana@example.com"},
	} {
		m.To = c.to
		if a := sender(t, c.way, env).Send(t.Context(), m); a.Result != leadroute.ResultDelivered {
			t.Errorf("%s %s: %+v, want it taken", c.way.Kind, c.to, a)
		}
	}
	if c := s.Counts(); c.Taken != 5 || c.Refused != 0 {
		t.Errorf("%+v, want all five taken", c)
	}
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want int // characters that are sent
	}{
		{strings.Repeat("a", 160), 1, 160},
		{strings.Repeat("a", 161), 1, 160},
		{strings.Repeat("a", 400), 2, 306},
		{strings.Repeat("€", 160), 1, 80}, // two places each
		{strings.Repeat("ü", 200), 1, 160},
		{strings.Repeat("ł", 100), 1, 70},
		{strings.Repeat("ł", 200), 2, 134},
		{strings.Repeat("😀", 100), 1, 35}, // two of UTF-16
		{"", 1, 0},
	} {
		if got := len([]rune(segmented(c.text, c.most))); got != c.want {
			t.Errorf("%d segments of %.6s...: %d characters, want %d", c.most, c.text, got, c.want)
		}
	}
}

// TestAnIncidentIsResolvedInItsTurn: what ends an incident waits for what raises it, however
// long the service takes, and one that was given up holds up nothing.
func TestAnIncidentIsResolvedInItsTurn(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	s, env := services(t, channelsim.Faults{Fail: 1})
	p := compiled(t, everyWay[:strings.Index(everyWay, "channel \"owner\"")])
	p.Channels[0].Ways = slices.DeleteFunc(p.Channels[0].Ways, func(w plan.Way) bool { return w.Kind != plan.WayPager })
	w, err := New(Config{
		Stream: b.Config, Plan: func(leadroute.PlanID) *plan.Plan { return p }, Wait: 20 * time.Millisecond, Attempts: 1000,
		Rep: func(leadroute.RepID) *leadroute.Rep { return nil }, Secret: settings(env),
	})
	if err != nil {
		t.Fatal(err)
	}
	kafkatest.Run(t, w.Run)
	over := notification("n2", 1)
	over.Resolve = true
	kafkatest.Send(t, b.Client(), b.Record(leadroute.TopicNotifications, "L1", notification("n1", 1)), b.Record(leadroute.TopicNotifications, "L1", over))
	until := func(what string, so func() bool) {
		t.Helper()
		for end := time.Now().Add(kafkatest.Patience); !so(); <-time.After(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not in time: %s; %+v %+v", what, s.Counts(), s.Got())
			}
		}
	}
	until("attempts that fail", func() bool { return s.Counts().Failed >= 3 })
	if err := s.SetFaults(channelsim.Faults{}); err != nil {
		t.Fatal(err)
	}
	until("both", func() bool { return s.Counts().Taken == 2 })
	if got := s.Got(); got[0].Action != "trigger" || got[1].Action != "resolve" || len(s.Incidents()) > 0 {
		t.Errorf("PagerDuty took %+v, want it raised and then resolved", got)
	}
}

// TestWhatWasGivenUpIsSentBack: out of the dead letters a notification goes by the way that
// failed, in the process that gave it up, too.
func TestWhatWasGivenUpIsSentBack(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0"})
	s, env := services(t, channelsim.Faults{})
	p := compiled(t, everyWay)
	var rep atomic.Pointer[leadroute.Rep]
	rep.Store(&leadroute.Rep{ID: "ana"}) // without a telephone
	w, err := New(Config{
		Stream: b.Config, Plan: func(leadroute.PlanID) *plan.Plan { return p }, Wait: time.Millisecond,
		Rep: func(leadroute.RepID) *leadroute.Rep { return rep.Load() }, Secret: settings(env),
	})
	if err != nil {
		t.Fatal(err)
	}
	kafkatest.Run(t, w.Run)
	kafkatest.Send(t, b.Client(), b.Record(leadroute.TopicNotifications, "L1", notification("n1", 1)))
	var given leadroute.DeadLetter
	b.Read(leadroute.TopicDeadLetters).Until("the text message in the dead letters", func(r *kgo.Record) bool {
		l, err := leadroute.Decode[leadroute.DeadLetter](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		given = *l
		return l.Destination != "everybody/sms"
	})
	again, err := leadroute.Decode[leadroute.Notification](given.Payload)
	if err != nil {
		t.Fatal(err)
	}
	rep.Store(&leadroute.Rep{ID: "ana", Attrs: map[string]any{"mobile": "+49301234567"}})
	again.Only = plan.WaySMS
	kafkatest.Send(t, b.Client(), b.Record(leadroute.TopicNotifications, "L1", again))
	for end := time.Now().Add(kafkatest.Patience); s.Counts().Taken < 5; <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the services took %+v, want the text message, too", s.Got())
		}
	}
	by := map[string]int{}
	for _, r := range s.Got() {
		by[r.Service]++
	}
	if by["twilio"] != 1 || by["slack"] != 1 || by["email"] != 1 {
		t.Errorf("the services took %v, want each once", by)
	}
}
