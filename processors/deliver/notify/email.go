package notify

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// email sends by SMTP. SMTP_URL is smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from
// the first byte; smtp:// goes over to TLS where the server can. SMTP_FROM is the sender.
type email struct {
	host string
	opts []mail.Option
	from string
}

// maxSubject bounds a subject; a line of a header has at most 998 characters (RFC 5322).
const maxSubject = 200

var errSMTP = errors.New("SMTP_URL cannot be read; write smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465")

func newEmail(_ *plan.Way, secret func(string) (string, error)) (Sender, error) {
	address, err := secret("SMTP_URL")
	if err != nil {
		return nil, err
	}
	from, err := secret("SMTP_FROM")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errSMTP // it may hold the password: not shown
	}
	port := 587
	policy := mail.TLSOpportunistic
	s := &email{host: u.Hostname(), from: from}
	if u.Scheme == "smtps" {
		port = 465
		s.opts = append(s.opts, mail.WithSSL())
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errSMTP
		}
	}
	s.opts = append(s.opts, mail.WithPort(port), mail.WithTLSPolicy(policy), mail.WithTimeout(sendTimeout))
	if password, ok := u.User.Password(); ok {
		s.opts = append(s.opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	if err := mail.NewMsg().From(from); err != nil {
		return nil, errors.New("SMTP_FROM is no address; write leadroute@example.com")
	}
	return s, nil
}

func (s *email) Send(ctx context.Context, m *Message) connector.Attempt {
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "the address is no e-mail address"}
	}
	msg.Subject(cut(m.Subject, maxSubject))
	msg.SetMessageIDWithValue(strings.NewReplacer("/", ".", ":", ".").Replace(m.ID) + "@leadroute") // one that comes twice is one
	msg.SetDateWithValue(m.At)
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	c, err := mail.NewClient(s.host, s.opts...)
	if err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "the mail client cannot be made"}
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return refused(ctx, err)
	}
	return connector.Attempt{Result: leadroute.ResultDelivered}
}

// refused says what an error of the server means, without what it said: that may hold the address.
func refused(ctx context.Context, err error) connector.Attempt {
	var sent *mail.SendError
	var network net.Error
	switch {
	case errors.As(err, &sent) && !sent.IsTemp():
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "the mail server refused the message for good"}
	case errors.As(err, &sent):
		return connector.Attempt{Result: leadroute.ResultRetry, Reason: "the mail server refused the message for now"}
	case errors.As(err, &network):
		return connector.Failure(ctx, err)
	}
	return connector.Attempt{Result: leadroute.ResultRetry, Reason: "the mail server did not take the message"}
}
