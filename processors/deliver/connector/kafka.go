package connector

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Kafka is the kind of destinations that are a topic of the log's own brokers. A record's
// key is the lead's id, its value what a webhook's body would be, its header webhook-id
// the idempotency key.
func Kafka(cl *kgo.Client) Kind {
	return Kind{
		Name: KindKafka,
		Is:   func(d *plan.Destination) bool { return d.Other != nil && d.Other.Kind == KindKafka },
		New: func(d *plan.Destination, _ func() time.Time) (Connector, error) {
			topic, err := secret(d.Other.Settings["topic"], "topic")
			return &kafka{topic, d.Shape, cl}, err
		},
	}
}

// KindKafka is the name of the block.
const KindKafka = "kafka"

type kafka struct {
	topic string
	shape *plan.Shape
	cl    *kgo.Client
}

// Deliver writes the delivery as one record; it is delivered when every replica has it.
func (k *kafka) Deliver(ctx context.Context, d *leadroute.Delivery) Attempt {
	out, err := Write(d, k.shape)
	if err != nil {
		return Attempt{Result: leadroute.ResultRejected, Reason: "body cannot be encoded"}
	}
	r := &kgo.Record{Topic: k.topic, Key: []byte(d.Lead), Value: out.Body, Headers: []kgo.RecordHeader{{Key: "webhook-id", Value: []byte(out.ID)}}}
	for _, h := range out.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	switch err := k.cl.ProduceSync(ctx, r).FirstErr(); {
	case err == nil:
		return Attempt{Result: leadroute.ResultDelivered}
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.InvalidTopicException):
		return Attempt{Result: leadroute.ResultRejected, Reason: "kafka refused the record: " + kerr.TypedErrorForCode(codeOf(err)).Message}
	default:
		return Attempt{Result: leadroute.ResultRetry, Reason: "kafka did not take the record"}
	}
}

func codeOf(err error) int16 {
	var e *kerr.Error
	errors.As(err, &e)
	return e.Code
}
