package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ignoreMark begins a comment that silences a warning on its line or the next one:
//
//	# leadroute:ignore LR024 the floor asked for it
const ignoreMark = "leadroute:ignore"

// ignore is one such comment.
type ignore struct {
	rng  hcl.Range
	id   string // LR024 or live-read
	why  string
	used bool
}

// ignores finds the comments of a file.
func ignores(tokens hclsyntax.Tokens) []*ignore {
	var found []*ignore
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment {
			continue
		}
		_, rest, ok := strings.Cut(string(t.Bytes), ignoreMark)
		if !ok {
			continue
		}
		rng := t.Range
		if rng.End.Line > rng.Start.Line { // a comment holds its line break
			rng.End = rng.Start
			text := strings.TrimRight(string(t.Bytes), "\r\n")
			rng.End.Column += len([]rune(text))
			rng.End.Byte += len(text)
		}
		id, why, _ := strings.Cut(strings.TrimSpace(rest), " ")
		found = append(found, &ignore{rng: rng, id: id, why: strings.TrimSpace(why)})
	}
	return found
}

// ignored tells whether the author silenced the warning at the line, and notes that the
// comment was of use.
func (c *compiler) ignored(f Finding, file string, line int) bool {
	silenced := false
	for _, g := range c.ignores[file] {
		if at := g.rng.Start.Line; (at == line || at == line-1) && (g.id == f.ID || g.id == f.Slug) && g.why != "" {
			g.used, silenced = true, true
		}
	}
	return silenced
}

// checkIgnores says which comments say nothing, or what cannot be.
func (c *compiler) checkIgnores() {
	for _, list := range c.ignores {
		for _, g := range list {
			i := slices.IndexFunc(Findings, func(f Finding) bool { return g.id == f.ID || g.id == f.Slug })
			switch {
			case i < 0:
				names := make([]string, 0, 2*len(Findings))
				for _, f := range Findings {
					names = append(names, f.ID, f.Slug)
				}
				g.used = true
				c.report(ignoreUnknown, g.rng, "There is no finding %q.%s", g.id, didYouMean(g.id, names, inQuotes))
			case !Findings[i].Warning:
				g.used = true
				c.report(ignoreError, g.rng, "%s is an error: mend it; only warnings can be silenced.", g.id)
			case g.why == "":
				g.used = true
				c.report(ignoreReason, g.rng, "Say why, behind the id: # %s %s the floor asked for it", ignoreMark, g.id)
			}
		}
	}
}

// StaleIgnores says which comments silence nothing. It is asked last, when everybody who
// has something to say about the policy has said it.
func (p *Policy) StaleIgnores() Diagnostics {
	var out Diagnostics
	for _, list := range p.source.ignores {
		for _, g := range list {
			if !g.used {
				out = append(out, p.source.diagnostic(ignoreStale, g.rng, g.id+" is not found on this line or the next one: take the comment out."))
			}
		}
	}
	out.Sort()
	return out
}
