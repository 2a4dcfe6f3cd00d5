// Package kafkajvm runs a real Apache Kafka, the one that runs on the Java virtual
// machine, as a child process for the tests that should not take the embedded
// broker's word for it: one KRaft node on loopback, with its own folder and ports
// that outlive a crash, so that a test may kill it and start it again.
//
// It fetches the broker (fetch.go), configures it (config.go) and keeps the process
// (process.go). What is sent through the broker is the tests' business; cmd/with-kafka
// lends one broker to a whole test run.
package kafkajvm

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Options say how a broker is run. The zero value is a broker in a temporary folder.
type Options struct {
	// Dir holds the broker's data, settings and log. It is made if absent, and kept.
	// Empty: a temporary folder that Stop removes.
	Dir string
	// Cache is where the fetched jars are kept, DefaultCache() if empty.
	Cache string
	// HeapMB is the Java heap in MiB, 512 if zero. The process takes some 250 MiB more.
	HeapMB int
	// Config adds to, or replaces, lines of server.properties.
	Config map[string]string
	// Log hears of a download and of a start, slog.Default() if nil.
	Log *slog.Logger
}

// ReadyTimeout is how long a started broker may take until it answers. It takes some
// 4 s on two idle cores, and several times that next to a busy test run.
const ReadyTimeout = 90 * time.Second

// Broker is one Kafka node. Its methods may be called from any goroutine, one at a time.
type Broker struct {
	opts      Options
	temporary bool
	java      string
	jars      string // folder of the fetched jars
	clusterID string
	port      int // of clients
	ctlPort   int // of the KRaft controller

	mu   sync.Mutex
	proc *process // nil when stopped or killed
}

// Start fetches Kafka if the cache lacks it (about a minute and 45 MB), formats the
// data folder if it is new, starts the broker, and returns once it answers. The error
// names what to install when Java 17 or Maven is not there. The broker dies with this
// process, and with Stop; ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Broker, error) {
	if opts.HeapMB == 0 {
		opts.HeapMB = 512
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	java, err := findJava(ctx)
	if err != nil {
		return nil, err
	}
	jars, err := fetch(ctx, opts.Cache, opts.Log)
	if err != nil {
		return nil, err
	}
	b := &Broker{opts: opts, java: java, jars: jars}
	if opts.Dir == "" {
		b.temporary = true
		if b.opts.Dir, err = os.MkdirTemp("", "leadroute-kafka-"); err != nil {
			return nil, fmt.Errorf("make a folder for kafka: %w", err)
		}
	}
	if err := b.first(ctx); err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

// first brings up a broker whose ports are not settled yet. Between the look for a
// free port and the broker's bind somebody else may take it; then it looks again.
func (b *Broker) first(ctx context.Context) error {
	var err error
	for range 3 {
		if b.port, b.ctlPort, err = freePorts(); err != nil {
			return err
		}
		if err = b.prepare(ctx); err != nil {
			return err
		}
		if err = b.Restart(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// prepare writes the settings, and formats the data folder unless it is in use already.
func (b *Broker) prepare(ctx context.Context) error {
	if err := os.MkdirAll(b.opts.Dir, 0o755); err != nil {
		return fmt.Errorf("make kafka's folder: %w", err)
	}
	id, err := b.readClusterID()
	if err != nil {
		return err
	}
	b.clusterID = id
	if err := b.writeConfig(); err != nil {
		return err
	}
	if id != "" {
		return nil
	}
	if b.clusterID, err = newClusterID(); err != nil {
		return err
	}
	return b.format(ctx)
}

// Addr is the broker's "host:port". It stays the same from Start to Stop.
func (b *Broker) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }

// LogFile is the path of the broker's own log.
func (b *Broker) LogFile() string { return filepath.Join(b.opts.Dir, "broker.log") }

// Kill ends the broker with SIGKILL, as a crash would, and returns when it is gone.
// Nothing happens if it does not run.
func (b *Broker) Kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil {
		b.proc.kill()
		b.proc = nil
	}
}

// Restart starts a broker that was killed, on the same ports and data, and returns once
// it answers. It is an error to restart one that runs.
func (b *Broker) Restart(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil {
		return fmt.Errorf("restart kafka at %s: it is running", b.Addr())
	}
	started := time.Now()
	proc, err := b.startProcess()
	if err != nil {
		return fmt.Errorf("start kafka: %w", err)
	}
	if err := b.waitReady(ctx, proc); err != nil {
		proc.kill()
		return fmt.Errorf("start kafka at %s: %w\n%s", b.Addr(), err, tail(b.LogFile(), 20))
	}
	b.proc = proc
	b.opts.Log.Info("kafka answers", "addr", b.Addr(), "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// Stop ends the broker cleanly, or with SIGKILL if it has not ended in 20 s, and removes
// a temporary folder. A second Stop does nothing.
func (b *Broker) Stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil {
		b.proc.stop(20 * time.Second)
		b.proc = nil
	}
	if b.temporary {
		return os.RemoveAll(b.opts.Dir)
	}
	return nil
}

// waitReady returns nil once the broker answers for the cluster that we formatted and
// names itself as a live broker: another process's broker on our port does not count.
func (b *Broker) waitReady(ctx context.Context, proc *process) error {
	ctx, cancel := context.WithTimeout(ctx, ReadyTimeout)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RetryTimeout(time.Second), kgo.DialTimeout(time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("no answer yet")
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", context.Cause(ctx), last)
		case <-proc.done:
			if portTaken(b.LogFile()) {
				return errPortTaken
			}
			return fmt.Errorf("it ended: %w", proc.err)
		case <-tick.C:
		}
		if last = b.answers(ctx, cl); last == nil {
			return nil
		}
	}
}

func (b *Broker) answers(ctx context.Context, cl *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl)
	switch {
	case err != nil:
		return err
	case resp.ClusterID == nil || *resp.ClusterID != b.clusterID:
		return errors.New("another cluster answers on the port")
	case len(resp.Brokers) == 0:
		return errors.New("the broker is not registered yet")
	}
	return nil
}

// newClusterID makes the kind of id that Kafka takes: 16 bytes, base64 for URLs.
func newClusterID() (string, error) {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("make a cluster id: %w", err)
	}
	raw[0] &= 0x7f // "-" in front would look like an option
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
