package connector

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

const (
	// drainBytes and drainTime bound what is read of an answer's body, so that its
	// connection can be used again; a longer or slower one costs the connection.
	drainBytes = 64 << 10
	drainTime  = time.Second
	// maxRetryAfter bounds what a destination can ask for: a broken clock there must not
	// put a lead off for years.
	maxRetryAfter = 24 * time.Hour
)

// NewClient returns a client for n attempts at once, that keeps a connection per attempt and never
// follows a redirect: a 3xx is an answer, and a signed lead goes to no other place.
func NewClient(n int) *http.Client {
	if n <= 0 {
		n = plan.DefaultConcurrency
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          n,
			MaxIdleConnsPerHost:   n,
			IdleConnTimeout:       90 * time.Second,
			DisableCompression:    true, // answers are thrown away
			ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Judge says what an HTTP answer means for the delivery.
func Judge(res *http.Response, now time.Time) Attempt {
	a := Attempt{Status: res.StatusCode, Reason: "http " + strconv.Itoa(res.StatusCode)}
	switch s := res.StatusCode; {
	case s >= 200 && s <= 299:
		return Attempt{Status: s, Result: leadroute.ResultDelivered}
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests, s >= 500:
		a.Result = leadroute.ResultRetry
		a.RetryAfter = retryAfter(res.Header, now)
	default:
		a.Result = leadroute.ResultRejected
	}
	return a
}

// retryAfter reads Retry-After, in seconds or as a date, into an instant; 0 if there is
// none or it makes no sense. A date is measured against the answer's own Date, so that
// the destination's clock need not agree with ours.
func retryAfter(h http.Header, now time.Time) leadroute.Millis {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	var wait time.Duration
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		wait = time.Duration(min(s, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		base := now
		if sent, err := http.ParseTime(h.Get("Date")); err == nil {
			base = sent
		}
		wait = min(at.Sub(base), maxRetryAfter)
	}
	if wait <= 0 {
		return 0
	}
	return leadroute.At(now.Add(wait))
}

// Drain reads the rest of an answer within bounds; cancel ends the request's context.
func Drain(body io.ReadCloser, cancel context.CancelFunc) {
	late := time.AfterFunc(drainTime, cancel)
	defer late.Stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(body, drainBytes)) // the status has been read: what follows changes nothing
	_ = body.Close()
}

// Failure names the error of a request that got no answer, in words that can hold
// neither the URL nor the body.
func Failure(ctx context.Context, err error) Attempt {
	a := Attempt{Result: leadroute.ResultRetry, Reason: "connection error"}
	var (
		timeout net.Error
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		a.Reason = "timeout"
	case ctx.Err() != nil:
		a.Reason = "cancelled"
	case errors.Is(err, syscall.ECONNREFUSED):
		a.Reason = "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		a.Reason = "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		a.Reason = "connection closed"
	case errors.As(err, &dns):
		a.Reason = "host not found"
	case errors.As(err, &cert):
		a.Reason = "certificate not trusted"
	case errors.As(err, &record), errors.As(err, &alert):
		a.Reason = "tls error"
	}
	return a
}
