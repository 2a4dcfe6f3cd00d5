package stream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

// tally is the tests' stage: it counts messages per key and tells of each.
type tally struct {
	N  int              `json:"n"`
	At leadroute.Millis `json:"at"`
}

// note is its message.
type note struct {
	Text   string          `json:"text,omitempty"`
	Delete bool            `json:"delete,omitempty"`
	Same   bool            `json:"same,omitempty"` // leave the row alone
	Panic  bool            `json:"panic,omitempty"`
	To     leadroute.Topic `json:"to,omitempty"`
}

// told is what it sends.
type told struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

const (
	tallies leadroute.Topic = "tallies"
	out     leadroute.Topic = "out"
)

func tallyStage() stream.Stage[tally, note] {
	return stream.Stage[tally, note]{
		Name: tallies,
		Apply: func(_ stream.Ctx, key string, s *tally, m *note, at leadroute.Millis) (*tally, []leadroute.Effect) {
			switch {
			case m.Panic:
				panic(runtimePanic())
			case m.Same:
				return s, nil
			case m.Delete:
				var none *told // a nil pointer is a tombstone, too
				return nil, []leadroute.Effect{{Topic: out, Key: key}, {Topic: out, Key: key, Value: none}}
			}
			if s == nil {
				s = &tally{}
			}
			s.N++
			s.At = at
			text := m.Text
			to := m.To
			if to == "" {
				to = out
			}
			return s, []leadroute.Effect{{Topic: to, Key: key, Value: &told{text, s.N}}}
		},
	}
}

// runtimePanic is what a nil dereference panics with.
func runtimePanic() (err any) {
	defer func() { err = recover() }()
	var rows map[string]*note
	return rows["none"].Text
}

func TestStageDecidesStoresAndSends(t *testing.T) {
	h := streamtest.New(t, tallyStage())

	sent := h.Send("a", &note{Text: "hello"}, 1000)
	if len(sent) != 1 || sent[0].Topic != out || sent[0].Key != "a" || *streamtest.Decode[told](t, sent[0]) != (told{"hello", 1}) {
		t.Errorf("sent %v, want one told{hello 1} on %s for a", sent, out)
	}
	if s := h.State("a"); s == nil || *s != (tally{1, 1000}) {
		t.Errorf("State(a) = %v, want {1 1000}", s)
	}
	sent = h.Send("a", &note{Delete: true}, 4000)
	if len(sent) != 2 || sent[0].Value != nil || sent[1].Value != nil {
		t.Errorf("sent %v, want two tombstones", sent)
	}
	if s := h.State("a"); s != nil {
		t.Errorf("State(a) after its deletion = %v, want none", s)
	}
}

func TestStageBuriesWhatItCannotHandle(t *testing.T) {
	const secret = "ana@example.com"
	h := streamtest.New(t, tallyStage())
	h.SetState("a", &tally{N: 5})
	for _, c := range []struct {
		what   string
		raw    string
		reason string
	}{
		{"not JSON", `{"text":"` + secret, "the message is not a stream_test.note"},
		{"wrong type", `{"text":{"x":"` + secret + `"}}`, "the message is not a stream_test.note"},
		{"a panic", `{"panic":true,"text":"` + secret + `"}`, "panic: runtime error: invalid memory address or nil pointer dereference"},
		{"a good one after them", `{"same":true}`, ""},
	} {
		sent := h.SendRaw("a", []byte(c.raw), 1000)
		if c.reason == "" {
			if len(sent) != 0 {
				t.Errorf("%s: sent %v, want it handled", c.what, sent)
			}
			continue
		}
		if len(sent) != 1 || sent[0].Topic != leadroute.TopicDeadLetters || sent[0].Key != "a" {
			t.Fatalf("%s: sent %v, want one dead letter for a", c.what, sent)
		}
		d := streamtest.Decode[leadroute.DeadLetter](t, sent[0])
		if d.Kind != leadroute.DeadMessage || d.Stage != string(tallies) || d.Topic != string(tallies) || string(d.Payload) != c.raw || d.At != 1000 {
			t.Errorf("%s: dead letter %+v lacks its origin or payload", c.what, d)
		}
		if want := name("%s-%d-%d", tallies, d.Partition, d.Offset); d.ID != want {
			t.Errorf("%s: id %q, want %q", c.what, d.ID, want)
		}
		if d.Reason != c.reason || strings.Contains(d.Reason, secret) {
			t.Errorf("%s: reason %q, want %q", c.what, d.Reason, c.reason)
		}
		if s := h.State("a"); s == nil || s.N != 5 {
			t.Errorf("%s: State(a) = %v, want it untouched", c.what, s)
		}
	}
	if sent := h.SendRaw("a", nil, 1000); len(sent) != 1 || streamtest.Decode[leadroute.DeadLetter](t, sent[0]).Reason != "empty message" {
		t.Errorf("tombstone: sent %v, want a dead letter", sent)
	}
}

func TestStageBuriesEffectsThatCannotBeSent(t *testing.T) {
	for _, c := range []struct {
		what   string
		effect leadroute.Effect
		reason string
	}{
		{"no topic", leadroute.Effect{Key: "k", Value: &told{}}, "effect 0, a *stream_test.told, has no topic"},
		{"not encodable", leadroute.Effect{Topic: out, Value: func() {}}, "effect 0 on out, a func(), cannot be encoded"},
		{"too large", leadroute.Effect{Topic: out, Value: &told{Text: strings.Repeat("x", 1<<20)}}, "effect 0 on out, a *stream_test.told, is too large"},
	} {
		st := tallyStage()
		st.Apply = func(stream.Ctx, string, *tally, *note, leadroute.Millis) (*tally, []leadroute.Effect) {
			return &tally{N: 1}, []leadroute.Effect{c.effect}
		}
		h := streamtest.New(t, st)
		sent := h.Send("a", &note{}, 1000)
		if len(sent) != 1 || sent[0].Topic != leadroute.TopicDeadLetters {
			t.Fatalf("%s: sent %d messages, want one dead letter", c.what, len(sent))
		}
		if d := streamtest.Decode[leadroute.DeadLetter](t, sent[0]); d.Reason != c.reason {
			t.Errorf("%s: reason %q, want %q", c.what, d.Reason, c.reason)
		}
		if s := h.State("a"); s != nil {
			t.Errorf("%s: State(a) = %v, want none: the message was not applied", c.what, s)
		}
	}
}

func TestStageBoundsTheFuture(t *testing.T) {
	var got leadroute.Millis
	st := tallyStage()
	st.Apply = func(_ stream.Ctx, _ string, _ *tally, _ *note, at leadroute.Millis) (*tally, []leadroute.Effect) {
		got = at
		return nil, nil
	}
	now := time.UnixMilli(1_000_000_000)
	h := streamtest.New(t, st)
	h.SendAt(now, "a", &note{}, leadroute.At(now.Add(time.Hour)))
	if want := leadroute.At(now.Add(time.Minute)); got != want {
		t.Errorf("at of a record from the future = %d, want %d", got, want)
	}
	h.SendAt(now, "a", &note{}, leadroute.At(now.Add(-time.Hour)))
	if want := leadroute.At(now.Add(-time.Hour)); got != want {
		t.Errorf("at of an old record = %d, want its own time %d", got, want)
	}
}
