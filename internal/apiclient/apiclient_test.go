package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/internal/apiclient"
)

const key = "key-do-not-show"

func TestDiscoverAndCall(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, `{"auth":%q,"type":%q,"body":%q}`, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), b)
	}))
	defer s.Close()
	dir := t.TempDir()
	run := fmt.Sprintf(`{"api":%q,"key":%q}`, s.URL, key)
	if err := os.WriteFile(filepath.Join(dir, apiclient.RunFile), []byte(run), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(apiclient.DataEnv, dir)
	c, err := apiclient.Discover(apiclient.DataDir(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		in         any
		kind, body string
	}{
		{nil, "", ""},
		{map[string]int{"n": 1}, "application/json", `{"n":1}`},
		{&apiclient.Body{ContentType: "application/x-ndjson", Reader: strings.NewReader("{}\n")}, "application/x-ndjson", "{}\n"},
	} {
		var got struct{ Auth, Type, Body string }
		if err := c.Do(t.Context(), "POST", "/v1/x", tc.in, &got); err != nil {
			t.Fatal(err)
		}
		if got.Auth != "Bearer "+key || got.Type != tc.kind || got.Body != tc.body {
			t.Errorf("Do(%v) sent %+v, want the key, %q and %q", tc.in, got, tc.kind, tc.body)
		}
	}
}

func TestEveryFailureIsOneLineThatSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, apiclient.RunFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, absent := apiclient.Discover("/nowhere")
	_, damaged := apiclient.Discover(dir)
	_, address := apiclient.New("localhost:80", "")

	answers := map[string]func(http.ResponseWriter){
		"/problem": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(422)
			_, _ = io.WriteString(w, `{"title":"Bad lead","detail":"email is\nnot a string","pointer":"/email","remedy":"send a string"}`)
		},
		"/batch": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(422)
			_, _ = io.WriteString(w, `{"rejected":1,"status":"x"}`)
		},
		"/key":  func(w http.ResponseWriter) { w.WriteHeader(401) },
		"/busy": func(w http.ResponseWriter) { w.Header().Set("Retry-After", "3"); w.WriteHeader(429) },
		"/html": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") },
		"/away": func(w http.ResponseWriter) { w.Header().Set("Location", "http://example.com"); w.WriteHeader(302) },
	}
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := answers[r.URL.Path]; f != nil {
			f(w)
			return
		}
		<-release
	}))
	defer s.Close()
	defer close(release)
	call := func(path string) error {
		c, err := apiclient.New(s.URL, key)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		var out map[string]any
		return c.Do(ctx, "GET", path, nil, &out)
	}
	gone, err := apiclient.New("http://127.0.0.1:1", key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{absent, "no leadroute runs on /nowhere: start one with `leadroute run POLICY`, or name its data folder with --data"},
		{damaged, dir + "/run.json is damaged: restart `leadroute run`"},
		{address, `the API's address must look like http://127.0.0.1:8080, not "localhost:80"`},
		{call("/problem"), "email is not a string (at /email): send a string"},
		{call("/key"), "unauthorized: give a valid key with --key, or the data folder of the running process with --data"},
		{call("/busy"), "too many requests: try again in 3s"},
		{call("/away"), "found"},
		{call("/html"), "GET /html: the answer is not the JSON that was expected: is " + s.URL + " a leadroute of this version?"},
		{call("/slow"), s.URL + " does not answer in time: see the log of `leadroute run`"},
		{gone.Do(t.Context(), "GET", "/", nil, nil), "nothing answers at http://127.0.0.1:1: is `leadroute run` still running? Start it, or name its data folder with --data"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error = %v, want %v", c.err, c.want)
		} else if strings.ContainsAny(c.err.Error(), "\n") || strings.Contains(c.err.Error(), key) {
			t.Errorf("error %q has a line break or the key", c.err)
		}
	}
	var p *apiclient.ProblemError
	if err := call("/batch"); !errors.As(err, &p) || p.Status != 422 || string(p.Body) != `{"rejected":1,"status":"x"}` {
		t.Errorf("error = %#v, want a ProblemError with 422 and the answer", err)
	}
	if err := call("/busy"); !errors.As(err, &p) || p.Status != 429 || p.RetryAfter != 3*time.Second {
		t.Errorf("error = %#v, want a ProblemError with 429 and 3s", err)
	}
}
