package reference

import (
	"fmt"
	"strings"

	"github.com/leadroute/leadroute/dsl"
)

const diagnosticsMark = "<!-- Written by \"make docs\" from the findings that the compiler knows. Do not edit. -->\n"

// DiagnosticPages are a page for each finding and an index, by file name.
func DiagnosticPages() map[string]string {
	pages := map[string]string{}
	var index strings.Builder
	index.WriteString("# What leadroute says about policies\n\n" + diagnosticsMark + `
Errors keep a policy from running. Warnings do not; one that is meant so is silenced on its line or the one
before, with a reason:

    # leadroute:ignore LR024 the floor asked for it

| id | name | | |
|---|---|---|---|
`)
	for _, f := range dsl.Findings {
		pages[f.ID+".md"] = diagnosticPage(f)
		fmt.Fprintf(&index, "| [%s](%s.md) | %s | %s | %s |\n", f.ID, f.ID, f.Slug, kind(f), cell(f.Summary))
	}
	pages["README.md"] = index.String()
	return pages
}

func kind(f dsl.Finding) string {
	if f.Warning {
		return "warning"
	}
	return "error"
}

func diagnosticPage(f dsl.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n%s\n%s, `%s`\n\n%s\n\n", f.ID, f.Summary, diagnosticsMark, strings.ToUpper(kind(f)[:1])+kind(f)[1:], f.Slug, f.Explain)
	fmt.Fprintf(&b, "Instead of\n\n%s\nwrite\n\n%s\n", indented(f.Bad), indented(f.Good))
	if f.Warning {
		fmt.Fprintf(&b, "If it is meant so, silence it with a reason:\n\n    # leadroute:ignore %s why it is meant so\n", f.ID)
	}
	return b.String()
}

func indented(s string) string {
	return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
}
