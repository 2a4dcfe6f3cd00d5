package policytest

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The elements of JUnit's report, as the servers that read it know them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the results as a JUnit report, a suite for each kind.
func WriteJUnit(w io.Writer, results []Result) error {
	out := junitSuites{Tests: len(results)}
	for _, kind := range []Kind{KindTest, KindScenario, KindInvariant} {
		s := junitSuite{Name: string(kind)}
		for _, r := range results {
			if r.Kind != kind {
				continue
			}
			c := junitCase{Name: r.Name, Class: string(kind), File: r.File, Line: r.Line}
			if r.Failed() {
				lines := make([]string, len(r.Wrong))
				for i, d := range r.Wrong {
					lines[i] = d.String()
				}
				c.Failure = &junitFailure{
					Message: lines[0], Type: "difference",
					Text: fmt.Sprintf("%s:%d\n%s\n", r.File, r.Line, strings.Join(slices.Concat(lines, r.Timeline), "\n")),
				}
				s.Failures++
			}
			s.Tests++
			s.Cases = append(s.Cases, c)
		}
		if s.Tests > 0 {
			out.Suites = append(out.Suites, s)
			out.Failures += s.Failures
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
