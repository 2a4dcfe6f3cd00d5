package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ClickHouseOptions says where the embedded ClickHouse comes from and where it keeps its data.
type ClickHouseOptions struct {
	// Dir is the data folder, created where needed.
	Dir string
	// Cache is where a fetched engine library is kept; see CacheDir.
	Cache string
	// Binary is a clickhouse binary to be used; empty: one on PATH that can serve, else
	// the engine library from npm.
	Binary string
	// TCPPort and HTTPPort on 127.0.0.1; 0 takes free ones.
	TCPPort, HTTPPort int
	// MaxMemory bounds the server's memory in bytes, 2 GiB if zero: a query that would
	// pass it fails, the server goes on.
	MaxMemory int64
	// Progress is told about a download; nil: nobody is.
	Progress io.Writer
	// Log takes what the server says on its stderr; nil drops it.
	Log *slog.Logger
}

// stopWithin is how long a stopping server has before it is killed. Rows that were
// acknowledged are on disk, so a kill costs no more than a longer start.
const stopWithin = 2 * time.Second

// ClickHouse is a ClickHouse server on the loopback interface, a child process that ends
// with this one. Should it end by itself it is started again, on the same ports: the
// engine library (26.7) aborts when it refuses a handshake of the native protocol, be it for
// the password, the database or the bytes, and when a client resets an idle connection. It
// survives cancelled queries, cancelled inserts and connections that are closed.
type ClickHouse struct {
	opts     ClickHouseOptions
	dir      string
	engine   []string // program and leading arguments
	password string
	lock     *Lock

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex // held while starting and stopping
	child     *child
	tcp, http int
}

// NoClickHouseError says that none of the ways to a ClickHouse is open.
type NoClickHouseError struct{ Err error }

func (e *NoClickHouseError) Error() string {
	return fmt.Sprintf("no ClickHouse: name a running one with --clickhouse ADDRESS, or put a clickhouse binary (26.6 or later) on PATH, or install npm and let it fetch the engine library (%v)", e.Err)
}

// Unwrap returns what the last way failed on.
func (e *NoClickHouseError) Unwrap() error { return e.Err }

// StartClickHouse finds an engine, starts it on the data in o.Dir and returns when it
// answers. A folder in use gives an *InUseError, no engine a *NoClickHouseError. ctx
// bounds the start, not the server's life; Stop ends it.
func StartClickHouse(ctx context.Context, o ClickHouseOptions) (*ClickHouse, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	c := &ClickHouse{opts: o, dir: dir, password: rand.Text(), tcp: o.TCPPort, http: o.HTTPPort}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.lock, err = LockDir(dir); err != nil {
		return nil, err
	}
	if err := c.findAndLaunch(ctx); err != nil {
		c.lock.Unlock()
		return nil, err
	}
	return c, nil
}

func (c *ClickHouse) findAndLaunch(ctx context.Context) error {
	if c.opts.Binary != "" {
		c.engine = []string{c.opts.Binary, "local"}
		return c.launch(ctx)
	}
	var passedOver error
	if binary, err := exec.LookPath("clickhouse"); err == nil {
		c.engine = []string{binary, "local"}
		if passedOver = c.launch(ctx); passedOver == nil {
			return nil
		}
		if errors.Is(passedOver, errTaken) || ctx.Err() != nil {
			return passedOver // another engine would fare no better
		}
		c.warn("clickhouse on PATH cannot serve, taking the engine library", "binary", binary, "error", passedOver)
	}
	cache, err := CacheDir(c.opts.Cache)
	if err != nil {
		return err
	}
	library, err := fetchEngine(ctx, cache, c.opts.Progress)
	if err != nil {
		if errors.Is(err, errChecksum) || ctx.Err() != nil {
			return err
		}
		return noClickHouse(passedOver, err)
	}
	launcher, err := findLauncher(ctx, cache)
	if err != nil {
		return noClickHouse(passedOver, err)
	}
	c.engine = []string{launcher, library}
	return c.launch(ctx)
}

// noClickHouse says why the binary on PATH was passed over, where there is one, and why
// the engine library does not do either.
func noClickHouse(passedOver, err error) error {
	if passedOver != nil {
		err = fmt.Errorf("the clickhouse on PATH: %w; %w", passedOver, err)
	}
	return &NoClickHouseError{Err: err}
}

// launch starts the engine and learns its ports. The caller holds mu or is alone.
func (c *ClickHouse) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := c.launchOnce(ctx)
		// A server that was killed with its parent may need a moment to be gone.
		if !errors.Is(err, errLocked) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *ClickHouse) launchOnce(ctx context.Context) error {
	args, ports, err := c.configure()
	if err != nil {
		return fmt.Errorf("start ClickHouse: %w", err)
	}
	ch, err := startChild(append(append([]string{}, c.engine...), args...), c.dir, c.opts.Log)
	if err != nil {
		return fmt.Errorf("start ClickHouse: %w", err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ch.done:
			return fmt.Errorf("start ClickHouse: %w", ch.failure())
		case <-ctx.Done():
			ch.kill()
			return fmt.Errorf("start ClickHouse: %w", ctx.Err())
		case <-tick.C:
			if http, tcp, ok := readPorts(ports); ok {
				if c.child == nil { // a later server has the same ports
					c.http, c.tcp = http, tcp
				}
				c.child = ch
				c.wg.Go(func() { c.watch(ch) })
				return nil
			}
		}
	}
}

// watch starts the server again when ch ends and nobody wanted it to.
func (c *ClickHouse) watch(ch *child) {
	<-ch.done
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		if !c.revive(ch) {
			return
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// revive launches a successor of ch; again is true when that failed and should be tried again.
func (c *ClickHouse) revive(ch *child) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.child != ch || ch.stopping.Load() || c.ctx.Err() != nil {
		return false
	}
	c.warn("embedded ClickHouse ended, starting it again", "error", ch.failure())
	if err := c.launch(c.ctx); err != nil {
		c.warn("embedded ClickHouse does not start", "error", err)
		return true
	}
	return false
}

func (c *ClickHouse) warn(msg string, args ...any) {
	if c.opts.Log != nil {
		c.opts.Log.Warn(msg, args...) //nolint:sloglint // msg is constant at every call
	}
}

// Addr is the address of the native protocol, "127.0.0.1:PORT"; the same for the server's whole life.
func (c *ClickHouse) Addr() string { return loopback(c.tcp) }

// HTTPAddr is the address of the HTTP interface.
func (c *ClickHouse) HTTPAddr() string { return loopback(c.http) }

// DSN is the address with the login, "clickhouse://USER:PASSWORD@HOST:PORT". It is a secret.
func (c *ClickHouse) DSN() string {
	return "clickhouse://" + user + ":" + c.password + "@" + c.Addr()
}

// Options is what a client of the native protocol needs.
func (c *ClickHouse) Options() *clickhouse.Options {
	return &clickhouse.Options{
		Addr: []string{c.Addr()},
		Auth: clickhouse.Auth{Username: user, Password: c.password},
	}
}

// PID is the process id of the server that runs now, or ran last.
func (c *ClickHouse) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.child.cmd.Process.Pid
}

// Kill ends the server at once, as a crash would, and returns when it is gone. It stays
// away until Restart.
func (c *ClickHouse) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.child.kill()
}

// Restart starts a server that has ended again, on the same ports, with the same login
// and data; one that still runs is stopped first.
func (c *ClickHouse) Restart(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
	return c.launch(ctx)
}

// Stop ends the server within 3 s and gives its folder up.
func (c *ClickHouse) Stop() {
	c.cancel()
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.wg.Wait()
	c.lock.Unlock()
	c.lock = nil
}

// end cancels the query that keeps the server alive, and kills the server where that does not do.
func (c *ClickHouse) end() {
	select {
	case <-c.child.done:
		return
	default:
	}
	c.child.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if c.cancelHold(ctx) == nil {
		select {
		case <-c.child.done:
			return
		case <-ctx.Done():
		}
	}
	c.child.kill()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// firstLine is the part of what an engine said that a person needs.
func firstLine(s string) string {
	s = strings.TrimSpace(s)
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 400 {
		s = s[:400] + "..."
	}
	return s
}
