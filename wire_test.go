package leadroute_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
)

var update = flag.Bool("update", false, "write the goldens in testdata/wire that are absent; a golden that exists is never changed")

// wired is a type that crosses a topic.
type wired struct {
	name   string
	make   func() any
	decode func([]byte) (any, error)
}

func wire[T any](name string) wired {
	return wired{name: name, make: func() any { return new(T) }, decode: func(b []byte) (any, error) { return leadroute.Decode[T](b) }}
}

// wires lists every type that crosses a topic, by the name of its golden.
var wires = []wired{
	wire[leadroute.Lead]("lead"),
	wire[leadroute.LedgerMessage]("ledger_message"),
	wire[leadroute.PoolMessage]("pool_message"),
	wire[leadroute.RepMessage]("rep_message"),
	wire[leadroute.AccountMessage]("account_message"),
	wire[leadroute.IdentityMessage]("identity_message"),
	wire[leadroute.QueueMessage]("queue_message"),
	wire[leadroute.Departure]("departure"),
	wire[leadroute.Timer]("timer"),
	wire[leadroute.LatencyEvent]("latency_event"),
	wire[leadroute.Delivery]("delivery"),
	wire[leadroute.DeadLetter]("dead_letter"),
	wire[leadroute.Notification]("notification"),
	wire[leadroute.Reply]("reply"),
	wire[leadroute.PolicyRecord]("policy_record"),
	wire[leadroute.Account]("account"), // a row of the accounts table, which the ledger reads
}

// fill sets every member, whatever it is.
func fill(v reflect.Value) {
	switch m := v.Addr().Interface().(type) { // those with a form of their own on the wire
	case *leadroute.Shifts:
		*m = leadroute.Shifts{1: {{From: 540, Until: 1050}}}
		return
	case *leadroute.Moment:
		*m = leadroute.Moment{Day: 20261224}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for _, member := range v.Fields() {
			fill(member)
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(1<<63 + 7) // more than a float64 can hold
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Slice:
		switch {
		case v.Type() == reflect.TypeFor[json.RawMessage]():
			v.SetBytes([]byte(`{"company":"Example","tags":["a","b"],"size":250}`))
		case v.Type().Elem().Kind() == reflect.Uint8:
			v.SetBytes([]byte("bytes"))
		default:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), value)
	case reflect.Interface:
		v.Set(reflect.ValueOf("anything"))
	default:
		panic("fill: " + v.Type().String())
	}
}

// empty names the members that are zero.
func empty(v reflect.Value, path string) []string {
	switch {
	case v.Type() == reflect.TypeFor[leadroute.Moment]() && !v.IsZero(): // a day or an instant
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return empty(v.Elem(), path)
	case v.Kind() == reflect.Struct:
		var out []string
		for f, member := range v.Fields() {
			out = append(out, empty(member, path+"."+f.Name)...)
		}
		return out
	case v.IsZero():
		return []string{path}
	}
	return nil
}

// TestWire: what was written once is read for ever. Each golden decodes into a value whose
// members are all set, and that value, encoded, says the same. A new member of a message is
// absent in the old golden: add a golden of today beside it, <name>.2.json, with -update.
func TestWire(t *testing.T) {
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			paths, err := filepath.Glob(filepath.Join("testdata", "wire", w.name+".*json"))
			if err != nil {
				t.Fatal(err)
			}
			full := w.make()
			fill(reflect.ValueOf(full).Elem())
			if missing := empty(reflect.ValueOf(full), w.name); len(missing) > 0 {
				t.Fatalf("fill left %v empty", missing)
			}
			newest := false
			for _, path := range paths {
				newest = checkGolden(t, w, path) || newest
			}
			if newest {
				return
			}
			if !*update {
				t.Fatalf("no golden in testdata/wire has every member of %T: run go test . -run TestWire -update, which adds one", full)
			}
			addGolden(t, w.name, len(paths), full)
		})
	}
}

// checkGolden tells whether the golden has every member of today's type.
func checkGolden(t *testing.T, w wired, path string) bool {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.decode(old)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	again, err := leadroute.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	if d := lost(t, old, again); d != "" {
		t.Errorf("%s is no longer read and written as it was (-old +now):\n%s", path, d)
	}
	return len(empty(reflect.ValueOf(v), w.name)) == 0
}

// lost is the difference between two JSON texts, numbers to the last digit.
func lost(t *testing.T, a, b []byte) string {
	t.Helper()
	read := func(b []byte) any {
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	return cmp.Diff(read(a), read(b))
}

func addGolden(t *testing.T, name string, n int, full any) {
	t.Helper()
	path := filepath.Join("testdata", "wire", name+".json")
	if n > 0 {
		path = filepath.Join("testdata", "wire", name+"."+string(rune('1'+n))+".json")
	}
	b, err := leadroute.Encode(full)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // only ever added
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	t.Logf("added %s", path)
}

// TestWireHasNoStrangers: every golden belongs to a type, so that none rots unread.
func TestWireHasNoStrangers(t *testing.T) {
	paths, err := filepath.Glob("testdata/wire/*")
	if err != nil || len(paths) < len(wires) {
		t.Fatalf("testdata/wire holds %d files (%v), want at least %d", len(paths), err, len(wires))
	}
	for _, path := range paths {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		known := false
		for _, w := range wires {
			known = known || w.name == name
		}
		if !known {
			t.Errorf("%s is the golden of no type", path)
		}
	}
}

// TestUnknownMembersAreIgnored: an older instance reads a newer one's message.
func TestUnknownMembersAreIgnored(t *testing.T) {
	for _, w := range wires {
		v, err := w.decode([]byte(`{"a_member_of_tomorrow":{"deep":[1,2,{"x":null}]},"another":"text"}`))
		if err != nil || !reflect.ValueOf(v).Elem().IsZero() {
			t.Errorf("Decode(%s of tomorrow) = %+v, %v, want an empty one", w.name, v, err)
		}
	}
}

// FuzzDecode: whatever bytes come from a topic, Decode answers with a value or an error,
// and a value survives being written and read once more.
func FuzzDecode(f *testing.F) {
	paths, err := filepath.Glob("testdata/wire/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	for _, s := range []string{``, `null`, `[]`, `0`, `"`, `{"fields":`, `{"rev":1e999}`, `{"rev":"1"}`, `{"admitted":{"lead":{"fields":{"a":{"b":[`, "{\"id\":\"\xff\"}", `{"attrs":{"a":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, w := range wires {
			v, err := w.decode(b)
			if err != nil {
				continue
			}
			once, err := leadroute.Encode(v)
			if err != nil {
				continue // fields that are no JSON: the stage says so, and buries the message
			}
			again, err := w.decode(once)
			if err != nil {
				t.Fatalf("%s: %q was read, written as %s, and not read again: %v", w.name, b, once, err)
			}
			if twice, err := leadroute.Encode(again); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%s: %q was written as %s and then as %s, %v", w.name, b, once, twice, err)
			}
		}
	})
}
