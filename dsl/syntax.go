package dsl

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxDepth bounds the nesting of brackets and maxOperators the length of an expression, so that no source can exhaust the stack.
const (
	maxDepth     = 100
	maxOperators = 2000
)

// parse reads a file's syntax, and goes on behind an error as far as HCL can. What people
// write out of the habit of another language is told for what it is, and repaired in
// place without moving anything, so that the rest of the file can be checked too.
func (c *compiler) parse(f file) *hclsyntax.Body {
	tokens, _ := hclsyntax.LexConfig(f.src, f.path, hcl.InitialPos)
	c.ignores[f.path] = ignores(tokens)
	if !c.shallow(tokens) {
		return nil
	}
	parsed, diags := hclsyntax.ParseConfig(f.src, f.path, hcl.InitialPos)
	if diags.HasErrors() {
		src, found := repair(tokens, f.src)
		told := map[int]bool{}
		for _, m := range found {
			told[m.rng.Start.Line] = true
			if m.detail != "" {
				c.report(syntaxError, m.rng, "%s", m.detail)
			}
		}
		if len(found) > 0 {
			parsed, diags = hclsyntax.ParseConfig(src, f.path, hcl.InitialPos)
		}
		for _, d := range diags {
			if d.Severity != hcl.DiagError || d.Subject == nil || told[d.Subject.Start.Line] {
				continue
			}
			c.broken[f.path] = append(c.broken[f.path], d.Subject.Start.Line)
			c.report(syntaxError, *d.Subject, "%s", hclWords(d))
		}
		for _, m := range found {
			if m.fix == "" || m.lossy {
				c.broken[f.path] = append(c.broken[f.path], m.rng.Start.Line)
			}
		}
	}
	if parsed == nil {
		return nil
	}
	body, _ := parsed.Body.(*hclsyntax.Body)
	return body
}

// hclWords says an HCL diagnostic in one sentence after the other.
func hclWords(d *hcl.Diagnostic) string {
	s := strings.TrimSuffix(d.Summary, ".") + "."
	if d.Detail != "" && !strings.EqualFold(d.Detail, s) {
		s += " " + d.Detail
	}
	return s
}

// shallow refuses what only a machine writes, and what would exhaust the parser's stack.
func (c *compiler) shallow(tokens hclsyntax.Tokens) bool {
	depth, operators := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus,
			hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent, hclsyntax.TokenQuestion, hclsyntax.TokenDot,
			hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual:
			operators++
		case hclsyntax.TokenEqual: // at the latest here an expression has ended
			operators = 0
		default:
		}
		if depth > maxDepth {
			c.report(syntaxError, t.Range, "The brackets are nested more than %d deep.", maxDepth)
			return false
		}
		if operators > maxOperators {
			c.report(syntaxError, t.Range, "One expression has more than %d operators.", maxOperators)
			return false
		}
	}
	return true
}
