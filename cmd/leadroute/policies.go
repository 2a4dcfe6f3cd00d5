package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/processors"
)

// publishPolicy keeps the plans of before for the leads they decided, then publishes ours
// and points "current" at it.
func publishPolicy(ctx context.Context, cl *kgo.Client, ns leadroute.Namespace, policy *dsl.Policy, plans *processors.Plans) error {
	records, err := readPolicies(ctx, cl, ns)
	if err != nil {
		return fmt.Errorf("read the policies topic: %w", err)
	}
	for _, r := range records {
		if r.ID == policy.Plan.ID || len(r.Source) == 0 {
			continue
		}
		if old, found := dsl.CompileSource(r.Source); !found.HasErrors() {
			plans.Keep(old)
		}
	}
	at := leadroute.At(time.Now())
	topic := ns.Topic(leadroute.TopicPolicies)
	whole := leadroute.PolicyRecord{ID: policy.Plan.ID, Name: policy.Plan.Name, At: at, Source: policy.Source}
	for key, r := range map[string]leadroute.PolicyRecord{
		"plan/" + string(whole.ID): whole,
		"current":                  {ID: whole.ID, At: at},
	} {
		b, err := leadroute.Encode(r)
		if err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: b}).FirstErr(); err != nil {
			return fmt.Errorf("publish the policy: %w", err)
		}
	}
	return nil
}

// readPolicies reads the topic to its end: the plans, oldest first.
func readPolicies(ctx context.Context, cl *kgo.Client, ns leadroute.Namespace) ([]leadroute.PolicyRecord, error) {
	topic := ns.Topic(leadroute.TopicPolicies)
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	end, ok := ends.Lookup(topic, 0)
	if !ok || end.Err != nil || end.Offset == 0 {
		return nil, end.Err
	}
	reader, err := kgo.NewClient(append(cl.Opts(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))...)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	latest := map[string]leadroute.PolicyRecord{}
	for next := int64(0); next < end.Offset; {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		for r := range fetches.RecordsAll() {
			next = r.Offset + 1
			if !strings.HasPrefix(string(r.Key), "plan/") || r.Value == nil {
				continue
			}
			v, err := leadroute.Decode[leadroute.PolicyRecord](r.Value)
			if err != nil {
				return nil, err
			}
			latest[string(r.Key)] = *v
		}
	}
	var out []leadroute.PolicyRecord
	for _, r := range latest {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b leadroute.PolicyRecord) int { return int(a.At - b.At) })
	return out, nil
}
