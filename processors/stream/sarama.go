package stream

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
)

// saramaConfig is for the group and the recovery of tables; sarama produces nothing here.
// Each use must have its own: Goka's builders write into it.
func saramaConfig(cfg Config, g *guard) *sarama.Config {
	c := goka.DefaultConfig()
	c.Version = sarama.V2_8_0_0 // static membership; all later brokers speak it
	c.Net.DialTimeout = 2 * time.Second
	c.Net.Proxy.Enable = true
	c.Net.Proxy.Dialer = g
	// A broker that is away is looked for during 3 s, then the stage stops and the supervisor
	// takes over. While stopping, nothing is waited for.
	c.Metadata.Retry.Max = 30
	c.Metadata.Retry.Backoff = 100 * time.Millisecond
	c.Metadata.Retry.BackoffFunc = func(int, int) time.Duration {
		if g.isCut() {
			return 0
		}
		return 100 * time.Millisecond
	}
	c.Consumer.Fetch.Min = 1
	c.Consumer.MaxWaitTime = 100 * time.Millisecond // how long a stop waits for an idle fetch; no latency
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = commitInterval
	c.Consumer.Group.Heartbeat.Interval = heartbeatInterval
	c.Consumer.Group.Session.Timeout = cfg.SessionTimeout
	c.Consumer.Group.Rebalance.Timeout = 2 * cfg.SessionTimeout
	c.Consumer.Group.Rebalance.Retry.Max = 30
	c.Consumer.Group.Rebalance.Retry.Backoff = 100 * time.Millisecond
	c.Consumer.Group.InstanceId = cfg.InstanceID
	return c
}

// tableConfig reads tables: it retries by itself instead of failing with one connection.
func tableConfig(cfg Config, g *guard) *sarama.Config {
	c := saramaConfig(cfg, g)
	c.Consumer.Return.Errors = false
	c.Consumer.Retry.Backoff = 100 * time.Millisecond
	c.Consumer.MaxWaitTime = 50 * time.Millisecond // a recovery ends with an idle fetch
	return c
}

// sarama has one logger for all; its lines name brokers, topics and members, no records.
var routeSaramaLog = sync.OnceFunc(func() { sarama.Logger = saramaLog{} })

type saramaLog struct{}

func (saramaLog) Print(v ...any)            { slog.Debug("sarama", "text", fmt.Sprint(v...)) }
func (saramaLog) Println(v ...any)          { slog.Debug("sarama", "text", fmt.Sprint(v...)) }
func (saramaLog) Printf(f string, v ...any) { slog.Debug("sarama", "text", fmt.Sprintf(f, v...)) }

// gokaLog takes Goka's lines at debug level: they may name keys.
type gokaLog struct{ log *slog.Logger }

func (l gokaLog) Print(v ...any)            { l.log.Debug("goka", "text", fmt.Sprint(v...)) }
func (l gokaLog) Println(v ...any)          { l.log.Debug("goka", "text", fmt.Sprint(v...)) }
func (l gokaLog) Printf(f string, v ...any) { l.log.Debug("goka", "text", fmt.Sprintf(f, v...)) }
