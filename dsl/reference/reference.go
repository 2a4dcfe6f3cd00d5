// Package reference writes the policy language's reference from what the compiler decodes.
package reference

import (
	"fmt"
	"strings"

	"github.com/leadroute/leadroute/dsl"
)

// Markdown is the reference as one page.
func Markdown(l dsl.Language) string {
	var b strings.Builder
	b.WriteString(`# The policy language

<!-- Written by "make docs" from the specifications that the compiler decodes by. Do not edit. -->

A policy is a file or a folder of ` + "`*.hcl`" + ` files, written in HCL. Blocks may stand in any order and in any of
the files; a name is unique among the blocks of its type. Durations are written "90s", "1h30m", "12h", "30d", "2w";
rates "50/s", "600/m"; ranges "250ms..2m". Every block takes a description.

Rules are asked in order, and the first whose condition is definitely true takes the lead. A comparison with a
missing field is undecided, and an undecided condition does not match: not by ` + "`!=`" + `, and not under ` + "`!`" + `. ` +
		"`has(...)`, `== null` and `coalesce(...)`" + ` always know the answer.

`)
	b.WriteString("## Blocks\n\n")
	for _, block := range l.Blocks {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", block.Name, block.Name, block.Doc)
	}
	for _, block := range l.Blocks {
		b.WriteString("\n")
		writeBlock(&b, block, block.Name, 3)
	}
	b.WriteString("\n## Functions\n\n| function | what it is worth |\n|---|---|\n")
	for _, f := range l.Functions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", cell(f.Usage), cell(f.Doc))
	}
	b.WriteString("\nOperators: `== != < <= > >= && || !`, `+ - * /`, `condition ? a : b`, and text templates `\"${lead.a}/${lead.b}\"`.\n")
	b.WriteString("\n## Fields of every lead\n\nMore are declared in `schema \"lead\"`.\n\n| field | type | |\n|---|---|---|\n")
	for _, f := range l.Fields {
		fmt.Fprintf(&b, "| `lead.%s` | %s | %s |\n", f.Name, f.Type, cell(f.Doc))
	}
	b.WriteString("\n## Fields of a rep\n\nAnd every attribute that the live rep table carries.\n\n| field | type |\n|---|---|\n")
	for _, f := range l.RepFields {
		fmt.Fprintf(&b, "| `rep.%s` | %s |\n", f.Name, f.Type)
	}
	return b.String()
}

func writeBlock(b *strings.Builder, block dsl.BlockDoc, path string, level int) {
	fmt.Fprintf(b, "%s %s\n\n%s\n", strings.Repeat("#", level), path, block.Doc)
	switch name := block.Name; {
	case block.Named && block.AnyAttributes:
		fmt.Fprintf(b, "\n    %s \"name\" { any = ... }\n", name)
	case block.AnyAttributes:
		fmt.Fprintf(b, "\n    %s { any = ... }\n", name)
	case block.Named:
		fmt.Fprintf(b, "\n    %s \"name\" { ... }\n", name)
	default:
		fmt.Fprintf(b, "\n    %s { ... }\n", name)
	}
	if len(block.Attributes) > 0 {
		b.WriteString("\n| attribute | what it takes | |\n|---|---|---|\n")
		for _, a := range block.Attributes {
			required := ""
			if a.Required {
				required = " (required)"
			}
			fmt.Fprintf(b, "| `%s`%s | %s | %s |\n", a.Name, required, cell(a.Type), cell(a.Doc))
		}
	}
	for _, n := range block.Blocks {
		b.WriteString("\n")
		writeBlock(b, n, path+"."+n.Name, min(level+1, 6))
	}
}

// cell keeps a text within a table's cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
