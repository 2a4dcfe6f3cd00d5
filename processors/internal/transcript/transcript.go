// Package transcript writes what a decision does as short lines, for the scripts in the
// stages' testdata: read after -rewrite, they are what a reviewer judges.
package transcript

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/leadroute/leadroute"
)

// Start is when every script begins: Wednesday 14 January 2026, 10:00 UTC.
const Start leadroute.Millis = 1768384800000

// Clock says an instant as the time since Start.
func Clock(at leadroute.Millis) string {
	if at == 0 {
		return "never"
	}
	return "+" + at.Sub(Start).String()
}

// Args are a command's arguments with defaults.
type Args struct {
	tb testing.TB
	d  *datadriven.TestData
}

// Of wraps a command.
func Of(tb testing.TB, d *datadriven.TestData) Args {
	tb.Helper()
	return Args{tb, d}
}

// Pos is the i-th argument that has no "=", "" if there are fewer.
func (a Args) Pos(i int) string {
	for _, arg := range a.d.CmdArgs {
		if len(arg.Vals) > 0 {
			continue
		}
		if i == 0 {
			return arg.Key
		}
		i--
	}
	return ""
}

// Has tells whether the argument was given.
func (a Args) Has(name string) bool { return a.d.HasArg(name) }

// List are the values of name=(a, b).
func (a Args) List(name string) []string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == name {
			return arg.Vals
		}
	}
	return nil
}

// Text is the value of name=text.
func (a Args) Text(name, or string) string {
	if v := a.List(name); len(v) == 1 {
		return v[0]
	}
	return or
}

// Int is the value of name=1.
func (a Args) Int(name string, or int) int {
	a.tb.Helper()
	if v := a.Text(name, ""); v != "" {
		if _, err := fmt.Sscan(v, &or); err != nil {
			a.d.Fatalf(a.tb, "%s=%s: %v", name, v, err)
		}
	}
	return or
}

// Span is the value of name=1m30s.
func (a Args) Span(name string, or time.Duration) time.Duration {
	a.tb.Helper()
	if v := a.Text(name, ""); v != "" {
		return Span(a.tb, a.d, v)
	}
	return or
}

// Span reads a duration.
func Span(tb testing.TB, d *datadriven.TestData, s string) time.Duration {
	tb.Helper()
	v, err := time.ParseDuration(s)
	if err != nil {
		d.Fatalf(tb, "%v", err)
	}
	return v
}

// Effects are what a decision sends, a line each: topic, key, message.
func Effects(out []leadroute.Effect) string {
	var b strings.Builder
	for _, e := range out {
		fmt.Fprintf(&b, "%s %s: %s\n", e.Topic, e.Key, message(e.Value))
	}
	return b.String()
}

// line builds "word name=value name=value" out of what is not zero.
type line struct{ strings.Builder }

func say(word string) *line {
	l := &line{}
	l.WriteString(word)
	return l
}

func (l *line) with(name string, v any) *line {
	switch s := fmt.Sprint(v); s {
	case "", "0", "false":
	case "true":
		l.WriteString(" " + name)
	default:
		l.WriteString(" " + name + "=" + s)
	}
	return l
}

func (l *line) at(name string, at leadroute.Millis) *line {
	if at == 0 {
		return l
	}
	return l.with(name, Clock(at))
}

func message(v any) string {
	switch m := v.(type) {
	case nil:
		return "cancel"
	case *leadroute.LedgerMessage:
		return ledger(m)
	case *leadroute.PoolMessage:
		if b := m.Bid; b != nil {
			return say("bid").with("rep", b.Bid.Rep).with("rev", b.Offer.Rev).with("target", b.Offer.Target).with("try", b.Offer.Try).with("reply", b.Bid.Reply).String()
		}
		o := m.Offer
		l := say("offer").with("rev", o.Rev).with("target", o.Target).with("try", o.Try).with("avoid", o.Avoid).with("strict", o.Strict)
		if o.Declined != nil {
			l.with("declined", o.Declined.Claim.Rep).with("reason", o.Declined.Reason)
		}
		return l.String()
	case *leadroute.RepMessage:
		return rep(m)
	case *leadroute.IdentityMessage:
		return identity(m)
	case *leadroute.AccountMessage:
		if m.Own != nil {
			return own(m.Own)
		}
	case *leadroute.Timer:
		return say("set").at("due", m.Due).with("rev", m.Rev).with("n", m.N).at("deadline", m.Deadline).with("rank", m.Rank).at("order", m.Order).String()
	case *leadroute.Notification:
		return say("tell").with("channel", m.Channel).with("rev", m.Delivery.Rev).with("rep", m.Delivery.Owner).with("queue", m.Delivery.Queue).
			with("reason", m.Reason).with("by", m.By).with("resolve", m.Resolve).at("at", m.At).String()
	case *leadroute.Reply:
		return say("reply").with("agreed", m.Agreed).with("known", m.Known).with("owner", m.Owner).with("rev", m.Rev).with("refused", m.Refused).String()
	case *leadroute.Departure:
		return "left the middle"
	case *leadroute.Delivery:
		return say("deliver").with("rev", m.Rev).with("attempt", m.Attempt).with("owner", m.Owner).with("crm", m.OwnerCRM).with("pool", m.Pool).with("queue", m.Queue).String()
	case *leadroute.DeadLetter:
		return say("dead "+m.Kind).with("id", m.ID).with("attempts", m.Attempts).with("reason", m.Reason).with("payload", len(m.Payload) > 0).String()
	case *leadroute.LatencyEvent:
		return say(string(m.Step)).with("rev", m.Rev).with("attempt", m.Attempt).with("pool", m.Pool).with("queue", m.Queue).with("rep", m.Rep).
			with("dest", m.Destination).with("outcome", m.Outcome).with("reason", m.Reason).at("at", m.At).String()
	}
	return fmt.Sprintf("%T %+v", v, v)
}

func ledger(m *leadroute.LedgerMessage) string {
	switch {
	case m.Answer != nil:
		a := m.Answer
		word := "declined"
		if a.Accepted {
			word = "accepted"
		}
		return say(word).with("claim", a.Claim).with("pool", a.Pool).with("reason", a.Reason).with("v", a.Version).with("status", a.Status).
			with("open", a.Open).with("in_pool", a.OpenInPool).with("crm", a.CRMID).with("asserted", a.Asserted).with("bid", a.Bid).at("at", a.At).String()
	case m.NoCandidate != nil:
		n := m.NoCandidate
		return say("nobody").with("rev", n.Rev).with("target", n.Target).with("try", n.Try).with("pool", n.Pool).with("reason", n.Reason).String()
	case m.Opened != nil:
		o := m.Opened
		return say("opened").with("rev", o.Rev).with("target", o.Target).with("try", o.Try).with("pool", o.Pool).with("reps", strings.Trim(fmt.Sprint(o.Reps), "[]")).String()
	case m.Revise != nil:
		return say("revise").with("rev", m.Revise.Rev).with("reason", m.Revise.Reason).String()
	case m.Check != nil:
		return "check"
	case m.Join != nil:
		return say("join").with("lead", m.Join.Lead).with("n", m.Join.N).with("fields", string(m.Join.Fields)).String()
	case m.Joined != nil:
		return say("joined").with("n", m.Joined.N).with("taken", m.Joined.Taken).with("root", m.Joined.Root).String()
	case m.Met != nil:
		return say("met").with("n", m.Met.N).with("first", m.Met.First).with("lead", m.Met.Lead).with("stands", m.Met.Stands).String()
	}
	return fmt.Sprintf("%+v", *m)
}

func own(m *leadroute.Own) string {
	l := say("own").with("id", m.Claim).with("n", m.N).with("yield", m.Yield)
	if len(m.Passed) > 0 {
		l.with("passed", m.Passed)
	}
	if len(m.Gone) > 0 {
		l.with("gone", m.Gone)
	}
	return l.String()
}

func identity(m *leadroute.IdentityMessage) string {
	switch {
	case m.Own != nil:
		return own(m.Own)
	case m.Ask != nil:
		return say("ask").with("lead", m.Ask.Lead).with("n", m.Ask.N).with("last", m.Ask.Last).with("instead", m.Ask.Instead).with("slide", m.Ask.Slide).String()
	case m.Settle != nil:
		return say("settle").with("lead", m.Settle.Lead).with("root", m.Settle.Root).with("stands", m.Settle.Stands).String()
	case m.Check != nil:
		return "check"
	}
	return fmt.Sprintf("%+v", *m)
}

func rep(m *leadroute.RepMessage) string {
	switch {
	case m.Claim != nil:
		return say("claim").with("id", m.Claim.ID).with("pool", m.Claim.Pool).with("even_if_full", m.Claim.EvenIfFull).with("bid", m.Claim.Bid).String()
	case m.Release != nil:
		return say("release").with("id", m.Release.Claim).with("counted", m.Release.Counted).String()
	case m.Confirm != nil:
		return say("confirm").with("id", m.Confirm.Claim.ID).String()
	case m.Pause != nil:
		return say("pause").at("until", m.Pause.Until).String()
	case m.Check != nil:
		return "check"
	}
	return fmt.Sprintf("%+v", *m)
}
