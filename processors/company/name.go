// Package company knows companies by what leads and accounts say of them: the domain, and
// the name in the many ways in which people write it. It finds the account of a lead among
// those of the account-ownership table. It is no stage: the ledger asks it when it decides,
// the API when somebody wants to see why. Whose an account is stays with the table.
package company

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds what is read of a name, in bytes: a longer one is no name.
const maxName = 200

// Name is a company's name as it is compared.
type Name struct {
	// Words are its words in order: lower case, without accents, punctuation and "and", without
	// legal forms and what a stock list adds, common abbreviations written out. There is at
	// least one where the name has a letter or digit.
	Words []string
	// Form is the legal form that was taken off, such as "inc" or "gmbh"; empty: none.
	Form string
}

// String is the words with a space between. It is its own normal form.
func (n Name) String() string { return strings.Join(n.Words, " ") }

// Normal reads a name.
func Normal(name string) Name {
	n := Name{Words: words(aside(listing(name)))}
	for {
		before := len(n.Words)
		n.Words = glue(noAnd(noArticle(n.Words)))
		rest, form := noTail(noSite(n.Words))
		if n.Words = rest; form != "" {
			n.Form = form
		}
		if rest, form = noForm(n.Words); n.Form == "" {
			n.Form = form
		}
		n.Words = rest
		if len(n.Words) == before {
			break
		}
	}
	for i, w := range n.Words {
		if long, ok := spelled[w]; ok {
			n.Words[i] = long
		}
	}
	return n
}

// words cuts a name into words of letters, digits and marks, in lower case and without
// diacritics.
func words(s string) []string {
	if len(s) > maxName {
		cut := maxName
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	if !ascii(s) {
		s = norm.NFKD.String(s)
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			word.WriteByte(byte(r))
		case r >= 'A' && r <= 'Z':
			word.WriteByte(byte(r) + 'a' - 'A')
		case diacritic(r), apostrophe(r): // Macy's is macys
		case r == '&', r == '+':
			end()
			out = append(out, and)
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && word.Len() > 0:
			r = unicode.ToLower(r)
			if latin, ok := letters[r]; ok {
				word.WriteString(latin)
			} else {
				word.WriteRune(r)
			}
		default:
			end()
		}
	}
	end()
	for i, w := range out {
		if !ascii(w) {
			out[i] = norm.NFC.String(w)
		}
	}
	return out
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// diacritic tells of the marks that Latin, Greek and Cyrillic letters carry. Those of other
// scripts are part of the spelling and stay.
func diacritic(r rune) bool {
	return r >= 0x300 && r <= 0x36f || r >= 0x1ab0 && r <= 0x1aff || r >= 0x1dc0 && r <= 0x1dff
}

func apostrophe(r rune) bool {
	return r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' || r == 'ʼ'
}

// letters have no decomposition of their own.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h", 'ŧ': "t", 'ς': "σ",
}

const and = "and"

// noAnd leaves "and" out, which is also written &, + and not at all.
func noAnd(ws []string) []string { return without(ws, func(w string) bool { return w == and }) }

// noArticle leaves out the article at the head.
func noArticle(ws []string) []string {
	for len(ws) > 1 && ws[0] == "the" {
		ws = ws[1:]
	}
	return ws
}

// without leaves words out, but for the last one that is left.
func without(ws []string, out func(string) bool) []string {
	kept := slices.DeleteFunc(slices.Clone(ws), out)
	if len(kept) == 0 && len(ws) > 0 {
		return ws[:1]
	}
	return kept
}

// glue makes one word of single letters in a row: A. O. Smith is ao smith, S. A. is sa.
func glue(ws []string) []string {
	var out []string
	single := false
	for _, w := range ws {
		one := utf8.RuneCountInString(w) == 1 && !unicode.IsDigit([]rune(w)[0])
		if one && single {
			out[len(out)-1] += w
		} else {
			out = append(out, w)
		}
		single = one
	}
	return out
}

// noTail takes off what stands behind a legal form that stands for nothing else: the branch of
// Acme, Inc., Springfield Branch. Numbers stay: Acme Corp. III is not Acme Corp.
func noTail(ws []string) (rest []string, form string) {
	for i := 1; i < len(ws)-1; i++ {
		if forms[strings.Join(ws[i:], " ")] != "" { // Acme GmbH & Co. KG
			return ws, ""
		}
		if !plainForms[ws[i]] || !slices.ContainsFunc(ws[:i], own) && slices.ContainsFunc(ws[i+1:], own) {
			continue
		}
		rest = slices.Clone(ws[:i])
		for _, w := range ws[i+1:] {
			if numeral(w) {
				rest = append(rest, w)
			}
		}
		return rest, forms[ws[i]]
	}
	return ws, ""
}

// noSite takes off the office at the end, and the words that say which.
func noSite(ws []string) []string {
	n := len(ws)
	if n < 3 || !sites[ws[n-1]] {
		return ws
	}
	n--
	if townEnds[ws[n-1]] && n > 1 {
		n--
	}
	if n > 1 && (own(ws[n-1]) || places[ws[n-1]]) {
		n--
	}
	for n > 1 && townHeads[ws[n-1]] {
		n--
	}
	return ws[:n]
}

// townHeads and townEnds are what the names of towns begin and end with.
var (
	townHeads = set("new san santa los las st saint ste fort ft port palo el la le lake mount mt north south east west st upper lower sao rio")
	townEnds  = set("city town park beach springs hills grove heights falls lake valley county village township corner bay island forest point creek")
)

var sites = set("branch office headquarters hq plant site")

// own tells of a word that is a company's own: not a common one, no number, no place.
func own(w string) bool { return weightOf(w) == rare && !numeral(w) && !places[w] }

// plainForms are legal forms that are no words.
var plainForms = set("inc incorporated corp corporation ltd limited llc plc gmbh ag sa sarl srl oyj kgaa pty bv nv")

// aside takes off what is said aside at the end: "(Springfield)", "- EMEA".
func aside(name string) string {
	for _, p := range [][2]string{{" (", ")"}, {" - ", ""}, {" – ", ""}} {
		s := strings.TrimSpace(name)
		i := strings.LastIndex(s, p[0])
		if i <= 0 || !strings.HasSuffix(s, p[1]) || !said(s[:i]) {
			continue
		}
		if tail := words(s[i:]); len(tail) <= 3 && !slices.ContainsFunc(tail, numeral) {
			name = s[:i]
		}
	}
	return name
}

// said tells whether a text has a letter or digit.
func said(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// noForm takes legal forms off the end, and those that stand first off the head.
func noForm(ws []string) (rest []string, form string) {
	for found := true; found && len(ws) > 1; {
		found = false
		for n := min(maxForm, len(ws)-1); n > 0; n-- {
			tail := strings.Join(ws[len(ws)-n:], " ")
			if f, ok := forms[tail]; ok {
				ws, found = ws[:len(ws)-n], true
				if form == "" || form == "co" {
					form = f
				}
				break
			}
		}
	}
	for len(ws) > 1 && headForms[ws[0]] {
		form, ws = ws[0], ws[1:]
	}
	return ws, form
}
