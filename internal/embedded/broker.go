package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sys/unix"
)

// BrokerOptions says where the embedded broker keeps its log and how it is reached.
type BrokerOptions struct {
	// Dir is the data folder, created where needed. Empty: the log lives in memory and
	// ends with the broker.
	Dir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// SyncWrites makes every acknowledged record survive a power loss, not only the end
	// of the process: one fsync per batch, about a third of the throughput.
	SyncWrites bool
	// CleanEvery is how often compaction and retention run, 1 minute if zero. A pass stops
	// the broker for as long as it takes: about 1 s per 400 MB of compacted topics the
	// first time, a tenth of that afterwards. Topics bring their own retention.
	CleanEvery time.Duration
	// Config holds further broker settings under Kafka's names.
	Config map[string]string
	// Log takes the broker's warnings; nil drops them.
	Log *slog.Logger
}

// Broker is a single Kafka broker on the loopback interface, inside this process.
type Broker struct {
	cluster *kfake.Cluster
	lock    *Lock
	once    sync.Once
}

// StartBroker opens the log in o.Dir and serves it. A folder in use by another process
// gives an *InUseError; a port in use says so. Close ends it.
func StartBroker(ctx context.Context, o BrokerOptions) (_ *Broker, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	b := &Broker{}
	config := map[string]string{"log.cleaner.backoff.ms": strconv.FormatInt(cleanEvery(o.CleanEvery).Milliseconds(), 10)}
	maps.Copy(config, o.Config)
	opts := []kfake.Opt{
		kfake.ClusterID("leadroute"), kfake.Ports(o.Port), kfake.BrokerConfigs(config), kfake.WithLogger(brokerLog{o.Log}),
	}
	if o.Dir != "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("start the embedded broker: %w", err)
		}
		if b.lock, err = LockDir(dir); err != nil {
			return nil, err
		}
		opts = append(opts, kfake.DataDir(filepath.Join(dir, "log")))
		if o.SyncWrites {
			opts = append(opts, kfake.SyncWrites())
		}
	}
	if b.cluster, err = kfake.NewCluster(opts...); err != nil {
		b.lock.Unlock()
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, fmt.Errorf("start the embedded broker: port %d is in use; choose another, or 0 for a free one", o.Port)
		}
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	return b, nil
}

// Addrs are the broker's addresses, "127.0.0.1:PORT".
func (b *Broker) Addrs() []string { return b.cluster.ListenAddrs() }

// Cluster gives tests the broker's controls: faults, compaction, stalled requests.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }

// Close writes out what is buffered, stops serving and gives the data folder up. Clients
// should be closed before.
func (b *Broker) Close() {
	b.once.Do(func() {
		b.cluster.Close()
		b.lock.Unlock()
	})
}

func cleanEvery(d time.Duration) time.Duration {
	if d <= 0 {
		return time.Minute
	}
	return d
}

// brokerLog passes the broker's warnings and errors on.
type brokerLog struct{ log *slog.Logger }

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if l.log == nil || level > kfake.LogLevelWarn {
		return
	}
	at := slog.LevelWarn
	if level == kfake.LogLevelError {
		at = slog.LevelError
	}
	l.log.Log(context.Background(), at, "embedded broker", "detail", fmt.Sprintf(format, args...))
}
