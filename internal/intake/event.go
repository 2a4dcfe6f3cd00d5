package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
)

// Statuses are what a rep's status can be.
var Statuses = []leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusBusy, leadroute.StatusAway, leadroute.StatusOff}

// Status reads a rep's status.
func Status(s string) (leadroute.RepStatus, *Fault) {
	if v := leadroute.RepStatus(s); slices.Contains(Statuses, v) {
		return v, nil
	}
	return "", &Fault{Pointer: "/status", Message: fmt.Sprintf("there is no status %q", s), Remedy: "write available, busy, away or off"}
}

// EndOf reads when something ends that holds from now: an instant, a time of this day, or a
// whole day, in the zone.
func EndOf(s string, now leadroute.Millis, zone *time.Location) (leadroute.Millis, *Fault) {
	fault := func(message string) (leadroute.Millis, *Fault) {
		return 0, &Fault{Pointer: "/until", Message: message, Remedy: `write a time of today, "14:00", a day, "2026-12-24", or an instant with its zone, "2026-12-24T12:00:00+01:00", that is to come`}
	}
	var end time.Time
	if minutes, ok := leadroute.ParseClock(s); ok {
		y, m, d := now.Time().In(zone).Date()
		end = time.Date(y, m, d, 0, minutes, 0, 0, zone)
	} else if m, err := leadroute.ParseMoment(s); err == nil {
		end = m.End(zone)
	} else {
		return fault(err.Error())
	}
	if leadroute.At(end) <= now {
		return fault(fmt.Sprintf("%q is over", s))
	}
	return leadroute.At(end), nil
}

// Domain reads the domain of an account.
func Domain(s string) (string, *Fault) {
	d := domain(s)
	if message := badDomain(d); message != "" {
		return "", &Fault{Pointer: "/domain", Message: message, Remedy: domainRemedy}
	}
	return d, nil
}

// maxAhead is how far an instant may lie in the future: further, and no clock is merely
// ahead.
const maxAhead = 24 * time.Hour

// maxLater is how far ahead an end may lie.
const maxLater = 366 * 24 * time.Hour

// Until reads when something will be over, written as Instant reads it.
func Until(raw json.RawMessage, now leadroute.Millis) (leadroute.Millis, *Fault) {
	at, fault := instant(raw)
	switch {
	case fault != nil:
		return 0, fault
	case at <= now:
		return 0, &Fault{Message: "is over already", Remedy: "write a time to come, or leave it out"}
	case at > now.Add(maxLater):
		return 0, &Fault{Message: "lies more than a year ahead", Remedy: "leave it out where there is no end; or are these not milliseconds?"}
	}
	return at, nil
}

// Instant reads when something happened, an RFC 3339 time with a zone or milliseconds since
// 1970; now bounds it.
func Instant(raw json.RawMessage, now leadroute.Millis) (leadroute.Millis, *Fault) {
	at, fault := instant(raw)
	switch {
	case fault != nil:
		return 0, fault
	case at <= 0:
		return 0, &Fault{Message: "lies before 1970", Remedy: "set the sender's clock"}
	case at > now.Add(maxAhead):
		return 0, &Fault{Message: fmt.Sprintf("lies more than %s in the future", maxAhead), Remedy: "set the sender's clock; or are these not milliseconds?"}
	}
	return at, nil
}

func instant(raw json.RawMessage) (leadroute.Millis, *Fault) {
	var text string
	var ms int64
	err := json.Unmarshal(raw, &ms)
	if json.Unmarshal(raw, &text) == nil {
		var at time.Time
		at, err = time.Parse(time.RFC3339, text)
		ms = at.UnixMilli()
	}
	if err != nil {
		return 0, &Fault{Message: "is no instant", Remedy: `write an RFC 3339 time with a zone, like "2026-01-14T10:00:00Z", or milliseconds since 1970`}
	}
	return leadroute.Millis(ms), nil
}

// WithKey sets the key of a record that says none under that name, and returns the one it says.
func WithKey(raw json.RawMessage, name, key string) (with json.RawMessage, said string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return raw, "" // for Read to tell
	}
	if said, ok := members[name]; ok && string(said) != `""` && string(said) != "null" {
		var s string
		if json.Unmarshal(said, &s) != nil {
			return raw, ""
		}
		return raw, s
	}
	members[name], _ = json.Marshal(key)
	raw, _ = json.Marshal(members)
	return raw, ""
}
