package dsl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Diagnostic is one problem of a policy. Lines and columns count from 1; a column is a
// character, not a byte, and EndColumn is the first one behind the cause.
type Diagnostic struct {
	ID        string `json:"id"`
	Slug      string `json:"slug"`
	Severity  string `json:"severity"` // error or warning
	Summary   string `json:"summary"`
	Detail    string `json:"detail"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Help      string `json:"help"` // what such a finding means, in one paragraph
	Link      string `json:"link"` // its page

	// Lead is one that shows what the diagnostic says, if there is such a lead.
	Lead json.RawMessage `json:"lead,omitempty"`

	text string // the line of the source, to be shown
}

// The severities.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
)

// Diagnostics are the problems of one policy, in the order of the source.
type Diagnostics []Diagnostic

// HasErrors tells whether one of them is an error.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == SeverityError })
}

// Count returns how many are errors and how many warnings.
func (ds Diagnostics) Count() (errs, warnings int) {
	for _, d := range ds {
		if d.Severity == SeverityError {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

// Error makes an error of the diagnostics: the first one, and how many more there are.
// It is nil when there is no error among them.
func (ds Diagnostics) Error() error {
	errs, _ := ds.Count()
	i := slices.IndexFunc(ds, func(d Diagnostic) bool { return d.Severity == SeverityError })
	if i < 0 {
		return nil
	}
	more := ""
	if errs > 1 {
		more = fmt.Sprintf(" (and %d more: run leadroute validate)", errs-1)
	}
	d := ds[i]
	if d.File == "" {
		return fmt.Errorf("%s: %s%s", strings.ToLower(d.Summary), d.Detail, more)
	}
	return fmt.Errorf("%s:%d,%d: %s: %s%s", d.File, d.Line, d.Column, d.Summary, d.Detail, more)
}

// told is a kind of problem at a place.
type told struct {
	id, file     string
	line, column int
}

// report adds a diagnostic whose cause is rng. A second one of the same kind at the same
// place is dropped: one mistake is told once.
func (c *compiler) report(f Finding, rng hcl.Range, format string, args ...any) {
	t := c.tableFile[rng.Filename]
	if t != nil {
		if t.faults++; t.faults > maxTableFaults {
			return
		}
		rng = t.locate(rng)
	}
	d := c.diagnostic(f, rng, fmt.Sprintf(format, args...))
	if f.ID != syntaxError.ID && c.garbled(rng, f.Warning) {
		return
	}
	if t != nil && t.faults == maxTableFaults {
		d.Detail += " What is wrong in the rows behind it is not shown."
	}
	if f.Warning && c.ignored(f, rng.Filename, rng.Start.Line) {
		return
	}
	if k := (told{d.ID, d.File, d.Line, d.Column}); !c.told[k] {
		c.told[k] = true
		c.diags = append(c.diags, d)
	}
}

// linesOf are the lines of a file of the policy, a table's included.
func (c *compiler) linesOf(name string) []string {
	if t := c.tableFile[name]; t != nil {
		return t.lines
	}
	return c.lines[name]
}

func (c *compiler) diagnostic(f Finding, rng hcl.Range, detail string) Diagnostic {
	d := Diagnostic{
		ID: f.ID, Slug: f.Slug, Severity: SeverityError, Summary: f.Summary, Detail: detail,
		File: rng.Filename, Line: rng.Start.Line, Column: rng.Start.Column, EndLine: rng.End.Line, EndColumn: rng.End.Column,
		Help: f.Explain, Link: f.Link(),
	}
	if f.Warning {
		d.Severity = SeverityWarning
	}
	if lines, i := c.linesOf(rng.Filename), rng.Start.Line-1; i >= 0 && i < len(lines) {
		d.text = lines[i]
	}
	return d
}

// garbled tells whether what stands in the line was not read as it was meant, so that
// what follows from it is not worth telling.
func (c *compiler) garbled(rng hcl.Range, warning bool) bool {
	if slices.Contains(c.broken[rng.Filename], rng.Start.Line) {
		return true
	}
	return warning && c.hasWithin(rng, syntaxError)
}

// Sort puts them in the order of the source.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
