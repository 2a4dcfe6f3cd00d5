package deliver_test

import (
	"encoding/json"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

func TestATopicIsADestination(t *testing.T) {
	b := kafkatest.Start(t, classes, "crm")
	if _, err := kadm.NewClient(b.Client()).CreateTopic(t.Context(), 1, 1, nil, "lead-decisions"); err != nil {
		t.Fatal(err)
	}
	d := plan.Destination{Name: "warehouse", Other: &plan.Other{
		Kind: connector.KindKafka, Settings: map[string]plan.Secret{"topic": {Literal: "lead-decisions"}},
	}}
	c, err := connector.New([]connector.Kind{connector.Kafka(b.Client())}, &d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Deliver(t.Context(), asked("l-1", 2, "P0")); got.Result != leadroute.ResultDelivered {
		t.Fatalf("Deliver = %+v, want delivered", got)
	}
	cl := b.Client(kgo.ConsumeTopics("lead-decisions"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	r := cl.PollFetches(t.Context()).Records()
	if len(r) != 1 || string(r[0].Key) != "l-1" || len(r[0].Headers) != 1 || string(r[0].Headers[0].Value) != "l-1/2" {
		t.Fatalf("records = %+v, want one of l-1 with its id", r)
	}
	var body struct {
		Data struct {
			Owner string            `json:"owner"`
			Lead  map[string]string `json:"lead"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r[0].Value, &body); err != nil || body.Data.Owner != "ana" || body.Data.Lead["email"] != "ana@example.com" {
		t.Errorf("value = %s, %v, want the assignment", r[0].Value, err)
	}
	d.Other.Settings["topic"] = plan.Secret{Literal: "no-such-topic"}
	if c, err = connector.New([]connector.Kind{connector.Kafka(b.Client(kgo.UnknownTopicRetries(1)))}, &d, nil); err != nil {
		t.Fatal(err)
	}
	if got := c.Deliver(t.Context(), asked("l-2", 1, "P0")); got.Result != leadroute.ResultRetry {
		t.Errorf("Deliver to a topic that is not there = %+v, want a retry", got)
	}
}
