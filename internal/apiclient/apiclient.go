// Package apiclient calls the HTTP API of a running leadroute for the commands. It finds
// the process by the run.json that `leadroute run` leaves in its data folder, and turns
// every failure into one line that says what to do.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// DefaultDataDir is where `leadroute run` keeps its data unless told otherwise.
	DefaultDataDir = "./leadroute-data"
	// DataEnv names another one.
	DataEnv = "LEADROUTE_DATA"
	// RunFile is the file in the data folder that says how to reach the running process.
	RunFile = "run.json"
)

// Run is what RunFile holds.
type Run struct {
	API string `json:"api"` // http://127.0.0.1:PORT
	Key string `json:"key"` // an API key
	// ClickHouse is the address of the analytics database, login included.
	ClickHouse string `json:"clickhouse,omitempty"`
}

// DataDir is the data folder: the one given, else that of the environment, else the default.
func DataDir(given string) string {
	if given != "" {
		return given
	}
	if d := os.Getenv(DataEnv); d != "" {
		return d
	}
	return DefaultDataDir
}

// Client calls one API.
type Client struct {
	addr string
	key  string
	http *http.Client
}

// New returns a client of the API at addr, such as http://127.0.0.1:8080.
func New(addr, key string) (*Client, error) {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the API's address must look like http://127.0.0.1:8080, not %q", addr)
	}
	return &Client{addr: strings.TrimRight(addr, "/"), key: key, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
	}}, nil
}

// ReadRun reads what the process that runs on the data folder left there.
func ReadRun(dataDir string) (Run, error) {
	file := filepath.Join(dataDir, RunFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("no leadroute runs on %s: start one with `leadroute run POLICY`, or name its data folder with --data", dataDir)
	}
	if err != nil {
		return Run{}, fmt.Errorf("read %s: %w", file, err)
	}
	var r Run
	if err := json.Unmarshal(b, &r); err != nil {
		return Run{}, fmt.Errorf("%s is damaged: restart `leadroute run`", file)
	}
	return r, nil
}

// Discover returns a client of the process that runs on the data folder.
func Discover(dataDir string) (*Client, error) {
	r, err := ReadRun(dataDir)
	if err != nil {
		return nil, err
	}
	c, err := New(r.API, r.Key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dataDir, RunFile), err)
	}
	return c, nil
}

// Body is a request body that is not to be encoded as JSON.
type Body struct {
	ContentType string
	Reader      io.Reader
}

// ProblemError is an answer other than 2xx: what the API says in application/problem+json, or
// as much as can be said of another answer.
type ProblemError struct {
	Status     int           `json:"status"`
	Title      string        `json:"title"`
	Detail     string        `json:"detail"`
	Pointer    string        `json:"pointer"`
	Remedy     string        `json:"remedy"`
	RetryAfter time.Duration `json:"-"` // 0: the API did not say
	// Body is the whole answer where it is JSON of some kind: a refused batch tells in it
	// what became of each record.
	Body json.RawMessage `json:"-"`
}

// maxProblem bounds what is read of an answer other than 2xx.
const maxProblem = 8 << 20

// Error is one line: what is wrong, where, and what to do.
func (p *ProblemError) Error() string {
	var b strings.Builder
	switch {
	case p.Detail != "":
		b.WriteString(p.Detail)
	case p.Title != "":
		b.WriteString(p.Title)
	default:
		fmt.Fprintf(&b, "the API answered %d", p.Status)
	}
	if p.Pointer != "" {
		fmt.Fprintf(&b, " (at %s)", p.Pointer)
	}
	remedy := p.Remedy
	if remedy == "" || p.Status == http.StatusUnauthorized { // the API's word on keys is about headers
		remedy = p.remedy()
	}
	if remedy != "" {
		b.WriteString(": " + remedy)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *ProblemError) remedy() string {
	switch {
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden:
		return "give a valid key with --key, or the data folder of the running process with --data"
	case p.RetryAfter > 0:
		return fmt.Sprintf("try again in %v", p.RetryAfter)
	case p.Status == http.StatusServiceUnavailable, p.Status == http.StatusTooManyRequests:
		return "try again in a moment"
	}
	return ""
}

// Do makes one call. in is nil, a *Body, or what is sent as JSON; out, unless nil, takes
// the JSON of a 2xx answer. Another answer is a *ProblemError.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	kind := "application/json"
	switch in := in.(type) {
	case nil:
		kind = ""
	case *Body:
		body, kind = in.Reader, in.ContentType
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.addr+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return problem(res)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: the answer is not the JSON that was expected: is %s a leadroute of this version?", method, path, c.addr)
	}
	return nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer in time: see the log of `leadroute run`", c.addr)
	}
	return fmt.Errorf("nothing answers at %s: is `leadroute run` still running? Start it, or name its data folder with --data", c.addr)
}

func problem(res *http.Response) error {
	p := &ProblemError{}
	switch kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind {
	case "application/problem+json", "application/json":
		p.Body, _ = io.ReadAll(io.LimitReader(res.Body, maxProblem)) // a torn answer still has its status
		if kind == "application/problem+json" {
			_ = json.Unmarshal(p.Body, p)
		}
	}
	p.Status = res.StatusCode
	if p.Title == "" {
		p.Title = strings.ToLower(http.StatusText(p.Status))
	}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}
