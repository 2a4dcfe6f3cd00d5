package leadroute

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Shifts are spans of the wall clock by weekday, in order and apart from each other. On the
// wire they are one object, {"mon-fri":"09:00-12:00,13:00-17:30"}: days that have the same
// spans stand together.
type Shifts [7][]Span // by time.Weekday

// Span is a half-open part of a local day, in minutes since its midnight: [From, Until).
type Span struct{ From, Until int }

// String is "09:00-17:30".
func (s Span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.Until/60, s.Until%60)
}

// IsZero tells that there are none.
func (w Shifts) IsZero() bool {
	for _, day := range w {
		if len(day) > 0 {
			return false
		}
	}
	return true
}

// Add puts a span into a day, unless it overlaps another one of the day.
func (w *Shifts) Add(day time.Weekday, s Span) bool {
	at := len(w[day])
	for i, o := range w[day] {
		if s.From < o.Until && o.From < s.Until {
			return false
		}
		if s.From < o.From {
			at = min(at, i)
		}
	}
	w[day] = slices.Insert(slices.Clone(w[day]), at, s) // days may share their spans
	return true
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// each calls yield with each group of days that have the same spans, from Monday on.
func (w *Shifts) each(yield func(days string, spans []Span)) {
	for i := 1; i <= 7; {
		j, spans := i, w[i%7]
		for j < 7 && slices.Equal(w[(j+1)%7], spans) {
			j++
		}
		if len(spans) > 0 {
			days := weekdays[i%7]
			if j > i {
				days += "-" + weekdays[j%7]
			}
			yield(days, spans)
		}
		i = j + 1
	}
}

func spanList(spans []Span) string {
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = s.String()
	}
	return strings.Join(texts, ",")
}

// String is "mon-fri 09:00-17:30; sat 10:00-14:00", as a table's cell has it.
func (w Shifts) String() string {
	var parts []string
	w.each(func(days string, spans []Span) { parts = append(parts, days+" "+spanList(spans)) })
	return strings.Join(parts, "; ")
}

// MarshalJSON writes the one form.
func (w Shifts) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	w.each(func(days string, spans []Span) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"`+days+`":"`+spanList(spans)+`"`...)
	})
	return append(b, '}'), nil
}

// UnmarshalJSON reads it, in any order.
func (w *Shifts) UnmarshalJSON(b []byte) error {
	var members map[string]string
	if err := json.Unmarshal(b, &members); err != nil {
		return fmt.Errorf("shifts: %w", err)
	}
	*w = Shifts{}
	for days, spans := range members {
		if err := w.Put(days, spans); err != nil {
			return err
		}
	}
	return nil
}

// The parts of a ShiftError.
const (
	BadDays      = "days"
	BadSpan      = "span"
	SpansOverlap = "overlap"
)

// ShiftError is why something is no shift.
type ShiftError struct {
	Part string // BadDays, BadSpan or SpansOverlap
	Text string // what it is about
	Why  string // as the rest of a sentence; may be empty
}

// Error is one sentence.
func (e *ShiftError) Error() string {
	switch e.Part {
	case BadDays:
		return fmt.Sprintf("%q is no day", e.Text)
	case BadSpan:
		return fmt.Sprintf("%q is no shift: %s", e.Text, e.Why)
	}
	return fmt.Sprintf("%s overlaps with another shift of %s", e.Text, e.Why)
}

// Put adds "09:00-12:00, 13:00-17:30" to the days "mon-fri" or "mon,wed,fri". The error is
// a *ShiftError.
func (w *Shifts) Put(days, spans string) error {
	on, err := ParseDays(days)
	if err != nil {
		return err
	}
	for text := range strings.SplitSeq(spans, ",") {
		s, err := ParseSpan(text)
		if err != nil {
			return err
		}
		for _, d := range on {
			if !w.Add(d, s) {
				return &ShiftError{SpansOverlap, s.String(), weekdays[d]}
			}
		}
	}
	return nil
}

// ParseDays reads "mon", "mon-fri" and "mon,wed,fri". The error is a *ShiftError.
func ParseDays(s string) ([]time.Weekday, error) {
	var days []time.Weekday
	for part := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "-")
		a := slices.Index(weekdays[:], strings.TrimSpace(from))
		b := a
		if ranged {
			b = slices.Index(weekdays[:], strings.TrimSpace(to))
		}
		if a < 0 || b < 0 {
			return nil, &ShiftError{Part: BadDays, Text: strings.TrimSpace(part)}
		}
		for d := a; ; d = (d + 1) % 7 {
			days = append(days, time.Weekday(d))
			if d == b {
				break
			}
		}
	}
	return days, nil
}

// ParseSpan reads "09:00-17:30"; 24:00 is the day's end. The error is a *ShiftError.
func ParseSpan(s string) (Span, error) {
	s = strings.TrimSpace(s)
	bad := func(why string) (Span, error) { return Span{}, &ShiftError{BadSpan, s, why} }
	from, until, ok := strings.Cut(s, "-")
	if !ok {
		return bad("no dash")
	}
	a, ok := ParseClock(from)
	if !ok {
		return bad(strconv.Quote(strings.TrimSpace(from)) + " is no time of day")
	}
	b, ok := ParseClock(until)
	if !ok {
		return bad(strconv.Quote(strings.TrimSpace(until)) + " is no time of day")
	}
	if a >= b {
		return bad("they end before they begin")
	}
	return Span{From: a, Until: b}, nil
}

// ParseClock reads 09:00 as minutes; 24:00 is the day's end.
func ParseClock(s string) (minutes int, ok bool) {
	hh, mm, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, err1 := strconv.Atoi(hh)
	m, err2 := strconv.Atoi(mm)
	if !ok || err1 != nil || err2 != nil || len(mm) != 2 || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, false
	}
	return h*60 + m, true
}
