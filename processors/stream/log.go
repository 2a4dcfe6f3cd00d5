package stream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kgoLog hands franz-go's warnings to slog. Its messages are constants and its key
// values name brokers, topics, partitions and errors, never keys or values of records.
//
// A client tries ten times a second to reach a broker that is away, and says so each time.
// As a hook of the client, kgoLog says it once per outage and address, and once when the
// outage is over; away is shared by all clients of the process. A broker that was never
// reached is no outage: who starts says so.
type kgoLog struct {
	log  *slog.Logger
	away *outages
}

func (l kgoLog) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l kgoLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	// What the client calls a warning it also retries by itself: for an operator it is news
	// only while looking for something.
	to := slog.LevelDebug
	if level == kgo.LogLevelError {
		to = slog.LevelWarn
		for _, v := range keyvals {
			if err, ok := v.(error); ok {
				to = retriedAt(err)
			}
		}
	}
	l.log.Log(context.Background(), to, msg, keyvals...) //nolint:sloglint // the client's messages are constants
}

// OnBrokerConnect is the hook that notices a broker that is away.
func (l kgoLog) OnBrokerConnect(b kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	addr := addrOf(b)
	switch {
	case err == nil:
		l.away.reached(addr) // that it answers, too, is for OnBrokerRead
	case errors.Is(err, context.Canceled), errors.Is(err, errCut): // we are closing
	case l.away.begin(addr, time.Now()):
		l.log.Warn("broker cannot be reached, trying on", "broker", addr, "error", err)
	}
}

// OnBrokerRead is the hook that notices that it is back.
func (l kgoLog) OnBrokerRead(b kgo.BrokerMetadata, _ int16, _ int, _, _ time.Duration, err error) {
	if err != nil || l.away.none() {
		return
	}
	addr := addrOf(b)
	if since, was := l.away.end(addr); was {
		l.log.Info("broker answers again", "broker", addr, "after", time.Since(since).Round(time.Millisecond))
	}
}

func addrOf(b kgo.BrokerMetadata) string {
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}

// retriedAt is the level at which to log an error that will be retried: where it comes of a
// broker that is away, the hooks have said so.
func retriedAt(err error) slog.Level {
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// outages are the addresses that were reached once and cannot be just now, and since when.
type outages struct {
	n     atomic.Int32 // of since
	mu    sync.Mutex
	known map[string]struct{} // reached once
	since map[string]time.Time
}

var awayBrokers = &outages{known: map[string]struct{}{}, since: map[string]time.Time{}}

func (o *outages) none() bool { return o.n.Load() == 0 }

func (o *outages) reached(addr string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known[addr] = struct{}{}
}

// begin notes an outage; false says that it is one already, or none.
func (o *outages) begin(addr string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, known := o.known[addr]
	if _, away := o.since[addr]; away || !known {
		return false
	}
	o.since[addr] = now
	o.n.Store(int32(len(o.since))) //nolint:gosec // a few
	return true
}

// end ends an outage, if there was one.
func (o *outages) end(addr string) (since time.Time, was bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since, was = o.since[addr]
	delete(o.since, addr)
	o.n.Store(int32(len(o.since))) //nolint:gosec // a few
	return since, was
}
