package stream

import (
	"fmt"

	"github.com/lovoo/goka"

	"github.com/leadroute/leadroute"
)

// bury sends a message that cannot be handled to the dead letters, so that the stream goes
// on: Goka would stop at it, and again after every restart.
func (c *core) bury(r *run, g goka.Context, key string, message []byte, reason string, at leadroute.Millis) {
	topic := string(g.Topic())
	logical, _ := c.cfg.Namespace.Logical(topic)
	letter := leadroute.DeadLetter{
		ID:        fmt.Sprintf("%s-%d-%d", logical, g.Partition(), g.Offset()),
		Kind:      leadroute.DeadMessage,
		Stage:     string(c.name),
		Reason:    reason,
		At:        at,
		Topic:     string(logical),
		Partition: g.Partition(),
		Offset:    g.Offset(),
		Payload:   message,
	}
	c.metrics.dead.Inc()
	c.cfg.Log.Warn("message sent to the dead letters", "stage", c.name, "dead_letter", letter.ID, "reason", reason)
	b, err := leadroute.Encode(&letter)
	if err != nil || len(b) > maxValue { // base64 took it over the limit: the record itself is still in the inbox
		letter.Payload = nil
		letter.Reason += " (payload left out: too large)"
		if b, err = leadroute.Encode(&letter); err != nil {
			g.Fail(err) // cannot be: strings and numbers only
		}
	}
	r.send(c.cfg.Namespace.Topic(leadroute.TopicDeadLetters), key, b, g.DeferCommit())
}
