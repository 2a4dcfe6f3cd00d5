package dsl

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// mistake is a habit of another language. Fix has as many bytes as the range, so that
// repairing moves nothing; it is "" where the mistake cannot be repaired in place.
type mistake struct {
	rng    hcl.Range
	detail string
	fix    string
	lossy  bool // the repaired text says something else than was meant
	// edit is what fmt --fix writes instead; nil where only the author knows what is meant.
	edit *edit
}

// edit puts other text in the place of the bytes [from, until).
type edit struct {
	from, until int
	with        string
}

// repair finds the known mistakes of a file that HCL cannot parse, and returns the file
// with those repaired that can be.
func repair(tokens hclsyntax.Tokens, src []byte) ([]byte, []mistake) {
	r := repairer{tokens: tokens, src: src}
	for i := range tokens {
		r.track(i)
		r.word(i)
		r.sign(i)
		r.equals(i)
		r.glued(i)
		r.percent(i)
		r.comma(i)
	}
	r.smartQuotes()
	out := slices.Clone(src)
	for _, m := range r.found {
		if len(m.fix) == m.rng.End.Byte-m.rng.Start.Byte {
			copy(out[m.rng.Start.Byte:], m.fix)
		}
	}
	return out, r.found
}

type repairer struct {
	tokens hclsyntax.Tokens
	src    []byte
	found  []mistake

	open     []hclsyntax.TokenType // the brackets that are open
	equalled bool                  // the statement has had its equals sign
	start    int                   // index of the statement's first token
	quotes   int                   // single quotes seen
}

func (r *repairer) add(rng hcl.Range, fix, format string, args ...any) {
	r.found = append(r.found, mistake{rng: rng, fix: fix, detail: fmt.Sprintf(format, args...)})
}

// rewrite says what the last mistake's text should have been.
func (r *repairer) rewrite(from, until int, with string) {
	r.found[len(r.found)-1].edit = &edit{from, until, with}
}

// rewritten is a repair that is also what the author should have written.
func (r *repairer) rewritten(rng hcl.Range, fix, with, format string, args ...any) {
	r.add(rng, fix, format, args...)
	r.rewrite(rng.Start.Byte, rng.End.Byte, with)
}

func (r *repairer) at(i int) hclsyntax.Token {
	if i < 0 || i >= len(r.tokens) {
		return hclsyntax.Token{Type: hclsyntax.TokenNil}
	}
	return r.tokens[i]
}

// track keeps the brackets and where the statement began.
func (r *repairer) track(i int) {
	switch t := r.tokens[i]; t.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOParen, hclsyntax.TokenOBrack:
		r.open = append(r.open, t.Type)
		r.start, r.equalled = i+1, false
	case hclsyntax.TokenCBrace, hclsyntax.TokenCParen, hclsyntax.TokenCBrack:
		if len(r.open) > 0 {
			r.open = r.open[:len(r.open)-1]
		}
		r.equalled = true // what follows on this line belongs to the statement around the bracket
	case hclsyntax.TokenNewline, hclsyntax.TokenComment, hclsyntax.TokenComma:
		if !r.inList() {
			r.start, r.equalled = i+1, false
		}
	default:
	}
}

// inList tells whether the innermost open bracket is ( or [, inside which lines do not matter.
func (r *repairer) inList() bool {
	return len(r.open) > 0 && r.open[len(r.open)-1] != hclsyntax.TokenOBrace
}

// endsOperand tells whether a value may end with the token.
func endsOperand(t hclsyntax.Token) bool {
	switch t.Type {
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenCQuote, hclsyntax.TokenCParen, hclsyntax.TokenCBrack:
		return true
	default:
		return false
	}
}

func startsOperand(t hclsyntax.Token) bool {
	switch t.Type {
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenOQuote, hclsyntax.TokenOParen, hclsyntax.TokenOBrack,
		hclsyntax.TokenBang, hclsyntax.TokenMinus:
		return true
	default:
		return false
	}
}

// word finds and, or, not, in, and method calls.
func (r *repairer) word(i int) {
	t, before, after := r.tokens[i], r.at(i-1), r.at(i+1)
	if t.Type != hclsyntax.TokenIdent {
		return
	}
	between := endsOperand(before) && startsOperand(after) && !r.isBlockHead(i)
	switch word := strings.ToLower(string(t.Bytes)); {
	case word == "and" && between:
		r.rewritten(t.Range, "&& ", "&&", `HCL writes && for %q.`, t.Bytes)
	case word == "or" && between:
		r.rewritten(t.Range, "||", "||", `HCL writes || for %q.`, t.Bytes)
	case word == "not" && startsOperand(after) && !endsOperand(before) && before.Type != hclsyntax.TokenNewline && before.Type != hclsyntax.TokenDot:
		r.add(t.Range, "!  ", `HCL writes ! for %q.`, t.Bytes)
		r.rewrite(t.Range.Start.Byte, after.Range.Start.Byte, "!")
	case word == "in" && between:
		r.add(t.Range, "", `HCL has no %q. Write one_of(%s, [...]), or contains(list, value).`, t.Bytes, r.operandBefore(i))
		r.rewriteIn(i)
	case before.Type == hclsyntax.TokenDot && after.Type == hclsyntax.TokenOParen:
		r.add(t.Range, "", `HCL has no method calls. Write %s(%s, ...).`, t.Bytes, r.operandBefore(i-1))
		if from := r.operandStart(i - 1); from < i-1 {
			with := fmt.Sprintf("%s(%s, ", t.Bytes, r.operandBefore(i-1))
			if r.at(i+2).Type == hclsyntax.TokenCParen {
				with = strings.TrimSuffix(with, ", ")
			}
			r.rewrite(r.tokens[from].Range.Start.Byte, after.Range.End.Byte, with)
		}
	}
}

// rewriteIn turns a in ["x", "y"] into one_of(a, ["x", "y"]), and "x" in a into contains(a, "x").
func (r *repairer) rewriteIn(i int) {
	from := r.operandStart(i)
	after := r.at(i + 1)
	switch {
	case from < i && after.Type == hclsyntax.TokenOBrack:
		if end := r.closing(i + 1); end > 0 {
			with := fmt.Sprintf("one_of(%s, %s)", r.operandBefore(i), r.text(i+1, end))
			r.rewrite(r.tokens[from].Range.Start.Byte, r.tokens[end].Range.End.Byte, with)
		}
	case i >= 3 && r.at(i-1).Type == hclsyntax.TokenCQuote && r.at(i-3).Type == hclsyntax.TokenOQuote && after.Type == hclsyntax.TokenIdent:
		end := i + 1
		for r.at(end+1).Type == hclsyntax.TokenDot && r.at(end+2).Type == hclsyntax.TokenIdent {
			end += 2
		}
		with := fmt.Sprintf("contains(%s, %s)", r.text(i+1, end), r.text(i-3, i-1))
		r.rewrite(r.tokens[i-3].Range.Start.Byte, r.tokens[end].Range.End.Byte, with)
	}
}

// text is the source from token i to token j.
func (r *repairer) text(i, j int) string {
	return string(r.src[r.tokens[i].Range.Start.Byte:r.tokens[j].Range.End.Byte])
}

// closing is the index of the bracket that closes token i's, 0 if none does.
func (r *repairer) closing(i int) int {
	depth := 0
	for ; i < len(r.tokens); i++ {
		switch r.tokens[i].Type {
		case hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOBrace:
			depth++
		case hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCBrace:
			if depth--; depth == 0 {
				return i
			}
		default:
		}
	}
	return 0
}

// isBlockHead tells whether the line's token i still belongs to a block's type and name.
func (r *repairer) isBlockHead(i int) bool { return i-r.start < 2 && !r.equalled && len(r.open) == 0 }

// operandStart is the index of the first token of a.b.c before token i; i where there is none.
func (r *repairer) operandStart(i int) int {
	from := i
	for from > 0 {
		switch r.tokens[from-1].Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenDot:
			from--
			continue
		default:
		}
		break
	}
	return from
}

// operandBefore is the source of a.b.c before token i.
func (r *repairer) operandBefore(i int) string {
	from := r.operandStart(i)
	if from == i {
		return "value"
	}
	return strings.TrimSpace(string(r.src[r.tokens[from].Range.Start.Byte:r.tokens[i-1].Range.End.Byte]))
}

// sign finds <>, single & and |, single quotes and semicolons.
func (r *repairer) sign(i int) {
	t, after := r.tokens[i], r.at(i+1)
	glued := after.Range.Start.Byte == t.Range.End.Byte
	switch t.Type {
	case hclsyntax.TokenLessThan:
		if after.Type == hclsyntax.TokenGreaterThan && glued {
			r.rewritten(hcl.RangeBetween(t.Range, after.Range), "!=", "!=", "HCL writes != for <>.")
		}
	case hclsyntax.TokenAnd, hclsyntax.TokenOr:
		ends := after.Type == hclsyntax.TokenNewline || after.Type == hclsyntax.TokenComment
		if (ends || i == r.start) && !r.inList() {
			r.add(t.Range, "", "A condition that goes on in another line needs parentheses around it: when = ( ... ).")
		}
	case hclsyntax.TokenBitwiseAnd:
		r.double(t, "&")
	case hclsyntax.TokenBitwiseOr:
		r.double(t, "|")
	case hclsyntax.TokenApostrophe:
		r.quotes++
		r.rewritten(t.Range, `"`, `"`, "HCL writes texts in double quotes.")
		if r.quotes%2 == 0 { // the closing one has been told with the opening one
			r.found[len(r.found)-1].detail = ""
		}
	case hclsyntax.TokenSemicolon:
		r.rewritten(t.Range, " ", "", "HCL ends an attribute with the line; take the semicolon out.")
	case hclsyntax.TokenInvalid:
		if bytes.HasPrefix(t.Bytes, []byte("\u00a0")) {
			r.rewritten(t.Range, blanks("", len(t.Bytes)), " ", "This blank is a non-breaking one, out of a word processor or a web page. Type a plain one.")
		}
		if bytes.HasPrefix(t.Bytes, []byte("≥")) || bytes.HasPrefix(t.Bytes, []byte("≤")) {
			fix := ">= "
			if bytes.HasPrefix(t.Bytes, []byte("≤")) {
				fix = "<= "
			}
			r.rewritten(t.Range, fix, strings.TrimSpace(fix), "HCL writes %sfor %s.", fix, t.Bytes)
		}
	default:
	}
}

// double finds & for && and | for ||.
func (r *repairer) double(t hclsyntax.Token, sign string) {
	rng, fix := t.Range, ""
	if end := rng.End.Byte; end < len(r.src) && r.src[end] == ' ' {
		rng.End.Byte++
		rng.End.Column++
		fix = sign + sign
	}
	r.add(rng, fix, "HCL writes %s%s for %s.", sign, sign, sign)
	r.rewrite(t.Range.Start.Byte, t.Range.End.Byte, sign+sign)
}

// equals finds = where == is meant, =~, and == or : where = is meant.
func (r *repairer) equals(i int) {
	t, after := r.tokens[i], r.at(i+1)
	inList := r.inList()
	switch t.Type {
	case hclsyntax.TokenEqual:
		switch {
		case after.Type == hclsyntax.TokenBitwiseNot && after.Range.Start.Byte == t.Range.End.Byte:
			r.add(hcl.RangeBetween(t.Range, after.Range), "", `HCL has no =~. Write matches(%s, "...").`, r.operandBefore(i))
			if from := r.operandStart(i); from < i && r.at(i+2).Type == hclsyntax.TokenOQuote && r.at(i+4).Type == hclsyntax.TokenCQuote {
				r.rewrite(r.tokens[from].Range.Start.Byte, r.tokens[i+4].Range.End.Byte, fmt.Sprintf("matches(%s, %s)", r.operandBefore(i), r.text(i+2, i+4)))
			}
		case (r.at(i-1).Type == hclsyntax.TokenEqualOp || r.at(i-1).Type == hclsyntax.TokenNotEqual) && r.at(i-1).Range.End.Byte == t.Range.Start.Byte:
			sign := string(r.at(i - 1).Bytes)
			r.rewritten(hcl.RangeBetween(r.at(i-1).Range, t.Range), sign+" ", sign, "HCL writes %s for %s=.", sign, sign)
		case !inList && !r.equalled:
			r.equalled = true
		case endsOperand(r.at(i - 1)):
			rng, fix := t.Range, ""
			if end := rng.End.Byte; end < len(r.src) && r.src[end] == ' ' {
				rng.End.Byte++
				fix = "=="
			}
			r.add(rng, fix, "HCL compares with ==; a single = gives an attribute its value.")
			r.rewrite(t.Range.Start.Byte, t.Range.End.Byte, "==")
		}
	case hclsyntax.TokenEqualOp:
		if !inList && !r.equalled && i == r.start+1 {
			r.equalled = true
			r.rewritten(t.Range, "= ", "=", "An attribute gets its value with a single =.")
		}
	case hclsyntax.TokenColon:
		if !inList && !r.equalled && i == r.start+1 && len(r.open) > 0 {
			r.equalled = true
			r.rewritten(t.Range, "=", " =", "An attribute gets its value with =, not with a colon.")
		}
	default:
	}
}

// glued finds 100k and 100_000.
func (r *repairer) glued(i int) {
	t, after := r.tokens[i], r.at(i+1)
	if t.Type != hclsyntax.TokenNumberLit || after.Type != hclsyntax.TokenIdent || after.Range.Start.Byte != t.Range.End.Byte {
		return
	}
	rng := hcl.RangeBetween(t.Range, after.Range)
	digits, unit := string(t.Bytes), string(after.Bytes)
	var write string
	switch strings.ToLower(unit) {
	case "k":
		write = digits + "000"
	case "m":
		write = digits + "000000"
	case "s", "h", "d", "w", "ms":
		r.rewritten(rng, blanks(digits, len(digits)+len(unit)), strconv.Quote(digits+unit), "A duration is a text: write %q.", digits+unit)
		r.found[len(r.found)-1].lossy = true
		return
	default:
		write = strings.ReplaceAll(digits+unit, "_", "")
	}
	hint := ""
	if strings.Trim(write, "0123456789") == "" {
		hint = " Write " + write + "."
	}
	r.add(rng, blanks(digits, len(digits)+len(unit)), "%s%s is no number in HCL: a number has digits and a point only.%s", digits, unit, hint)
	if hint != "" {
		r.rewrite(rng.Start.Byte, rng.End.Byte, write)
	}
}

// percent finds 50%. What is meant, 50 or 0.5, only the author knows.
func (r *repairer) percent(i int) {
	t, before, after := r.tokens[i], r.at(i-1), r.at(i+1)
	if t.Type != hclsyntax.TokenPercent || before.Type != hclsyntax.TokenNumberLit || startsOperand(after) {
		return
	}
	rng := hcl.RangeBetween(before.Range, t.Range)
	r.add(rng, blanks(string(before.Bytes), rng.End.Byte-rng.Start.Byte), "HCL has no per cent sign. Write %s where the attribute counts per cent, and a fraction such as 0.5 where it counts parts of one.", before.Bytes)
	r.found[len(r.found)-1].lossy = true
}

// comma finds elements of a list, or arguments, that nothing parts.
func (r *repairer) comma(i int) {
	t, before := r.tokens[i], r.at(i-1)
	if !r.inList() || before.Type != hclsyntax.TokenCQuote || t.Type != hclsyntax.TokenOQuote {
		return
	}
	rng := before.Range
	rng.Start = rng.End
	rng.End.Byte++
	rng.End.Column++
	fix := ""
	if r.src[rng.Start.Byte] == ' ' {
		fix = ","
	}
	r.add(rng, fix, "The elements of a list are parted by commas.")
	r.rewrite(rng.Start.Byte, rng.Start.Byte, ",")
}

func blanks(s string, n int) string { return s + strings.Repeat(" ", n-len(s)) }

// smartQuotes finds the quotes that word processors put in. The repair keeps the text
// inside as it is.
func (r *repairer) smartQuotes() {
	const opening, closing = "“", "”"
	line, start := 1, 0
	for text := range bytes.SplitSeq(r.src, []byte("\n")) {
		if !bytes.HasPrefix(bytes.TrimLeftFunc(text, unicode.IsSpace), []byte("#")) {
			for _, q := range []string{opening, closing, "„"} {
				for at := 0; ; {
					i := bytes.Index(text[at:], []byte(q))
					if i < 0 {
						break
					}
					at += i
					if r.inString(start + at) {
						at += len(q)
						continue
					}
					fix := `  "`
					if q == closing {
						fix = `"  `
					}
					col := len([]rune(string(text[:at]))) + 1
					r.add(hcl.Range{
						Filename: r.filename(), Start: hcl.Pos{Line: line, Column: col, Byte: start + at},
						End: hcl.Pos{Line: line, Column: col + 1, Byte: start + at + len(q)},
					}, fix, `These are typographic quotes; HCL writes texts in plain ones: "...".`)
					r.rewrite(start+at, start+at+len(q), `"`)
					if q == closing {
						r.found[len(r.found)-1].detail = "" // told with the opening one
					}
					at += len(q)
				}
			}
		}
		line, start = line+1, start+len(text)+1
	}
}

// inString tells whether the byte lies in a quoted text or a comment, where such quotes are welcome.
func (r *repairer) inString(at int) bool {
	return slices.ContainsFunc(r.tokens, func(t hclsyntax.Token) bool {
		return t.Range.Start.Byte <= at && at < t.Range.End.Byte &&
			(t.Type == hclsyntax.TokenQuotedLit || t.Type == hclsyntax.TokenStringLit || t.Type == hclsyntax.TokenComment)
	})
}

func (r *repairer) filename() string {
	if len(r.tokens) == 0 {
		return ""
	}
	return r.tokens[0].Range.Filename
}
