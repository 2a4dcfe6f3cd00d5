package leanhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with what it got; the path may ask for trouble.
func echo(t testing.TB) (url string, conns *atomic.Int64, srv *httptest.Server) {
	t.Helper()
	conns = new(atomic.Int64)
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the server could not read the body: %v", err)
		}
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
			return
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/close":
			w.Header().Set("Connection", "close")
		case "/chunks":
			for range 3 {
				_, _ = io.WriteString(w, "chunk ")
				w.(http.Flusher).Flush()
			}
			return
		case "/redirect":
			http.Redirect(w, r, "/", http.StatusFound)
			return
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %d %s", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Ask"), r.ContentLength, body)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, conns, srv
}

func do(ctx context.Context, t testing.TB, c *http.Client, method, url, body string) (int, string, error) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Ask", "please")
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Body.Close()
}

func TestExchange(t *testing.T) {
	url, conns, _ := echo(t)
	c := NewClient(4)
	defer c.CloseIdleConnections()
	host := strings.TrimPrefix(url, "http://")
	long := strings.Repeat("lead", 200_000)
	for _, x := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/v1/leads", "{}", 202, "POST /v1/leads " + host + " please 2 {}"},
		{"GET", "/stats?a=b%20c", "", 202, "GET /stats?a=b%20c " + host + " please 0 "},
		{"POST", "/empty", "", 202, "POST /empty " + host + " please 0 "},
		{"POST", "/long", long, 202, "POST /long " + host + " please 800000 " + long},
		{"GET", "/chunks", "", 200, "chunk chunk chunk "},
		{"GET", "/redirect", "", 302, ""},
		{"POST", "/early", "x", 202, "POST /early " + host + " please 1 x"},
		{"HEAD", "/", "", 202, ""},
		{"DELETE", "/%2F", "", 202, "DELETE /%2F " + host + " please 0 "},
	} {
		status, got, err := do(t.Context(), t, c, x.method, url+x.path, x.body)
		if x.path == "/redirect" {
			got = ""
		}
		if err != nil || status != x.status || got != x.want {
			t.Errorf("%s %s: %d %.80q, %v, want %d %.80q", x.method, x.path, status, got, err, x.status, x.want)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("one after the other took %d connections, want 1", n)
	}
	if _, _, err := do(t.Context(), t, c, "GET", url+"/close", ""); err != nil {
		t.Error(err)
	}
	if _, _, err := do(t.Context(), t, c, "GET", url+"/", ""); err != nil || conns.Load() != 2 {
		t.Errorf("after Connection: close: %v, %d connections, want a second", err, conns.Load())
	}
}

func TestErrors(t *testing.T) {
	url, _, srv := echo(t)
	c := NewClient(4)
	defer c.CloseIdleConnections()
	if _, _, err := do(t.Context(), t, c, "POST", url+"/abort", "x"); err == nil {
		t.Error("an aborted answer gave no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := do(ctx, t, c, "POST", url+"/hang", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging answer: %v, want the deadline", err)
	}
	if _, _, err := do(t.Context(), t, c, "GET", url+"/", ""); err != nil {
		t.Errorf("after errors: %v, want a fresh connection to do", err)
	}
	srv.Close()
	if _, _, err := do(t.Context(), t, c, "GET", url+"/", ""); err == nil {
		t.Error("a server that is gone gave no error")
	}
	var op *net.OpError
	if _, _, err := do(t.Context(), t, c, "GET", url+"/", ""); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("nobody listens: %v, want an error of dial", err)
	}
	if _, _, err := do(t.Context(), t, c, "GET", "https://127.0.0.1/", ""); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("https: %v, want an error that names the scheme", err)
	}
}

func TestNoHeaderInjection(t *testing.T) {
	url, _, _ := echo(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X-Ask"] = []string{"a\r\nX-Other: b"}
	resp, err := (&Transport{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(b), " a 0 ") {
		t.Errorf("the server saw %q, %v, want the value to end before the line break", b, err)
	}
}

func TestConcurrent(t *testing.T) {
	url, conns, _ := echo(t)
	c := NewClient(8)
	defer c.CloseIdleConnections()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				body := fmt.Sprintf("%d-%d", w, i)
				if _, got, err := do(t.Context(), t, c, "POST", url+"/", body); err != nil || !strings.HasSuffix(got, " "+body) {
					t.Errorf("POST %s: %q, %v", body, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := conns.Load(); n > 8 {
		t.Errorf("8 at once took %d connections", n)
	}
}
