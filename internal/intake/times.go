package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// What a rep's shifts, times out of the office and prices look like. Each has a form as JSON
// and one as text, for the cell of a table.
const (
	writeDays  = `write "mon", "mon-fri" or "mon,wed,fri"`
	writeSpan  = `write "09:00-17:30"; over midnight, write two spans`
	writeAway  = `write {"from": "2026-12-24", "until": "2026-12-31", "reason": "vacation"}, in a cell 2026-12-24..2026-12-31 vacation`
	writeWhen  = `write a day, "2026-12-24", or an instant with its zone, "2026-12-24T12:00:00+01:00"`
	writeCost  = `write {"P0": 3}, in a cell P0=3|P1=2`
	maxCost    = 1000
	maxDaySpan = 8 // spans of one day
)

// readShifts reads {"mon-fri": "09:00-17:30"} or "mon-fri 09:00-17:30; sat 10:00-14:00".
func readShifts(to *leadroute.Shifts, path string, raw json.RawMessage, refuse refusal) {
	put := func(path, days, spans string) {
		var bad *leadroute.ShiftError
		if !errors.As(to.Put(days, spans), &bad) {
			return
		}
		remedy := "make them one span, or take one out"
		switch bad.Part {
		case leadroute.BadDays:
			remedy = writeDays
		case leadroute.BadSpan:
			remedy = writeSpan
		}
		refuse(path, bad.Error(), "", remedy)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ';' || c == '|' }) {
			days, spans, ok := strings.Cut(strings.TrimSpace(part), " ")
			if !ok {
				refuse(path, "must be shifts", strconv.Quote(brief([]byte(part))), `write days and hours, like "mon-fri 09:00-17:30; sat 10:00-14:00"`)
				continue
			}
			put(path, days, spans)
		}
	} else if err := members(raw, func(days string, value json.RawMessage) {
		var spans string
		if json.Unmarshal(value, &spans) != nil {
			refuse(path+"/"+Escape(days), "must be a text", brief(value), `write it like "09:00-17:30"`)
			return
		}
		put(path+"/"+Escape(days), days, spans)
	}); err != nil {
		refuse(path, "must be the hours by day", brief(raw), `write {"mon-fri": "09:00-17:30"}, in a cell mon-fri 09:00-17:30; sat 10:00-14:00`)
	}
	for _, day := range to {
		if len(day) > maxDaySpan {
			refuse(path, fmt.Sprintf("a day has %d shifts", len(day)), "", fmt.Sprintf("keep at most %d", maxDaySpan))
			return
		}
	}
}

// Aways reads one or several times out of the office, as a rep's profile has them.
func Aways(raw json.RawMessage) (list []leadroute.Away, faults []Fault) {
	readAways(&list, "", raw, func(path, message, given, remedy string) {
		faults = append(faults, Fault{Pointer: path, Message: message, Given: given, Remedy: remedy})
	})
	if list == nil && faults == nil {
		faults = append(faults, Fault{Message: "names no time out of the office", Remedy: writeAway})
	}
	return list, faults
}

// readAways reads one or several times out of the office.
func readAways(to *[]leadroute.Away, path string, raw json.RawMessage, refuse refusal) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		readAway(to, path, raw, refuse)
		return
	}
	for i, one := range list {
		readAway(to, fmt.Sprintf("%s/%d", path, i), one, refuse)
	}
	if len(*to) > leadroute.MaxAway {
		refuse(path, fmt.Sprintf("has %d times out of the office", len(*to)), "", fmt.Sprintf("keep at most %d: leave out what is over", leadroute.MaxAway))
	}
}

// readAway reads an object, or "2026-12-24..2026-12-31 vacation".
func readAway(to *[]leadroute.Away, path string, raw json.RawMessage, refuse refusal) {
	var a leadroute.Away
	good := true
	wrong := func(path, message, given, remedy string) {
		good = false
		refuse(path, message, given, remedy)
	}
	moment := func(path, s string) (m leadroute.Moment) {
		if s = strings.TrimSpace(s); s == "" {
			return m
		}
		m, err := leadroute.ParseMoment(s)
		if err != nil {
			wrong(path, err.Error(), "", writeWhen)
		}
		return m
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		span, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
		from, until, several := strings.Cut(span, "..")
		a = leadroute.Away{From: moment(path, from), Reason: strings.TrimSpace(reason)}
		if a.Until = a.From; several { // else one day
			a.Until = moment(path, until)
		}
	} else {
		err := members(raw, func(name string, value json.RawMessage) {
			var s string
			switch at := path + "/" + Escape(name); {
			case name != "from" && name != "until" && name != "reason":
				wrong(at, fmt.Sprintf("a time out of the office has no member %q", name), "", "write from, until or reason")
			case json.Unmarshal(value, &s) != nil:
				wrong(at, "must be a text", brief(value), writeAway)
			case name == "from":
				a.From = moment(at, s)
			case name == "until":
				a.Until = moment(at, s)
			default:
				a.Reason = s
			}
		})
		if err != nil {
			wrong(path, "must be a time out of the office", brief(raw), writeAway)
		}
	}
	switch {
	case !good:
		return
	case a.From == leadroute.Moment{} && a.Until == leadroute.Moment{}:
		wrong(path, "says neither from when nor until when", "", writeAway)
	case a.Never():
		wrong(path, fmt.Sprintf("until %s lies before from %s", a.Until, a.From), "", "write them the other way round; the last day is a whole one")
	case leadroute.BadReason(a.Reason):
		wrong(path, "the reason must be one short word", strconv.Quote(brief([]byte(a.Reason))), "write one such as vacation, or leave it out")
	}
	*to = append(*to, a)
}

// readCost reads {"P0": 3} or "P0=3|P1=2".
func readCost(to *map[leadroute.Class]int, path string, raw json.RawMessage, refuse refusal) {
	*to = map[leadroute.Class]int{}
	put := func(path, class string, value json.RawMessage) {
		n := 0
		if json.Unmarshal(value, &n) != nil || n < 1 || n > maxCost {
			refuse(path, fmt.Sprintf("a lead of %s cannot take %s places", class, brief(value)), "", fmt.Sprintf("write a whole number from 1 to %d", maxCost))
			return
		}
		(*to)[leadroute.Class(class)] = n
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		for _, part := range list(text) {
			class, n, ok := strings.Cut(part, "=")
			if !ok {
				refuse(path, "must be prices", strconv.Quote(brief([]byte(part))), writeCost)
				continue
			}
			put(path, strings.TrimSpace(class), json.RawMessage(strings.TrimSpace(n)))
		}
		return
	}
	if err := members(raw, func(class string, value json.RawMessage) { put(path+"/"+Escape(class), class, value) }); err != nil {
		refuse(path, "must be the places that a lead takes, by class", brief(raw), writeCost)
	}
}

// checkTimes checks what the profile says of when the rep is there.
func checkTimes(r *leadroute.Rep, known *Known, report report) {
	if r.Timezone != "" && !knownZone(r.Timezone) {
		report("timezone", fmt.Sprintf("%q is no time zone", r.Timezone), `write an IANA name like "Europe/Berlin" or "UTC", or leave it out`)
	}
	if _, err := time.Parse(time.DateOnly, r.StartedOn); r.StartedOn != "" && err != nil {
		report("started_on", fmt.Sprintf("%q is no day%s", r.StartedOn, leadroute.DayHint(r.StartedOn)), `write a day like "2026-01-14", or leave it out`)
	}
	if known == nil {
		return
	}
	if r.Hours != "" {
		declared("hours", "hours", r.Hours, known.Hours, report)
	}
	for _, name := range r.Holidays {
		declared("holidays", "calendar", name, known.Calendars, report)
	}
	for class := range r.Cost {
		if !slices.Contains(known.Classes, string(class)) {
			declared("cost/"+Escape(string(class)), "priority", string(class), known.Classes, report)
		}
	}
}

// declared reports a name that the policy does not have.
func declared(path, what, name string, names []string, report report) {
	if slices.Contains(names, name) {
		return
	}
	remedy := "the policy declares none: leave it out"
	if len(names) > 0 {
		remedy = "write one of " + strings.Join(slices.Sorted(slices.Values(names)), ", ") + ", or leave it out"
	}
	verb := "is"
	if what == "hours" {
		verb = "are"
	}
	report(path, fmt.Sprintf("no %s %q %s declared", what, name, verb), remedy)
}
