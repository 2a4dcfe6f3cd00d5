package company

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed forms.txt
var formList string

// forms are the legal forms at the end of a name, each with the one way to write it.
var forms, maxForm = func() (map[string]string, int) {
	all, most := map[string]string{}, 0
	for line := range strings.Lines(formList) {
		form, others, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		all[form] = form
		for o := range strings.FieldsFuncSeq(others, func(r rune) bool { return r == ',' }) {
			all[strings.TrimSpace(o)] = form
		}
	}
	for f := range all {
		most = max(most, len(strings.Fields(f)))
	}
	return all, most
}()

// headForms are the legal forms that may stand first.
var headForms = set("pt ooo oao zao pao tov uab sia ао ооо зао оао пао")

func set(list string) map[string]bool {
	s := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		s[w] = true
	}
	return s
}

//go:embed spelled.txt
var spelledList string

// spelled writes abbreviations out, and plurals and other endings of common words in one
// way. No long form is an abbreviation itself.
var spelled = func() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(spelledList) {
		long, short, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		for s := range strings.FieldsSeq(short) {
			all[s] = long
		}
	}
	return all
}()

// listing takes off what a stock list adds to a name: "- Class A Ordinary Shares".
func listing(name string) string {
	for from := 0; ; {
		i := strings.Index(name[from:], " - ")
		if i < 0 {
			return name
		}
		if head := name[:from+i]; strings.TrimSpace(head) != "" && security.MatchString(name[from+i:]) {
			return head
		}
		from += i + 3
	}
}

var security = regexp.MustCompile(`(?i)\b(common|ordinary|preferred|preference|depositary|depository|capital|voting|trust|beneficial) (stock|shares?|units?|securities|receipts?|interests?)\b|` +
	`\b(warrants?|units?|rights?|closed[ -]end fund|adss?|adrs?)\s*$|\bnotes\b.*\bdue\b|\b(senior|subordinated) notes\b|\b(ordinary|common) shares?\b|\bdepositary\b`)
