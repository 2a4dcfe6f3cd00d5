package notify

import (
	"context"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// slackPost is Slack's method that writes to a person or channel,
// https://docs.slack.dev/reference/methods/chat.postMessage. SLACK_API_URL names another address.
const slackPost = "https://slack.com/api/chat.postMessage"

// maxText is the longest text that Slack takes whole, https://docs.slack.dev/changelog/2018-truncating-really-long-messages.
const maxText = 40_000

// slack sends to an incoming webhook, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
// or, with a bot's token, to whom the way names.
type slack struct {
	to    poster
	token string // of the bot; empty: an incoming webhook
}

func newSlack(w *plan.Way, secret func(string) (string, error)) (Sender, error) {
	if w.To == nil && len(w.Everybody) == 0 {
		address, err := text(w.URL, secret)
		if err != nil {
			return nil, err
		}
		p, err := newPoster(address)
		return &slack{to: p}, err
	}
	token, err := secret("SLACK_BOT_TOKEN")
	if err != nil {
		return nil, err
	}
	address, err := secret("SLACK_API_URL")
	if err != nil {
		address = slackPost
	}
	p, err := newPoster(address)
	return &slack{p, token}, err
}

func (s *slack) Send(ctx context.Context, m *Message) connector.Attempt {
	head := jsonHeader()
	message := map[string]string{"text": cut(m.Text, maxText)}
	if s.token != "" {
		head.Set("Authorization", "Bearer "+s.token)
		message["channel"] = m.To
	}
	body, err := leadroute.Encode(message)
	if err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "body cannot be encoded"}
	}
	a, answer := s.to.post(ctx, body, head)
	if s.token == "" || a.Result != leadroute.ResultDelivered {
		return a
	}
	// The method answers 200 also when it did nothing.
	said, err := leadroute.Decode[struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}](answer)
	switch {
	case err != nil:
		return connector.Attempt{Result: leadroute.ResultRetry, Status: a.Status, Reason: "the answer is not Slack's"}
	case said.OK:
		return a
	case said.Error == "ratelimited" || said.Error == "rate_limited" || said.Error == "internal_error" || said.Error == "fatal_error" || said.Error == "service_unavailable":
		return connector.Attempt{Result: leadroute.ResultRetry, Status: a.Status, Reason: "slack: " + said.Error}
	}
	return connector.Attempt{Result: leadroute.ResultRejected, Status: a.Status, Reason: "slack: " + word(said.Error)}
}

// word is what a service said, if it looks like one of its codes.
func word(s string) string {
	for _, r := range s {
		if r != '_' && (r < 'a' || r > 'z') || len(s) > 40 {
			return "it said no"
		}
	}
	return s
}
