package company

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country is the two letters of a country that is written as a code of two or three
// letters or by its English name: "DE" of "deu" and "Germany". It is empty for anything else.
func Country(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if len(s) <= 3 && ascii(s) {
		code := strings.ToUpper(s)
		if code == "UK" {
			return "GB"
		}
		if r, err := language.ParseRegion(code); err == nil && r.IsCountry() {
			return r.Canonicalize().String()
		}
	}
	return countries()[strings.Join(noArticle(glue(words(s))), " ")]
}

//go:embed countries.txt
var countryList string

// countries are the codes by English name, in the form of words.
var countries = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	names := display.English.Regions()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			r, err := language.ParseRegion(string(a) + string(b))
			if err != nil || !r.IsCountry() || r.Canonicalize() != r {
				continue
			}
			name := names.Name(r)
			all[strings.Join(words(name), " ")] = r.String()
			short, _, _ := strings.Cut(name, " (") // Myanmar (Burma)
			all[strings.Join(words(short), " ")] = r.String()
		}
	}
	for line := range strings.Lines(countryList) {
		if code, others, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			for name := range strings.SplitSeq(others, ",") {
				all[name] = code
			}
		}
	}
	return all
})
