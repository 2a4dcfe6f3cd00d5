package feeds

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// reading is one record being read, and what is wrong with it.
type reading struct {
	cfg    *Config
	feed   *Feed
	raw    []byte
	at     leadroute.Millis // of the record
	now    leadroute.Millis
	said   map[string]json.RawMessage
	faults []intake.Fault
}

// event reads the record.
func (in *reading) event() event {
	if len(in.raw) == 0 {
		in.wrong("", "the record is empty", "write "+in.feed.Example)
		return event{}
	}
	if err := json.Unmarshal(in.raw, &in.said); err != nil || in.said == nil {
		in.wrong("", "is not one JSON object", "write "+in.feed.Example)
		return event{}
	}
	return in.feed.read(in)
}

func (in *reading) wrong(path, message, remedy string) {
	in.faults = append(in.faults, intake.Fault{Pointer: path, Message: message, Remedy: remedy})
}

// only refuses members of other names.
func (in *reading) only(names ...string) {
	var odd []string
	for name := range in.said {
		if !slices.Contains(names, name) {
			odd = append(odd, name)
		}
	}
	slices.Sort(odd)
	for _, name := range odd {
		in.wrong("/"+intake.Escape(name), "there is no such member", "write one of "+strings.Join(names, ", "))
	}
}

// one returns which one of the members is there; there must be one.
func (in *reading) one(names ...string) string {
	var have []string
	for _, name := range names {
		if v, ok := in.said[name]; ok && string(v) != "null" {
			have = append(have, name)
		}
	}
	if len(have) != 1 {
		in.wrong("", fmt.Sprintf("says %d of %s", len(have), strings.Join(names, ", ")), "write one of them, like "+in.feed.Example)
		return ""
	}
	return have[0]
}

// text is a member that is a text, "" where it is absent.
func (in *reading) text(name string) string {
	v, ok := in.said[name]
	if !ok || string(v) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		in.wrong("/"+name, "must be a text", "write "+in.feed.Example)
	}
	return s
}

// when is the event's own time, the record's where it says none.
func (in *reading) when() leadroute.Millis {
	v, ok := in.said["at"]
	if !ok || string(v) == "null" {
		return in.at
	}
	at, fault := intake.Instant(v, in.now)
	if fault != nil {
		fault.Pointer = "/at"
		in.faults = append(in.faults, *fault)
	}
	return at
}

// until is when what the event says is over, 0 where it does not say.
func (in *reading) until() leadroute.Millis {
	v, ok := in.said["until"]
	if !ok || string(v) == "null" {
		return 0
	}
	at, fault := intake.Until(v, in.now)
	if fault != nil {
		in.within("/until", []intake.Fault{*fault})
	}
	return at
}

// isTrue refuses a member that is there and not true.
func (in *reading) isTrue(name string) {
	var yes bool
	if json.Unmarshal(in.said[name], &yes) != nil || !yes {
		in.wrong("/"+name, "must be true", "write true, or leave the whole record out")
	}
}

// within takes faults below a member.
func (in *reading) within(pointer string, faults []intake.Fault) {
	for _, f := range faults {
		f.Pointer = pointer + f.Pointer
		in.faults = append(in.faults, f)
	}
}

// reason is all that is wrong with the record, in one line; "" if nothing is.
func (in *reading) reason() string {
	lines := make([]string, len(in.faults))
	for i, f := range in.faults {
		where := strings.TrimPrefix(f.Pointer, "/")
		if where != "" {
			where += ": "
		}
		lines[i] = where + f.Message + ": " + f.Remedy
	}
	return strings.Join(lines, "; ")
}

// row reads a member as one row of a table, as the API's import reads it.
func row[T any](in *reading, member string, table *intake.Table[T], raw json.RawMessage) *T {
	rows, faults := table.Read([]json.RawMessage{raw})
	in.within("/"+member, faults)
	if len(faults) > 0 {
		return nil
	}
	return &rows[0]
}
