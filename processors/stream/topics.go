package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// TopicSpec is a topic that must exist.
type TopicSpec struct {
	Name       string // on the broker
	Partitions int32
	// Compact keeps the last record of every key, and for ever; else records are kept for Retention.
	Compact bool
	// Retention is the least time that a record is kept, 7 days if zero, for ever if negative.
	Retention time.Duration
	// MaxMessage is the largest record in bytes, the broker's default if zero.
	MaxMessage int
	// Replication is the replication factor, the broker's default if zero.
	Replication int16
	// Others write it: one that exists may have any number of partitions.
	Others bool
}

// Retention of the topics that are not tables. A stage that is down for longer loses what
// it has not read, so all are far above any outage; dead letters wait for a person.
const (
	defaultRetention    = 7 * 24 * time.Hour
	deadLetterRetention = 90 * 24 * time.Hour
	forever             = -time.Millisecond // as brokers write it
)

// Specs are all topics of a deployment with these classes and destinations. All have the
// same partition count, so that a key has the same partition everywhere, but for policies,
// which has one, and those that others write, which may have been there before.
func Specs(ns leadroute.Namespace, classes []leadroute.Class, destinations []leadroute.DestinationID, partitions int32) []TopicSpec {
	var specs []TopicSpec
	log := func(t leadroute.Topic) {
		specs = append(specs, TopicSpec{Name: ns.Topic(t), Partitions: partitions, Retention: retentionOf(t)})
	}
	for _, c := range classes {
		log(leadroute.Inbox(c))
	}
	for _, s := range leadroute.Stages {
		log(s)
		specs = append(specs, TopicSpec{Name: ns.Table(s), Partitions: partitions, Compact: true})
	}
	for _, d := range destinations {
		for _, c := range classes {
			log(leadroute.Deliveries(d, c))
		}
	}
	log(leadroute.TopicDepartures)
	log(leadroute.TopicEvents)
	log(leadroute.TopicNotifications)
	log(leadroute.TopicReplies)
	log(leadroute.TopicDeadLetters)
	for _, t := range []leadroute.Topic{leadroute.TopicRepEvents, leadroute.TopicAccountEvents, leadroute.TopicResponses} {
		specs = append(specs, TopicSpec{Name: ns.Topic(t), Partitions: partitions, Others: true})
	}
	return append(specs,
		TopicSpec{Name: ns.Topic(leadroute.TopicTimers), Partitions: partitions, Compact: true},
		policiesSpec(ns))
}

// MaxPolicy bounds a record of the policies topic in bytes: a policy's files, in base64.
const MaxPolicy = 24 << 20

// EnsurePolicies creates the policies topic if it is absent: what the others are depends on
// the policy in force.
func EnsurePolicies(ctx context.Context, cfg Config, cl *kgo.Client) error {
	return EnsureTopics(ctx, kadm.NewClient(cl), []TopicSpec{policiesSpec(cfg.Namespace)})
}

func policiesSpec(ns leadroute.Namespace) TopicSpec {
	return TopicSpec{Name: ns.Topic(leadroute.TopicPolicies), Partitions: 1, Retention: forever, MaxMessage: MaxPolicy}
}

func retentionOf(t leadroute.Topic) time.Duration {
	if t == leadroute.TopicReplies {
		return time.Hour // nobody waits for longer than seconds
	}
	if t == leadroute.TopicDeadLetters {
		return deadLetterRetention
	}
	return defaultRetention
}

// ErrTopic is the error for a topic that exists and does not fit.
var ErrTopic = errors.New("topic does not fit")

// EnsureTopics creates those of the topics that are absent, and waits until the brokers
// know them. A topic that exists keeps its settings, which an operator may have chosen,
// but for three that lose data: it is ErrTopic if its partition count differs, or if it
// should be compacted and is not; one that is to be kept for ever is made so.
func EnsureTopics(ctx context.Context, adm *kadm.Client, specs []TopicSpec) error {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	var errs []error
	var compacted []string
	created := false
	for _, s := range specs {
		d, ok := have[s.Name]
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			if err := createTopic(ctx, adm, s); err != nil {
				errs = append(errs, err)
			}
			created = true
		case d.Err != nil:
			errs = append(errs, fmt.Errorf("look at topic %s: %w", s.Name, d.Err))
		case s.Others:
		case len(d.Partitions) != int(s.Partitions):
			errs = append(errs, fmt.Errorf("%w: %s has %d partitions, not %d: run with that count, or under another namespace",
				ErrTopic, s.Name, len(d.Partitions), s.Partitions))
		case s.Compact:
			compacted = append(compacted, s.Name)
		case s.Retention < 0:
			if err := alterTopic(ctx, adm, s); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if len(compacted) > 0 {
		errs = append(errs, checkCompacted(ctx, adm, compacted))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if created {
		return awaitTopics(ctx, adm, names)
	}
	return nil
}

func createTopic(ctx context.Context, adm *kadm.Client, s TopicSpec) error {
	replication := s.Replication
	if replication == 0 {
		replication = -1
	}
	res, err := adm.CreateTopic(ctx, s.Partitions, replication, s.configs(), s.Name)
	if err == nil {
		err = res.Err
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // another instance was faster
		return fmt.Errorf("create topic %s: %w", s.Name, err)
	}
	return nil
}

func alterTopic(ctx context.Context, adm *kadm.Client, s TopicSpec) error {
	var configs []kadm.AlterConfig
	for name, value := range s.configs() {
		configs = append(configs, kadm.AlterConfig{Name: name, Value: value})
	}
	res, err := adm.AlterTopicConfigs(ctx, configs, s.Name)
	for _, r := range res {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		return fmt.Errorf("set topic %s to be kept for ever: %w", s.Name, err)
	}
	return nil
}

func (s TopicSpec) configs() map[string]*string {
	c := map[string]string{"cleanup.policy": "delete"}
	if s.Compact {
		c["cleanup.policy"] = "compact"
		// The last segment is never compacted, so it must be small; and a record stays long
		// enough for its owner to notice a stalled predecessor's late write (fence.go).
		c["segment.bytes"] = strconv.Itoa(32 << 20)
		c["min.cleanable.dirty.ratio"] = "0.3"
		c["min.compaction.lag.ms"] = ms(time.Minute)
		c["delete.retention.ms"] = ms(24 * time.Hour)
	} else {
		r := s.Retention
		if r == 0 {
			r = defaultRetention
		}
		c["retention.ms"] = ms(r)
		if r > defaultRetention || r < 0 { // kept for people to look at: no broker-wide bound in bytes may cut it short
			c["retention.bytes"] = "-1"
		}
	}
	if s.MaxMessage > 0 {
		c["max.message.bytes"] = strconv.Itoa(s.MaxMessage)
	}
	out := make(map[string]*string, len(c))
	for k, v := range c {
		out[k] = &v
	}
	return out
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func checkCompacted(ctx context.Context, adm *kadm.Client, names []string) error {
	res, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("read topic settings: %w", err)
	}
	var errs []error
	for _, r := range res {
		if r.Err != nil {
			errs = append(errs, fmt.Errorf("read settings of topic %s: %w", r.Name, r.Err))
			continue
		}
		for _, c := range r.Configs {
			if c.Key == "cleanup.policy" && !strings.Contains(c.MaybeValue(), "compact") {
				errs = append(errs, fmt.Errorf("%w: %s has cleanup.policy=%s and would lose rows: set it to compact", ErrTopic, r.Name, c.MaybeValue()))
			}
		}
	}
	return errors.Join(errs...)
}

// awaitTopics returns when every partition has a leader. A broker answers a create before
// all of them know the topic.
func awaitTopics(ctx context.Context, adm *kadm.Client, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		have, err := adm.ListTopics(ctx, names...)
		if err != nil {
			return fmt.Errorf("wait for new topics: %w", err)
		}
		if missing := firstMissing(have, names); missing == "" {
			return nil
		} else if !pause(ctx, 50*time.Millisecond) {
			return fmt.Errorf("wait for new topic %s: %w", missing, ctx.Err())
		}
	}
}

func firstMissing(have kadm.TopicDetails, names []string) string {
	for _, n := range names {
		d, ok := have[n]
		if !ok || d.Err != nil {
			return n
		}
		for _, p := range d.Partitions {
			if p.Err != nil || p.Leader < 0 {
				return n
			}
		}
	}
	return ""
}

// pause waits for d; it returns false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
