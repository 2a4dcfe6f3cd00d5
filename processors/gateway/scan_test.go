package gateway

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
)

func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{}`, ` { "a" : 1 , "b":[1,{"c":"]}"}], "d\"\\":"\\" } `, `{"a":{"b":{}},"é":null,"":-1.5e3}`, `{"a":1,"a":2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want map[string]json.RawMessage
		if syntax([]byte(s)) != nil || json.Unmarshal([]byte(s), &want) != nil || want == nil {
			t.Skip()
		}
		got := map[string]json.RawMessage{}
		members([]byte(s), func(k, v []byte) { got[string(k)] = v })
		if !reflect.DeepEqual(got, want) {
			t.Errorf("members(%q) = %q, want %q", s, got, want)
		}
	})
}

func FuzzElements(f *testing.F) {
	for _, s := range []string{`[]`, ` [ 1 , "a,]" ,[[]],{"a":[]} ]`, `[null,true]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want []json.RawMessage
		if syntax([]byte(s)) != nil || json.Unmarshal([]byte(s), &want) != nil || want == nil {
			t.Skip()
		}
		got := []json.RawMessage{}
		elements([]byte(s), func(v []byte) { got = append(got, v) })
		if !reflect.DeepEqual(got, want) {
			t.Errorf("elements(%q) = %q, want %q", s, got, want)
		}
	})
}

// FuzzFieldsSurviveTheWire: whatever the door lets in comes out of the log the same.
func FuzzFieldsSurviveTheWire(f *testing.F) {
	for _, s := range []string{`{}`, `{ "a" : "<é\u2028\ud83d\ude00\\\"" , "b":[1e400,-0.0,12345678901234567890] }`, `{"":null,"x":{"y":[[]]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if syntax([]byte(s)) != nil || strings.TrimSpace(s)[0] != '{' {
			t.Skip()
		}
		decode := func(b []byte) (v any) {
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			if err := d.Decode(&v); err != nil {
				t.Fatalf("%q: %v", b, err)
			}
			return v
		}
		b, err := leadroute.Encode(&leadroute.Lead{ID: "l1", Fields: json.RawMessage(s)})
		if err != nil {
			t.Fatal(err)
		}
		l, err := leadroute.Decode[leadroute.Lead](b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := decode(l.Fields), decode([]byte(s)); !reflect.DeepEqual(got, want) {
			t.Errorf("fields %q came back as %q", s, l.Fields)
		}
	})
}

func TestDepth(t *testing.T) {
	for in, want := range map[string]int{`{}`: 1, `{"a":1}`: 1, `{"a":{}}`: 2, `{"a":"{[","b":[[1],{"c":[]}]}`: 4} {
		if got := members([]byte(in), func(_, _ []byte) {}); got != want {
			t.Errorf("depth of %s = %d, want %d", in, got, want)
		}
	}
}
