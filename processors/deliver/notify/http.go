package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// poster POSTs to one address.
type poster struct {
	url    string
	client *http.Client
}

func newPoster(address string) (poster, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return poster{}, errors.New("url must be an absolute http or https address") // it may hold a token: not shown
	}
	return poster{address, connector.NewClient(4)}, nil
}

// maxAnswer bounds what is read of an answer; Slack's repeats the message.
const maxAnswer = 512 << 10

// post makes one request and returns what it means, and the answer's body.
func (p poster) post(ctx context.Context, body []byte, header http.Header) (connector.Attempt, []byte) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return connector.Attempt{Result: leadroute.ResultRejected, Reason: "request cannot be built"}, nil
	}
	req.Header = header
	req.Header.Set("User-Agent", "leadroute")
	res, err := p.client.Do(req) //nolint:bodyclose // Drain closes it
	if err != nil {
		return connector.Failure(ctx, err), nil
	}
	defer connector.Drain(res.Body, cancel)
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // the status says what matters
	return connector.Judge(res, time.Now()), answer
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}
