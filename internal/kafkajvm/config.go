package kafkajvm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// errPortTaken is a start that failed because another process listens on a chosen port.
var errPortTaken = errors.New("a port was taken meanwhile")

// freePorts finds two free loopback ports. They lie below the range from which the
// kernel lends ports to outgoing connections (32768 and up), so that nobody is handed
// one of ours while the broker is down between Kill and Restart.
func freePorts() (client, controller int, err error) {
	var found []int
	for range 200 {
		p := 20000 + rand.IntN(12000)
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p))) //nolint:noctx // a bind does not wait
		if err != nil || slices.Contains(found, p) {
			continue
		}
		if err := ln.Close(); err != nil {
			return 0, 0, fmt.Errorf("close the probe of port %d: %w", p, err)
		}
		if found = append(found, p); len(found) == 2 {
			return found[0], found[1], nil
		}
	}
	return 0, 0, errors.New("find two free ports on 127.0.0.1 between 20000 and 32000: none in 200 tries")
}

func (b *Broker) dataDir() string      { return filepath.Join(b.opts.Dir, "data") }
func (b *Broker) serverConfig() string { return filepath.Join(b.opts.Dir, "server.properties") }
func (b *Broker) logConfig() string    { return filepath.Join(b.opts.Dir, "log4j2.properties") }

// settings is server.properties: one node that is broker and controller, small enough
// to run beside the tests, and quick where a production broker waits for others.
func (b *Broker) settings() map[string]string {
	client, ctl := b.Addr(), net.JoinHostPort("127.0.0.1", strconv.Itoa(b.ctlPort))
	set := map[string]string{
		"node.id":                        "1",
		"process.roles":                  "broker,controller",
		"controller.quorum.voters":       "1@" + ctl,
		"listeners":                      "PLAINTEXT://" + client + ",CONTROLLER://" + ctl,
		"advertised.listeners":           "PLAINTEXT://" + client,
		"inter.broker.listener.name":     "PLAINTEXT",
		"controller.listener.names":      "CONTROLLER",
		"listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"log.dirs":                       b.dataDir(),

		"auto.create.topics.enable":                        "false",
		"default.replication.factor":                       "1",
		"min.insync.replicas":                              "1",
		"offsets.topic.replication.factor":                 "1",
		"offsets.topic.num.partitions":                     "4",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"transaction.state.log.num.partitions":             "4",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",

		// Groups form at once, and a test may ask for a session short enough to wait for.
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "500",
		// A killed broker may not register again before its old session has run out.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",

		"num.network.threads":             "2",
		"num.io.threads":                  "4",
		"background.threads":              "2",
		"log.cleaner.dedupe.buffer.size":  "8388608", // 128 MiB by default
		"log.cleaner.backoff.ms":          "5000",
		"log.retention.check.interval.ms": "10000",
	}
	maps.Copy(set, b.opts.Config)
	return set
}

const log4j = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`

func (b *Broker) writeConfig() error {
	set := b.settings()
	var s strings.Builder
	for _, k := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&s, "%s=%s\n", k, set[k])
	}
	for path, text := range map[string]string{b.serverConfig(): s.String(), b.logConfig(): log4j} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write kafka's settings: %w", err)
		}
	}
	return nil
}

// readClusterID returns the id that the data folder was formatted with, "" if it was not.
func (b *Broker) readClusterID() (string, error) {
	path := filepath.Join(b.dataDir(), "meta.properties")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read kafka's data folder: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "cluster.id="); ok {
			return id, nil
		}
	}
	return "", fmt.Errorf("read kafka's data folder: %s names no cluster.id", path)
}

// format writes the first metadata into the data folder. It costs one start of Java, 2 s.
func (b *Broker) format(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, b.java, b.javaArgs("kafka.tools.StorageTool",
		"format", "--cluster-id", b.clusterID, "--config", b.serverConfig())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format kafka's data folder: %w\n%s", err, out)
	}
	return nil
}

func (b *Broker) javaArgs(main string, args ...string) []string {
	return append([]string{
		fmt.Sprintf("-Xmx%dm", b.opts.HeapMB),
		// Two cores: compile less eagerly, and collect without a thread per core.
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + b.logConfig(),
		"-cp", filepath.Join(b.jars, "*"), main,
	}, args...)
}
