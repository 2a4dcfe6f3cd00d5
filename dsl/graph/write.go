package graph

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/goccy/go-graphviz"
)

// fills are the colours of the boxes, by the kind of node.
var fills = map[string]string{
	"priority":    "#fde8c8",
	"rule":        "#e3ecfa",
	"pool":        "#d9f0e3",
	"rep":         "#eef7f1",
	"queue":       "#f6e0ea",
	"channel":     "#f2f2f2",
	"destination": "#fff3bf",
	"topic":       "#f2f2f2",
	"processor":   "#e3ecfa",
	"table":       "#fff3bf",
}

// WriteDOT writes the drawing in the language of Graphviz. Each column is one table with a
// row for each node: nodes of their own would lose the order in which they are asked.
func (g Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph policy {\n  label=%s; labelloc=t; rankdir=LR; ranksep=1.8; fontname=\"Helvetica\";\n", quote(g.Title))
	b.WriteString("  node [fontname=\"Helvetica\", fontsize=11, shape=plain];\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\", arrowsize=0.6];\n")
	ports := map[string]string{}
	columns := map[string]int{}
	for i, c := range g.Columns {
		fmt.Fprintf(&b, "  c%d [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"3\" cellpadding=\"5\" color=\"#888888\">\n", i)
		fmt.Fprintf(&b, "    <tr><td border=\"0\"><b>%s</b></td></tr>\n", html.EscapeString(c.Title))
		for j, n := range c.Nodes {
			ports[n.ID], columns[n.ID] = fmt.Sprintf("c%d:p%d", i, j), i
			fmt.Fprintf(&b, "    <tr><td port=\"p%d\" bgcolor=\"%s\" align=\"left\" title=\"%s\" href=\"#\"><b>%s</b>", j, fills[n.Kind],
				html.EscapeString(n.ID+" "+n.Detail), html.EscapeString(n.Label))
			for _, line := range n.lines() {
				fmt.Fprintf(&b, "<br align=\"left\"/>%s", html.EscapeString(line))
			}
			if len(n.lines()) > 0 {
				b.WriteString("<br align=\"left\"/>")
			}
			b.WriteString("</td></tr>\n")
		}
		b.WriteString("  </table>>];\n")
		if i > 0 { // the columns stand from left to right, whether or not an arrow joins them
			fmt.Fprintf(&b, "  c%d -> c%d [style=invis];\n", i-1, i)
		}
	}
	for _, e := range g.Edges {
		from, to := ports[e.From]+":e", ports[e.To]+":w"
		style := ""
		switch {
		case columns[e.From] > columns[e.To]:
			from, to = ports[e.From]+":w", ports[e.To]+":e"
			style = ", constraint=false"
		case columns[e.From] == columns[e.To]:
			to = ports[e.To] + ":e"
			style = ", constraint=false"
		}
		if e.Dashed {
			style += ", style=dashed"
		}
		label := e.Label
		if !e.Dashed {
			if label > "1" {
				style += `, color="#bbbbbb"` // what is tried later stands back
			}
			label = "" // the row says the order in words
		}
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s];\n", from, to, quote(label), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// WriteMermaid writes the drawing for Markdown pages, which show Mermaid in place.
func (g Graph) WriteMermaid(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s\n---\nflowchart LR\n", mermaidText(g.Title))
	ids := map[string]string{} // Mermaid's ids have no dots
	for i, c := range g.Columns {
		fmt.Fprintf(&b, "  subgraph c%d[\"%s\"]\n    direction TB\n", i, mermaidText(c.Title))
		for _, n := range c.Nodes {
			ids[n.ID] = fmt.Sprintf("n%d", len(ids))
			left, right := `["`, `"]`
			switch n.Kind {
			case "pool", "rep":
				left, right = `(["`, `"])`
			case "queue", "topic":
				left, right = `[/"`, `"/]`
			case "table":
				left, right = `[("`, `")]`
			}
			fmt.Fprintf(&b, "    %s%s%s%s\n", ids[n.ID], left, mermaidText(n.text()), right)
		}
		b.WriteString("  end\n")
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Dashed {
			arrow = "-.->"
		}
		if e.Label != "" {
			arrow += `|"` + mermaidText(e.Label) + `"|`
		}
		fmt.Fprintf(&b, "  %s %s %s\n", ids[e.From], arrow, ids[e.To])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidText escapes what Mermaid reads as its own syntax.
func mermaidText(s string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "\n", "<br/>", "#", "&num;").Replace(s)
}

// WriteSVG lays the drawing out with Graphviz and writes a picture that a browser shows.
func (g Graph) WriteSVG(ctx context.Context, w io.Writer) error {
	var dot bytes.Buffer
	if err := g.WriteDOT(&dot); err != nil {
		return err
	}
	engine, err := graphviz.New(ctx)
	if err != nil {
		return fmt.Errorf("start the layout engine: %w", err)
	}
	parsed, err := graphviz.ParseBytes(dot.Bytes())
	if err != nil {
		return fmt.Errorf("lay out the graph: %w", err)
	}
	if err := engine.Render(ctx, parsed, graphviz.SVG, w); err != nil {
		return fmt.Errorf("draw the graph: %w", err)
	}
	return nil
}
