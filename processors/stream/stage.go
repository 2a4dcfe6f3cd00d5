package stream

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka"

	"github.com/leadroute/leadroute"
)

// Stage is a stateful stage: an inbox of messages M, and a table of states S by the same
// key, which this package owns for it. The inbox is Namespace.Topic(Name), the consumer
// group Namespace.Group(Name), the table Namespace.Table(Name).
type Stage[S, M any] struct {
	Name leadroute.Topic

	// Apply decides: given the row of the message's key (nil: none) it returns the row's next
	// state (nil: no row) and the messages to send. It is called for one key at a time, in the
	// inbox's order, for different partitions concurrently, and at least once per message; of
	// the row and the messages of one call, any subset may survive a crash. It may change *s
	// and return it. It must read no clock and do no I/O.
	//
	// at is the message's record time, but never before the time of the row (that of the message
	// that wrote it), and never more than a minute ahead of this process's clock: a replay gets
	// a time that is no earlier. A message that changes nothing leaves no time behind: it would
	// be forgotten with this process, and a replay would meet an earlier time than the first.
	//
	// A panic, or a value that cannot be encoded, sends the message to the dead letters and
	// leaves the row as it was.
	Apply func(ctx Ctx, key string, s *S, m *M, at leadroute.Millis) (*S, []leadroute.Effect)

	// Sweep, if set, is called for each row that this instance owns, once every SweepEvery
	// (spread over it), and returns messages to send. It must not change *s. It runs beside
	// Apply and may see a row that is about to change.
	Sweep      func(key string, s *S, now leadroute.Millis) []leadroute.Effect
	SweepEvery time.Duration // 1 minute if zero

	// OnUpdate, if set, is told of every row that this instance recovers, writes or (s nil)
	// deletes or gives away with its partition. One call at a time, in order per key. It must
	// return soon, and must not change *s. The row may not yet be safe in the log.
	OnUpdate func(key string, s *S)
}

// Ctx is what Apply may know about where it runs.
type Ctx struct {
	Partition int32
	Offset    int64 // of the message in the inbox
	// Replay says that the message was in the inbox already when this instance took the
	// partition over: an owner before may have handled it, and of what it wrote and sent any
	// subset may have arrived. Any other message is handled here first, though it may be a
	// sender's copy of one that was.
	Replay bool
}

func (st *Stage[S, M]) check() error {
	switch {
	case st.Name == "":
		return errors.New("stream: a stage needs a name")
	case st.Apply == nil:
		return fmt.Errorf("stream: stage %s has no Apply", st.Name)
	}
	return nil
}

// maxAhead is how far a record's time may lie in our future. Senders' clocks differ; a
// wrong one must not push a row's time so far that everything after it seems late.
const maxAhead = time.Minute

// maxValue bounds what is sent in one record. The broker refuses a batch above 1 MB, and
// that refusal would stop the stage at this message for ever.
const maxValue = 900 << 10

// outcome is a decision, encoded.
type outcome struct {
	state   []byte // nil: no row
	effects []encoded
	next    any    // *S behind state, for OnUpdate
	refused string // why the message goes to the dead letters instead; no payload
}

type encoded struct {
	topic leadroute.Topic
	key   string
	value []byte // nil: tombstone
}

// decide decodes, applies and encodes. It never panics.
func (st *Stage[S, M]) decide(log panicLog, ctx Ctx, key string, state, message []byte, at leadroute.Millis) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome{refused: panicReason(p)}
			log(out.refused, debug.Stack())
		}
	}()
	if message == nil {
		return outcome{refused: "empty message"}
	}
	m, err := leadroute.Decode[M](message)
	if err != nil {
		return outcome{refused: fmt.Sprintf("the message is not a %T", *new(M))}
	}
	var s *S
	if state != nil {
		if s, err = leadroute.Decode[S](state); err != nil {
			return outcome{refused: fmt.Sprintf("the row is not a %T", *new(S))}
		}
	}
	next, effects := st.Apply(ctx, key, s, m, at)
	if next != nil {
		out.next = next
		if out.state, err = leadroute.Encode(next); err != nil {
			return outcome{refused: fmt.Sprintf("the next row, a %T, cannot be encoded", *next)}
		}
		if len(out.state) > maxValue {
			return outcome{refused: "the next row is too large"}
		}
	}
	if out.effects, err = encodeEffects(effects); err != nil {
		return outcome{refused: err.Error()}
	}
	return out
}

// encodeEffects returns an error without payload.
func encodeEffects(effects []leadroute.Effect) ([]encoded, error) {
	if len(effects) == 0 {
		return nil, nil
	}
	out := make([]encoded, len(effects))
	for i, e := range effects {
		if e.Topic == "" {
			return nil, fmt.Errorf("effect %d, a %T, has no topic", i, e.Value)
		}
		out[i] = encoded{topic: e.Topic, key: e.Key}
		if isNil(e.Value) {
			continue
		}
		b, err := leadroute.Encode(e.Value)
		if err != nil {
			return nil, fmt.Errorf("effect %d on %s, a %T, cannot be encoded", i, e.Topic, e.Value)
		}
		if len(b) > maxValue {
			return nil, fmt.Errorf("effect %d on %s, a %T, is too large", i, e.Topic, e.Value)
		}
		out[i].value = b
	}
	return out, nil
}

// isNil also knows a nil pointer in an interface, which would be encoded as "null".
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}

type panicLog func(reason string, stack []byte)

// panicReason names a panic without its value, which may quote the payload. The runtime's
// own errors (nil dereference, index out of range) do not.
func panicReason(p any) string {
	if e, ok := p.(runtime.Error); ok {
		return "panic: " + e.Error()
	}
	return fmt.Sprintf("panic with a %T", p)
}

// handle is Goka's callback: one message of the inbox.
func (c *core) handle(r *run, g goka.Context, raw any) {
	message, _ := raw.([]byte)
	key, partition, offset := g.Key(), g.Partition(), g.Offset()
	r.offsets.Add(Partition{c.inbox, partition}, offset)
	store := r.store(partition)
	var old row
	if store != nil {
		old = store.get(key) // what g.Value would return, and its time
	} else {
		old.value, _ = g.Value().([]byte)
	}
	state := old.value
	at := max(c.at(g.Timestamp()), old.at)
	out := c.decide(Ctx{partition, offset, offset < r.replayUntil(partition)}, key, state, message, at)
	c.metrics.messages.Inc()
	if out.refused != "" {
		c.bury(r, g, key, message, out.refused, at)
		return
	}
	switch {
	case out.state == nil && state != nil:
		g.Delete(r.stamped(at))
		c.updated(key, nil)
	case out.state != nil && !bytes.Equal(out.state, state):
		g.SetValue(out.state, r.stamped(at))
		if store != nil {
			store.touch(key, at)
		}
		c.updated(key, out.next)
	}
	if len(out.effects) == 0 {
		return
	}
	ack := allOf(len(out.effects), g.DeferCommit())
	for _, e := range out.effects {
		r.send(c.cfg.Namespace.Topic(e.topic), e.key, e.value, ack)
	}
}

// allOf returns what n effects call: the input is done with the last of them, or fails
// with the first that does.
func allOf(n int, done func(error)) func(error) {
	if n == 1 {
		return done
	}
	left := new(atomic.Int32)
	left.Store(int32(n)) //nolint:gosec // a few
	return func(err error) {
		if left.Add(-1) == 0 || err != nil {
			done(err)
		}
	}
}

// at is the time of a message as far as it does not depend on its row: see Stage.Apply.
func (c *core) at(record time.Time) leadroute.Millis {
	now := c.cfg.Clock()
	at := leadroute.At(record)
	if at <= 0 {
		at = leadroute.At(now)
	}
	return min(at, leadroute.At(now.Add(maxAhead)))
}
