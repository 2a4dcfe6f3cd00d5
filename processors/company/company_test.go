package company

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

func TestNormal(t *testing.T) {
	for name, want := range map[string]struct{ words, form string }{
		"Acme, Inc.":                         {"acme", "inc"},
		"ACME INCORPORATED":                  {"acme", "inc"},
		"The Acme Company, Inc.":             {"acme", "inc"},
		"Acme GmbH & Co. KG":                 {"acme", "kg"},
		"Acme Sp. z o.o.":                    {"acme", "spzoo"},
		"Acme S.p.A.":                        {"acme", "spa"},
		"Acme S.A. de C.V.":                  {"acme", "cv"},
		"Acme Pty Ltd":                       {"acme", "pty"},
		"Nestlé S.A.":                        {"nestle", "sa"},
		"Bjørn Łódź Straße AB":               {"bjorn lodz strasse", "ab"},
		"Johnson & Johnson":                  {"johnson johnson", ""},
		"Johnson and Johnson":                {"johnson johnson", ""},
		"A. O. Smith Corporation":            {"ao smith", "corp"},
		"Ascendis Pharma A/S":                {"ascendis pharmaceutical", "as"},
		"Macy’s":                             {"macys", ""},
		"Intl Mfg Technologies":              {"international manufacturing technology", ""},
		"Coca-Cola Europacific Partners plc": {"coca cola europacific partner", "plc"},
		"3M Company":                         {"3m", "co"},
		"AB":                                 {"ab", ""},
		"AB AG":                              {"ab", "ag"},
		"The The":                            {"the", ""},
		"& and +":                            {"and", ""},
		"株式会社トヨタ":                            {"株式会社トヨタ", ""},
		"ООО Ромашка":                        {"ромашка", "ооо"},
		"PT Acme Tbk":                        {"acme", "pt"},
		"Artius II Acquisition Inc. - Units": {"artius ii acquisition", "inc"},
		"AirBaltic - Riga":                   {"airbaltic", ""},
		"Acme, Inc., Springfield Branch":     {"acme", "inc"},
		"Acme Corp. III":                     {"acme iii", "corp"},
		"Capital Co., Acme, Ltd.":            {"capital co acme", "ltd"},
		"Acme Springfield Office":            {"acme", ""},
		"Acme New York City Office":          {"acme", ""},
		"Popular, Inc. - Popular Capital Trust II - 6.125% Cumulative Monthly Income Trust Preferred Securities": {"popular", "inc"},
		"Adamas Trust, Inc. - 9.125% Senior Notes Due 2029":                                                      {"adamas trust", "inc"},
		"!!!": {"", ""},
		"":    {"", ""},
	} {
		got := Normal(name)
		if got.String() != want.words || got.Form != want.form {
			t.Errorf("Normal(%q) = %q and form %q, want %q and %q", name, got, got.Form, want.words, want.form)
		}
	}
}

// The normal form of a normal form is itself, it is not empty where the name says anything,
// and it is text.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{
		"Acme, Inc.", "A. O. Smith", "The & the S.A. de C.V.", "ооо ооо", "İstanbul A.Ş.", "x s a", "pt the tech co - units", "ﬁ ½ ß", "\xff\xfea",
		"co & x", "a & b c", "the a b", "sp z o o", "é", "가나다", "नमस्ते", "q\u0301", "mfg", strings.Repeat("ab ", 100), "ǅ", "ϔ", "Σίγμας",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normal(s)
		got := n.String()
		if again := Normal(got).String(); again != got {
			t.Fatalf("Normal(%q) = %q, and of that %q", s, got, again)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("Normal(%q) = %q, which is no UTF-8", s, got)
		}
		if len(s) <= maxName && got == "" && strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			t.Fatalf("Normal(%q) is empty", s)
		}
	})
}

func TestDomain(t *testing.T) {
	for domain, want := range map[string]string{
		"acme.com": "acme.com", "eu.mail.acme.co.uk": "acme.co.uk", "co.uk": "", "localhost": "", "": "", "a.b.github.io": "b.github.io",
		".acme.com.": "acme.com", "acme.example": "acme.example", "..": "",
	} {
		if got := Domain(domain); got != want {
			t.Errorf("Domain(%q) = %q, want %q", domain, got, want)
		}
	}
	for domain, want := range map[string]bool{"gmail.com": true, "mx.gmail.com": true, "mailinator.com": true, "acme.com": false, "": false, "com": false} {
		if got := FreeMail(domain); got != want {
			t.Errorf("FreeMail(%q) = %v, want %v", domain, got, want)
		}
	}
}

func TestCountry(t *testing.T) {
	for said, want := range map[string]string{
		"US": "US", "usa": "US", "United States": "US", "the United States of America": "US", "U.S.A.": "US", "uk": "GB", "GBR": "GB", "England": "GB",
		"Deutschland": "DE", "germany": "DE", "DEU": "DE", "Österreich": "AT", "Côte d’Ivoire": "CI", "Ivory Coast": "", "Myanmar": "MM", "Burma": "",
		"Türkiye": "TR", "Turkey": "TR", "EU": "", "XX": "", "": "", "Atlantis": "", "South Korea": "KR", "Hong Kong": "HK", "001": "",
	} {
		if got := Country(said); got != want {
			t.Errorf("Country(%q) = %q, want %q", said, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	all := &plan.Plan{Accounts: &plan.AccountMatch{By: []string{"domain", "subsidiary_of", "name"}, IgnoreDomains: []string{"partner.example"}}}
	domains := &plan.Plan{Accounts: &plan.AccountMatch{By: []string{"domain"}}}
	names := &plan.Plan{Accounts: &plan.AccountMatch{By: []string{"name"}}}
	for _, c := range []struct {
		plan       *plan.Plan
		lead, want string
	}{
		{all, `{"email":"kim@Acme.com","company":"Acme"}`, "acme.com"},
		{all, `{"email":"kim@eu.acme.co.uk"}`, "acme.co.uk"},
		{domains, `{"email":"kim@gmail.com","company":"Acme Rockets"}`, ""},
		{all, `{"email":"kim@gmail.com","company":"Acme Rockets, Inc.","country":"United States"}`, "~acme-rockets~us"},
		{all, `{"email":"kim@gmail.com","company":"ACME ROCKETS LLC","country":"usa"}`, "~acme-rockets~us"},
		{all, `{"email":"kim@mail.partner.example","company":"Acme"}`, "~acme"},
		{all, `{"email":"kim@mailinator.com","company":"Bank of the West"}`, ""},
		{all, `{"email":"kim@gmail.com","company":"3M"}`, ""},
		{all, `{"email":"kim@gmail.com","company":"3M X1"}`, "~3m-x1"},
		{all, `{"email":"kim@gmail.com"}`, ""},
		{all, `{}`, ""},
		{names, `{"email":"kim@acme.com","company":"Acme"}`, "~acme"},
		{&plan.Plan{}, `{"email":"kim@acme.com","company":"Acme"}`, ""},
	} {
		got, ok := Key(c.plan, &leadroute.Lead{Fields: []byte(c.lead)})
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Key(%s) = %q, %v, want %q", c.lead, got, ok, c.want)
		}
	}
}
