package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll returns the leads of a file, "long" for one that is too long, and the error that ended it.
func readAll(content string) (leads []string, err error) {
	r := newLeadReader(iotest.OneByteReader(strings.NewReader(content)), "leads")
	for {
		lead, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return leads, nil
		case err != nil:
			return leads, err
		case lead == nil:
			leads = append(leads, "long")
		default:
			leads = append(leads, string(lead))
		}
	}
}

func TestLeadReaderCutsEveryForm(t *testing.T) {
	two := []string{`{"a":1}`, `{"b":"x y"}`}
	long := `{"a":"` + strings.Repeat("x", maxLead) + `"}`
	for _, c := range []struct {
		content string
		want    []string
		err     string
	}{
		{"[{\"a\": 1}, {\"b\":\n \"x y\"}]\n", two, ""},
		{`[{"a":1},{"b":"x y"}]`, two, ""},
		{"\ufeff \n{\"a\":1}\r\n\r\n{\"b\":\"x y\"}", two, ""},
		{"{\n\"a\":1\n}\n{\"b\":\"x y\"\n}\n", two, ""},
		{"{\"a\":1}\n{broken\nnonsense\n", []string{`{"a":1}`, "{broken", "nonsense"}, ""},
		{"{\"a\":1\nnonsense\n{\"a\":1}\n", []string{`{"a":1`, "nonsense", `{"a":1}`}, ""},
		{"nonsense\n", []string{"nonsense"}, ""},
		{"", nil, ""},
		{" \n\n", nil, ""},
		{"[]", nil, ""},
		{long + "\n{\"a\":1}\n", []string{"long", `{"a":1}`}, ""},
		{"[" + long + `,{"a":1}]`, []string{"long", `{"a":1}`}, ""},
		{`[{"a":1},`, []string{`{"a":1}`}, "leads ends in the middle of a lead or of its array"},
		{`[{"a":1}`, []string{`{"a":1}`}, "leads ends in the middle of a lead or of its array"},
		{`[{"a":1} x]`, []string{`{"a":1}`}, "leads is not valid JSON near byte 9"},
		{`[{"a":1}]{"b":2}`, []string{`{"a":1}`}, "leads goes on after the array's end at byte 10"},
	} {
		got, err := readAll(c.content)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("leads of %.40q = %.60q, %v, want %.60q, %q", c.content, got, err, c.want, c.err)
		}
	}
}

func TestLeadReaderPassesOnABrokenFile(t *testing.T) {
	r := newLeadReader(iotest.ErrReader(fmt.Errorf("disk gone")), "-")
	if _, err := r.next(); err == nil || err.Error() != "read standard input: disk gone" {
		t.Errorf("next = %v, want what the disk said", err)
	}
}
