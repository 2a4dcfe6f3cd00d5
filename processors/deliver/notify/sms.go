package notify

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// twilioAPI is where text messages are made, https://www.twilio.com/docs/messaging/api/message-resource.
// TWILIO_API_URL names another address of the same API.
const twilioAPI = "https://api.twilio.com"

// maxSMS is the longest body that the API takes, in characters.
const maxSMS = 1600

// sms sends text messages by Twilio's API or one of its shape.
type sms struct {
	to         poster
	from, auth string
}

func newSMS(_ *plan.Way, secret func(string) (string, error)) (Sender, error) {
	account, err := secret("TWILIO_ACCOUNT_SID")
	if err != nil {
		return nil, err
	}
	token, err := secret("TWILIO_AUTH_TOKEN")
	if err != nil {
		return nil, err
	}
	from, err := secret("TWILIO_FROM")
	if err != nil {
		return nil, err
	}
	base, err := secret("TWILIO_API_URL")
	if err != nil {
		base = twilioAPI
	}
	p, err := newPoster(strings.TrimSuffix(base, "/") + "/2010-04-01/Accounts/" + url.PathEscape(account) + "/Messages.json")
	return &sms{p, from, "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token))}, err
}

func (s *sms) Send(ctx context.Context, m *Message) connector.Attempt {
	form := url.Values{"To": {strings.NewReplacer(" ", "", "-", "").Replace(m.To)}, "From": {s.from}, "Body": {cut(segmented(m.Text, maxSegments), maxSMS)}}
	a, _ := s.to.post(ctx, []byte(form.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {s.auth}})
	return a
}
