package policytest

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// mostParts is how many parts with gaps the text lists; a table may have thousands of rows.
const mostParts = 50

// WriteCoverage writes what the tests left out, and the sums.
func WriteCoverage(w io.Writer, c *plan.CoverageReport) error {
	var b strings.Builder
	shown := 0
	for i := range c.Parts {
		p := &c.Parts[i]
		if p.Covered {
			continue
		}
		if shown++; shown > mostParts {
			continue
		}
		if p.Taken == 0 {
			fmt.Fprintf(&b, "  %s %s is never taken\n", p.Kind, p.Name)
		} else {
			fmt.Fprintf(&b, "  %s %s\n", p.Kind, p.Name)
		}
		for _, a := range p.Atoms {
			if gap := atomGap(a); gap != "" {
				fmt.Fprintf(&b, "      %s %s\n", a.Test, gap)
			}
		}
		for _, t := range p.Branches {
			if t.Taken == 0 && p.Taken > 0 {
				fmt.Fprintf(&b, "      target %s is never offered\n", t.To)
			}
		}
	}
	if shown > mostParts {
		fmt.Fprintf(&b, "  ... and %d more\n", shown-mostParts)
	}
	fmt.Fprintf(&b, "coverage: rules %s, conditions both ways %s, targets %s\n", tally(c.Rules), tally(c.Atoms), tally(c.Branches))
	_, err := io.WriteString(w, b.String())
	return err
}

func tally(t plan.Tally) string { return fmt.Sprintf("%d/%d (%.0f%%)", t.Covered, t.Of, t.Percent()) }

// atomGap says which way an atom was never seen, "" if both were.
func atomGap(a plan.CoveredAtom) string {
	switch {
	case a.Both():
		return ""
	case a.True > 0 && a.Undecided > 0:
		return "is never false, only undecided where its field is missing"
	case a.True > 0:
		return "is never false"
	case a.False > 0:
		return "is never true"
	case a.Undecided > 0:
		return "is only ever undecided: its field is missing"
	default:
		return "is never asked"
	}
}

//go:embed coverage.html
var coveragePage string

var page = template.Must(template.New("coverage").Parse(coveragePage))

// line is a line of the page.
type line struct {
	Number int
	Class  string // full, part, none, or "" where nothing is to be covered
	Title  string
	Spans  []markedText
}

// markedText is a piece of a line, marked if Class is set.
type markedText struct{ Class, Title, Text string }

// WriteCoverageHTML writes a page of its own with the policy's source, marked.
func WriteCoverageHTML(w io.Writer, p *dsl.Policy, c *plan.CoverageReport) error {
	type file struct {
		Name  string
		Lines []line
	}
	type sum struct{ Name, Value string }
	v := struct {
		Name  string
		Sums  []sum
		Files []file
		Rest  []plan.CoveredPart
	}{Name: cmp.Or(p.Plan.Name, "policy"), Sums: []sum{{"rules", tally(c.Rules)}, {"conditions, both ways", tally(c.Atoms)}, {"targets", tally(c.Branches)}}}
	var names []string
	for name := range p.Source {
		if filepath.Ext(name) == ".hcl" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		f := file{Name: name}
		for i, text := range strings.Split(strings.TrimRight(string(p.Source[name]), "\n"), "\n") {
			f.Lines = append(f.Lines, line{Number: i + 1, Spans: []markedText{{Text: text}}})
		}
		for i := range c.Parts {
			part := &c.Parts[i]
			if at, ok := p.Where[part.Kind+" "+part.Name]; ok && filepath.Base(at.File) == name && at.End <= len(f.Lines) {
				mark(f.Lines[at.Line-1:at.End], part)
			}
		}
		v.Files = append(v.Files, f)
	}
	for i := range c.Parts {
		if part := c.Parts[i]; !part.Covered && p.Where[part.Kind+" "+part.Name].Line == 0 {
			v.Rest = append(v.Rest, part) // the rows of a table
		}
	}
	return page.Execute(w, v)
}

// mark marks the lines of one part's block.
func mark(lines []line, p *plan.CoveredPart) {
	class, title := "full", fmt.Sprintf("taken %d times", p.Taken)
	switch {
	case p.Disabled:
		class, title = "", "disabled"
	case p.Taken == 0:
		class, title = "none", "never taken"
	case !p.Covered:
		class = "part"
	}
	for i := range lines {
		lines[i].Class, lines[i].Title = class, title
	}
	for _, a := range p.Atoms {
		class, title := "full", fmt.Sprintf("true %d times, false %d times", a.True, a.False)
		if gap := atomGap(a); gap != "" {
			class, title = "gap", gap
		}
		markText(lines, a.Test, markedText{Class: class, Title: title})
	}
	for _, t := range p.Branches {
		class, title := "full", fmt.Sprintf("offered %d times", t.Taken)
		if t.Taken == 0 {
			class, title = "gap", "never offered"
		}
		markText(lines, t.To, markedText{Class: class, Title: title})
	}
}

// markText marks the first place of the text that is not marked yet. A text that stands on
// several lines is not found, and its block's colour must do.
func markText(lines []line, text string, m markedText) {
	for i := range lines {
		for j, s := range lines[i].Spans {
			before, after, found := strings.Cut(s.Text, text)
			if s.Class != "" || !found {
				continue
			}
			m.Text = text
			lines[i].Spans = slices.Replace(lines[i].Spans, j, j+1, markedText{Text: before}, m, markedText{Text: after})
			return
		}
	}
}
