package dsl

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format lays a policy file out as everybody's: indented by two, equals signs in a column.
// Nothing is reordered and every comment stays. A file whose syntax is broken comes back as
// it is, with the diagnostics.
func Format(path string, src []byte) ([]byte, Diagnostics) {
	c := newCompiler()
	f := file{name: path, path: path, src: src}
	c.sources[path], c.lines[path] = src, lines(src)
	c.parse(f)
	if c.diags.HasErrors() {
		return src, c.done()
	}
	src = plainEnds(src)
	for range 4 { // one pass may line up what the next one lines up better
		out := hclwrite.Format(src)
		if bytes.Equal(out, src) {
			break
		}
		src = out
	}
	return src, nil
}

// plainEnds makes the file end with one line break, and lines end without a carriage return.
func plainEnds(src []byte) []byte {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if trimmed := bytes.TrimRight(src, "\n\t "); len(trimmed) > 0 && !endsInHeredoc(src) {
		return append(bytes.Clone(trimmed), '\n')
	}
	return src
}

// endsInHeredoc tells whether blanks at the file's end belong to a text.
func endsInHeredoc(src []byte) bool {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	n := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOHeredoc:
			n++
		case hclsyntax.TokenCHeredoc:
			n--
		default:
		}
	}
	return n != 0
}

// Fixed is one thing that Fix rewrote.
type Fixed struct {
	Line int    `json:"line"` // of the file as it was given for the first round, then of its successors
	What string `json:"what"`
}

// Fix rewrites what people write out of the habit of another language, where there is only
// one thing that can be meant: and, or, not, in, =~, single = in a condition, 100k, typographic
// quotes and the like. It goes on until nothing more is found.
func Fix(path string, src []byte) ([]byte, []Fixed) {
	var all []Fixed
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	for range 10 { // a repair may bring the next mistake to light
		if _, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos); !diags.HasErrors() {
			break
		}
		tokens, _ := hclsyntax.LexConfig(src, path, hcl.InitialPos)
		if !newCompiler().shallow(tokens) {
			break
		}
		_, found := repair(tokens, src)
		out, fixed := rewrite(src, found)
		if len(fixed) == 0 {
			break
		}
		src, all = out, append(all, fixed...)
	}
	return src, all
}

// rewrite applies the edits, from the end, and leaves out those that overlap one before.
func rewrite(src []byte, found []mistake) ([]byte, []Fixed) {
	var fixed []Fixed
	found = slices.DeleteFunc(found, func(m mistake) bool { return m.edit == nil })
	slices.SortStableFunc(found, func(a, b mistake) int { return cmp.Compare(a.edit.from, b.edit.from) })
	out, at := make([]byte, 0, len(src)+64), 0
	for _, m := range found {
		if m.edit.from < at {
			continue // found again in the next round
		}
		out = append(append(out, src[at:m.edit.from]...), m.edit.with...)
		at = m.edit.until
		if m.detail != "" {
			fixed = append(fixed, Fixed{m.rng.Start.Line, m.detail})
		}
	}
	return append(out, src[at:]...), fixed
}

func lines(src []byte) []string {
	var out []string
	for line := range bytes.SplitSeq(src, []byte("\n")) {
		out = append(out, string(line))
	}
	return out
}
