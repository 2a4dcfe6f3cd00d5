package lsp

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// place is what stands around the cursor.
type place struct {
	blocks []string // the types of the blocks around it, outermost first
	// attr is the attribute whose value the cursor is in; empty where a statement begins.
	attr string
	// word is the dotted name that the cursor stands in or behind, up to the cursor, and whole
	// all of it. start and end bound the whole, in bytes.
	word, whole string
	start, end  int
	quoted      bool // within a quoted text, outside of ${ }
	comment     bool
}

// frame is an open bracket: a block's type, or "" for an object, a list or parentheses.
type frame struct{ block, attr string }

// placeOf reads the tokens before the cursor. It goes by tokens, not by the tree: what is
// being typed seldom parses.
func placeOf(src []byte, offset int) place {
	p := place{}
	p.start, p.end = wordAround(src, offset)
	p.word, p.whole = string(src[p.start:offset]), string(src[p.start:p.end])
	tokens, _ := hclsyntax.LexConfig(src[:p.start], "", hcl.InitialPos)
	var frames []frame
	var statement []string // words since the statement's beginning
	attr, quotes, templates := "", 0, 0
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenIdent:
			if attr == "" && quotes == 0 {
				statement = append(statement, string(t.Bytes))
			}
		case hclsyntax.TokenEqual:
			if attr == "" && len(statement) == 1 {
				attr = statement[0]
			}
		case hclsyntax.TokenOBrace:
			if attr == "" && len(statement) > 0 {
				frames = append(frames, frame{block: statement[0]})
			} else {
				frames = append(frames, frame{attr: attr})
			}
			if frames[len(frames)-1].block != "" {
				attr, statement = "", nil
			}
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack:
			frames = append(frames, frame{attr: attr})
		case hclsyntax.TokenCBrace, hclsyntax.TokenCParen, hclsyntax.TokenCBrack:
			if n := len(frames); n > 0 {
				attr = frames[n-1].attr
				if frames[n-1].block != "" {
					attr, statement = "", nil
				}
				frames = frames[:n-1]
			}
		case hclsyntax.TokenNewline:
			if n := len(frames); n == 0 || frames[n-1].block != "" {
				attr, statement = "", nil
			}
		case hclsyntax.TokenComment:
			// A comment to the line's end holds its line break.
			if strings.HasSuffix(string(t.Bytes), "\n") {
				if n := len(frames); n == 0 || frames[n-1].block != "" {
					attr, statement = "", nil
				}
			} else if i == len(tokens)-2 {
				p.comment = true
			}
		case hclsyntax.TokenOQuote:
			quotes++
		case hclsyntax.TokenCQuote:
			quotes--
		case hclsyntax.TokenTemplateInterp:
			templates++
		case hclsyntax.TokenTemplateSeqEnd:
			templates--
		default:
		}
	}
	line := src[strings.LastIndexByte(string(src[:p.start]), '\n')+1 : p.start]
	p.comment = p.comment || strings.HasPrefix(strings.TrimSpace(string(line)), "#")
	p.quoted = quotes > templates
	p.attr = attr
	for _, f := range frames {
		if f.block != "" {
			p.blocks = append(p.blocks, f.block)
		}
	}
	return p
}

// wordAround bounds the dotted name around the offset.
func wordAround(src []byte, offset int) (start, end int) {
	in := func(c byte) bool {
		return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	start, end = offset, offset
	for start > 0 && in(src[start-1]) {
		start--
	}
	for end < len(src) && in(src[end]) {
		end++
	}
	return start, end
}

// offsetOf turns a position into a byte offset, at most the text's length.
func offsetOf(src []byte, p position) int {
	at := 0
	for line := 0; line < p.Line; line++ {
		i := strings.IndexByte(string(src[at:]), '\n')
		if i < 0 {
			return len(src)
		}
		at += i + 1
	}
	for units := 0; units < p.Character && at < len(src) && src[at] != '\n'; {
		r, size := utf8.DecodeRune(src[at:])
		units++
		if r >= 0x10000 {
			units++
		}
		at += size
	}
	return at
}

// positionOf is the inverse of offsetOf.
func positionOf(src []byte, offset int) position {
	offset = min(offset, len(src))
	before := string(src[:offset])
	p := position{Line: strings.Count(before, "\n")}
	for _, r := range before[strings.LastIndexByte(before, '\n')+1:] {
		p.Character++
		if r >= 0x10000 {
			p.Character++
		}
	}
	return p
}
