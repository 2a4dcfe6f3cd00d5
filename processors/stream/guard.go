package stream

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// errStalled is why a member stopped that did not run for longer than its partitions are
// certain to be its own.
var errStalled = errors.New("the process was stalled for half its session timeout")

// errCut is why a connection ended that outlived its stage.
var errCut = errors.New("the stage has stopped")

// guard stands between a member's clients and the network. It notices when the process
// was stalled and lets nothing more out, so that what was about to be written is written by
// the partitions' next owner, not over its head; and it cuts the connections of a stage
// that has been told to stop, so that no dead broker holds up the stop.
type guard struct {
	limit   time.Duration
	onStall func()
	last    atomic.Pointer[time.Time] // of the last tick
	stalled atomic.Bool

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cut   bool
}

func newGuard(limit time.Duration, onStall func()) *guard {
	g := &guard{limit: limit, onStall: onStall, conns: map[net.Conn]struct{}{}}
	now := time.Now()
	g.last.Store(&now)
	return g
}

// run keeps the guard's watch until ctx ends; without it the guard trips.
func (g *guard) run(ctx context.Context) {
	tick := time.NewTicker(min(100*time.Millisecond, g.limit/4))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if g.ok() {
				now := time.Now()
				g.last.Store(&now)
			}
		}
	}
}

// ok reports whether the process has run without a stall; once false, it stays so.
func (g *guard) ok() bool {
	if g.stalled.Load() {
		return false
	}
	now, last := time.Now(), g.last.Load()
	// The monotonic clock stands still while a machine is suspended, the wall clock may be
	// set; the longer span counts, and a false alarm costs one restart of the stage.
	if max(now.Sub(*last), now.Round(0).Sub(last.Round(0))) < g.limit {
		return true
	}
	if g.stalled.CompareAndSwap(false, true) {
		g.onStall()
	}
	return false
}

// Dial is for sarama, which has no context to give.
func (g *guard) Dial(network, addr string) (net.Conn, error) {
	return g.DialContext(context.Background(), network, addr)
}

// DialContext connects within two seconds.
func (g *guard) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if g.isCut() {
		return nil, errCut
	}
	d := net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cut {
		_ = c.Close()
		return nil, errCut
	}
	g.conns[c] = struct{}{}
	return &guardedConn{Conn: c, g: g}, nil
}

func (g *guard) isCut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cut
}

// cutAll ends every connection and refuses new ones.
func (g *guard) cutAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = true
	for c := range g.conns {
		_ = c.Close()
	}
}

type guardedConn struct {
	net.Conn
	g *guard
}

func (c *guardedConn) Write(b []byte) (int, error) {
	if !c.g.ok() {
		return 0, errStalled
	}
	return c.Conn.Write(b)
}

func (c *guardedConn) Close() error {
	c.g.mu.Lock()
	delete(c.g.conns, c.Conn)
	c.g.mu.Unlock()
	return c.Conn.Close()
}
