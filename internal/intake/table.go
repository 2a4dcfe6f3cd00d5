// Package intake reads the rows that people bring for the tables of reps and of accounts,
// as JSON, NDJSON or CSV, and says everything that is wrong with them, in one go, with the
// place and what to write instead. It writes nothing: that is up to the API (views), to
// the topics of others (feeds) and, before the API, to the commands, which read the files.
package intake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
)

// Fault is one thing wrong with one record.
type Fault struct {
	Record  int    // index of the record, from 0
	Pointer string // JSON pointer into the record; "" is the record itself
	Message string
	// Given is the value that cannot be, "" where the message says it or there is none.
	Given  string
	Remedy string
}

// Said is the message with the value that cannot be. Where it goes further than to who
// brought the record, use Message: the value may be personal.
func (f *Fault) Said() string {
	if f.Given == "" {
		return f.Message
	}
	return f.Message + ", not " + f.Given
}

// Table is one kind of row.
type Table[T any] struct {
	name   string // of one row: "rep"
	fields []field[T]
	finish func(*T)         // puts the row into its one form
	key    func(*T) string  // rows of one import must differ in it
	keyAt  string           // where the key stands
	check  func(*T, report) // what a well-formed row may still have wrong
}

// field is one member of a record: its path, and a pointer to where its value goes, one
// of *string, *[]string, *float64, *int, *map[string]any and those with a form of their own (see read).
type field[T any] struct {
	path string // "caps/open"
	at   func(*T) any
}

// report takes a fault of the record in hand, refusal one of a value that cannot be.
type (
	report  func(path, message, remedy string)
	refusal func(path, message, given, remedy string)
)

// Read reads one JSON object per record. The rows are complete only if there are no faults.
func (t *Table[T]) Read(records []json.RawMessage) (rows []T, faults []Fault) {
	return t.Reading().Read(records)
}

// Reading reads the records of one table in parts: rows of all parts must differ in their key.
type Reading[T any] struct {
	t     *Table[T]
	first map[string]int // record by key
	read  int            // records before the part in hand
}

// Reading begins to read records in parts.
func (t *Table[T]) Reading() *Reading[T] { return &Reading[T]{t: t, first: map[string]int{}} }

// Read reads a part. Faults name records by their place in it.
func (in *Reading[T]) Read(records []json.RawMessage) (rows []T, faults []Fault) {
	t, first := in.t, in.first
	defer func() { in.read += len(records) }()
	rows = make([]T, len(records))
	for i, raw := range records {
		before := len(faults)
		refuse := func(path, message, given, remedy string) {
			if path != "" {
				path = "/" + path
			}
			faults = append(faults, Fault{i, path, message, given, remedy})
		}
		report := func(path, message, remedy string) { refuse(path, message, "", remedy) }
		row := &rows[i]
		t.object(row, "", raw, refuse)
		if len(faults) > before {
			continue // what is missing or odd beyond that is not worth telling yet
		}
		t.finish(row)
		t.check(row, report)
		key := t.key(row)
		if key == "" || len(faults) > before {
			continue
		}
		if j, twice := first[key]; twice {
			report(t.keyAt, fmt.Sprintf("%s %q was there before, as record %d", t.name, key, j+1), "keep one of the two")
			continue
		}
		first[key] = in.read + i
	}
	return rows, faults
}

// object reads the members of one object; prefix is "" or ends in a slash.
func (t *Table[T]) object(row *T, prefix string, raw json.RawMessage, refuse refusal) {
	err := members(raw, func(name string, value json.RawMessage) {
		path := prefix + Escape(name)
		f, within := t.find(path)
		switch {
		case string(value) == "null": // as good as absent
		case f != nil:
			read(f.at(row), path, value, refuse)
		case within:
			t.object(row, path+"/", value, refuse)
		default:
			refuse(path, fmt.Sprintf("a %s has no member %q", t.name, name), "", "put it under attrs, or write one of "+t.members(prefix))
		}
	})
	if err != nil {
		refuse(strings.TrimSuffix(prefix, "/"), "must be a JSON object", brief(raw), "write it in braces")
	}
}

// read stores a value, or tells what is wrong with it.
func read(at any, path string, value json.RawMessage, refuse refusal) {
	switch at := at.(type) {
	case *leadroute.Shifts:
		readShifts(at, path, value, refuse)
	case *[]leadroute.Away:
		readAways(at, path, value, refuse)
	case *map[leadroute.Class]int:
		readCost(at, path, value, refuse)
	default:
		if want := put(at, value); want != nil {
			refuse(path, "must be "+want.kind, brief(value), "write it like "+want.example+", or leave it out")
		}
	}
}

// find returns the field at path; within is true if there are fields below it.
func (t *Table[T]) find(path string) (f *field[T], within bool) {
	for i := range t.fields {
		if t.fields[i].path == path {
			return &t.fields[i], false
		}
		within = within || strings.HasPrefix(t.fields[i].path, path+"/")
	}
	return nil, within
}

// members lists the names that may stand below prefix.
func (t *Table[T]) members(prefix string) string {
	var names []string
	for _, f := range t.fields {
		rest, ok := strings.CutPrefix(f.path, prefix)
		name, _, _ := strings.Cut(rest, "/")
		if ok && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// members calls yield for each member of an object, in order.
func members(raw json.RawMessage, yield func(name string, value json.RawMessage)) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("no object: %w", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		yield(name.(string), value) //nolint:forcetypeassert // a member's name
	}
	return nil
}

// wanted says what a value should have been.
type wanted struct{ kind, example string }

// put stores a value, or says what it should have been.
func put(at any, value json.RawMessage) *wanted {
	if json.Unmarshal(value, at) == nil {
		return nil
	}
	switch at.(type) {
	case *string:
		return &wanted{"a text", `"emea"`}
	case *[]string:
		return &wanted{"a list of texts", `["german", "french"]`}
	case *float64:
		return &wanted{"a number", "1.5"}
	case *int:
		return &wanted{"a whole number", "30"}
	}
	return &wanted{"an object", `{"tier": "gold"}`}
}

// brief shows a value that cannot be; a long one is cut.
func brief(value json.RawMessage) string {
	const most = 40
	s := []rune(strings.TrimSpace(string(value)))
	if len(s) > most {
		return string(s[:most]) + "..."
	}
	return string(s)
}

// Escape writes a name as part of a JSON pointer (RFC 6901).
// Escape writes a name as part of a JSON pointer (RFC 6901).
func Escape(name string) string { return pointerEscapes.Replace(name) }

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// checkAttrs allows what conditions can read.
func checkAttrs(attrs map[string]any, report report) {
	for _, name := range sorted(attrs) {
		ok := false
		switch v := attrs[name].(type) {
		case nil, string, float64, bool:
			ok = name != ""
		case []any:
			ok = true
			for _, one := range v {
				_, text := one.(string)
				ok = ok && text
			}
		}
		if !ok {
			report("attrs/"+Escape(name), "an attribute is a text, a number, true, false or a list of texts, under a name",
				"write a nested one flat, like "+strconv.Quote("deal.stage"))
		}
	}
}
