package dsl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/leadroute/leadroute/dsl/plan"
)

// width is how far the text form reaches to the right.
const width = 88

// WriteText writes the diagnostics for people, in plain text: where, what, the line
// with a caret under the cause, and what to write instead.
func (ds Diagnostics) WriteText(w io.Writer) error {
	var b bytes.Buffer
	for i, d := range ds {
		if i > 0 {
			b.WriteByte('\n')
		}
		d.write(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (d Diagnostic) write(b *bytes.Buffer) {
	head := d.Summary
	if d.Severity == SeverityWarning {
		head = "warning: " + head
	}
	if d.File != "" {
		head = d.place() + ": " + head
	}
	fmt.Fprintf(b, "%s%s%s\n", head, strings.Repeat(" ", max(2, width-len(d.ID)-utf8.RuneCountInString(head))), d.ID)
	if d.Line > 0 && d.text != "" {
		number := fmt.Sprintf("%5d", d.Line)
		fmt.Fprintf(b, "%s | %s\n", number, strings.TrimRight(d.text, "\r"))
		fmt.Fprintf(b, "%s | %s\n", strings.Repeat(" ", len(number)), d.carets())
	}
	for _, line := range wrap(d.Detail, width-2) {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// place is file:line,from-to; the end column is left out where the cause spans lines.
func (d Diagnostic) place() string {
	if d.EndLine != d.Line || d.EndColumn <= d.Column {
		return fmt.Sprintf("%s:%d,%d", d.File, d.Line, d.Column)
	}
	return fmt.Sprintf("%s:%d,%d-%d", d.File, d.Line, d.Column, d.EndColumn)
}

// carets underlines the cause; tabs are kept, so that the carets stand under it in
// every terminal.
func (d Diagnostic) carets() string {
	line := []rune(strings.TrimRight(d.text, "\r"))
	var b strings.Builder
	for i := 0; i < d.Column-1 && i < len(line); i++ {
		if line[i] == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	n := d.EndColumn - d.Column
	if d.EndLine != d.Line {
		n = len(line) - d.Column + 1
	}
	b.WriteString(strings.Repeat("^", max(1, n)))
	return b.String()
}

// wrap breaks a text into lines of at most n characters, at blanks.
func wrap(s string, n int) []string {
	var lines []string
	for para := range strings.SplitSeq(s, "\n") {
		line := ""
		for word := range strings.FieldsSeq(para) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > n {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}

// WriteJSON writes the diagnostics for programs: one object with the list and the counts,
// and what the policy says and this version does not act on.
func (ds Diagnostics) WriteJSON(w io.Writer, inactive []plan.Inactive) error {
	errs, warnings := ds.Count()
	if ds == nil {
		ds = Diagnostics{}
	}
	if inactive == nil {
		inactive = []plan.Inactive{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Errors      int             `json:"errors"`
		Warnings    int             `json:"warnings"`
		Diagnostics Diagnostics     `json:"diagnostics"`
		Inactive    []plan.Inactive `json:"inactive"`
	}{errs, warnings, ds, inactive})
}
