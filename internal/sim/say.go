package sim

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// The trace: one line a step, in words. What is said of rows and messages follows their
// types, so that a new member of either shows without a line here.

// note adds to the line of this step.
func (w *World) note(format string, args ...any) {
	if w.opt.Trace {
		w.line = append(w.line, fmt.Sprintf(format, args...))
	}
}

// drainLines is of how many of the first and of the last steps of its drain a world tells: one
// that never comes to rest goes round in circles.
const drainLines = 500

// endLine ends the line of this step, if there is anything to be said.
func (w *World) endLine() {
	if len(w.line) > 0 {
		line := fmt.Sprintf("%6d %12s  %s", w.steps, time.Duration(w.now-start)*time.Millisecond, strings.Join(w.line, "; "))
		if w.busy == 0 || w.steps < w.busy+drainLines {
			w.trace = append(w.trace, line)
		} else if w.late = append(w.late, line); len(w.late) > drainLines {
			w.late = w.late[1:]
		}
	}
	w.line = w.line[:0]
}

// toldSteps is the whole trace.
func (w *World) toldSteps() []string { return append(w.trace, w.late...) }

// quiet are members that say nothing to who reads a trace.
var quiet = map[string]bool{
	"Trail": true, "Fields": true, "Seen": true, "Recent": true, "Receipt": true, "Last": true, "Version": true, "Payload": true,
	"EmittedAt": true, "ReceivedAt": true, "Received": true, "SinceEmit": true, "SincePrev": true, "Zone": true, "Decision": true,
}

// brief says a value in words: what is not zero, by name where that is not obvious.
func brief(v any) string { return briefly(reflect.ValueOf(v)) }

func briefly(v reflect.Value) string {
	if !v.IsValid() || v.Kind() != reflect.Struct && v.IsZero() {
		return ""
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case leadroute.Millis:
			return "@" + (time.Duration(x-start) * time.Millisecond).String()
		case fmt.Stringer:
			return x.String()
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return briefly(v.Elem())
	case reflect.Struct:
		var said []string
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case !f.IsExported() || quiet[f.Name]:
			case f.Anonymous:
				said = append(said, briefly(v.Field(i)))
			default:
				said = append(said, named(f.Name, v.Field(i)))
			}
		}
		return strings.Join(slices.DeleteFunc(said, empty), " ")
	case reflect.Slice, reflect.Array:
		var said []string
		for i := range v.Len() {
			said = append(said, briefly(v.Index(i)))
		}
		return "[" + strings.Join(said, ", ") + "]"
	case reflect.Map:
		var said []string
		for _, k := range v.MapKeys() {
			said = append(said, briefly(k)+": "+briefly(v.MapIndex(k)))
		}
		slices.Sort(said)
		return "[" + strings.Join(said, ", ") + "]"
	case reflect.Func:
		return "set"
	case reflect.String:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// named says a member: its name alone if it is true, nothing if it is zero.
func named(name string, v reflect.Value) string {
	said := briefly(v)
	name = strings.ToLower(name)
	switch {
	case v.Kind() == reflect.Bool && said != "", v.Kind() == reflect.Pointer && !v.IsNil() && said == "":
		return name
	case said == "":
		return ""
	case strings.Contains(said, " ") && said[0] != '[':
		return name + " (" + said + ")"
	}
	return name + " " + said
}

func empty(s string) bool { return s == "" }

// differences says what of a row is not what it was; nil is no row.
func differences[S any](was, is *S) string {
	switch {
	case is == nil:
		return "row goes"
	case was == nil:
		was = new(S)
	}
	a, b := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	var said []string
	for i := range a.NumField() {
		f := a.Type().Field(i)
		from, to := briefly(a.Field(i)), briefly(b.Field(i))
		switch {
		case !f.IsExported() || quiet[f.Name] || from == to:
		case from == "":
			said = append(said, strings.ToLower(f.Name)+" "+to)
		case to == "":
			said = append(said, "no "+strings.ToLower(f.Name))
		default:
			said = append(said, strings.ToLower(f.Name)+" "+from+" → "+to)
		}
	}
	return strings.Join(said, ", ")
}

// describe says a message on its way.
func describe(to leadroute.Topic, key string, v any) string {
	switch m := v.(type) {
	case *leadroute.LatencyEvent:
		return "event " + strings.TrimSpace(string(m.Step)+" "+m.Reason)
	case *leadroute.Delivery:
		return fmt.Sprintf("delivery of %s/%d to %s, attempt %d", m.Lead, m.Rev, m.Destination, m.Attempt)
	case *leadroute.Timer:
		return fmt.Sprintf("timer %s due %s", m.Key(), brief(m.Due))
	case *leadroute.Departure:
		return "departure"
	case nil:
		return fmt.Sprintf("no %s %s", strings.TrimSuffix(string(to), "s"), key)
	default:
		return fmt.Sprintf("%s %s: %s", to, key, brief(v))
	}
}

// String is "i1 ledger/0".
func (o *owner) String() string {
	return o.by.name + " " + string(o.stage.name) + "/" + strconv.Itoa(slices.Index(o.stage.parts, o.part))
}

// about says what world it is.
func (w *World) about() []string {
	said := []string{"world: " + brief(w.opt)}
	for _, p := range w.plans {
		said = append(said, fmt.Sprintf("policy %s: %s", p.ID, brief(p.Classes)))
		for _, name := range slices.Sorted(maps.Keys(p.Pools)) {
			said = append(said, "  pool "+brief(p.Pools[name]))
		}
		for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
			said = append(said, "  queue "+brief(p.Queues[name]))
		}
		said = append(said, "  destinations "+brief(p.Destinations))
	}
	return said
}
