package gateway

import (
	"encoding/json"
	"reflect"
	"testing"
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

func TestDepth(t *testing.T) {
	for in, want := range map[string]int{`{}`: 1, `{"a":1}`: 1, `{"a":{}}`: 2, `{"a":"{[","b":[[1],{"c":[]}]}`: 4} {
		if got := members([]byte(in), func(_, _ []byte) {}); got != want {
			t.Errorf("depth of %s = %d, want %d", in, got, want)
		}
	}
}
