package loadgen

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/leadroute/leadroute"
)

// The values of the sample schema.
var (
	intents    = []string{"demo_request", "pricing", "content", "trial"}
	products   = []string{"analytics", "billing", "platform"}
	utmSources = []string{"google", "linkedin", "newsletter", "partner", "webinar", "direct"}
	tagWords   = []string{"inbound", "event", "referral", "returning", "newsletter", "partner", "outreach", "beta"}
	freeMail   = []string{"gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "icloud.com", "gmx.de", "proton.me", "qq.com"}
	trades     = []string{"Labs", "Logistics", "Systems", "Foods", "Health", "Energy", "Robotics", "Partners", "Software", "Works", "Media", "Bank"}
)

// country is where a company sits.
type country struct{ code, region, dial string }

// A country stands here as often as it weighs: a third of the leads are from NA.
var countries = []country{
	{"US", "NA", "+1 415"},
	{"US", "NA", "+1 212"},
	{"US", "NA", "+1 312"},
	{"CA", "NA", "+1 604"},
	{"DE", "EMEA", "+49 30"},
	{"FR", "EMEA", "+33 1"},
	{"GB", "EMEA", "+44 20"},
	{"NL", "EMEA", "+31 20"},
	{"JP", "APAC", "+81 3"},
	{"SG", "APAC", "+65 6"},
	{"AU", "APAC", "+61 2"},
	{"BR", "LATAM", "+55 11"},
}

// word is a name as shown, as a JSON string, and as it may stand in an address.
type word struct{ text, json, slug string }

func newWord(s string) word {
	b, err := json.Marshal(s)
	if err != nil {
		b = []byte(`""`) // cannot be: a string always encodes
	}
	return word{text: s, json: string(b), slug: slug(s)}
}

// vocabulary is made once, because drawing names from the library costs more than a whole lead.
type vocabulary struct {
	first, last, titles []word
	colours, animals    []string
}

// vocabularySeed is fixed: the seed of a run picks words, it does not make them.
const vocabularySeed = 20

func newVocabulary() *vocabulary {
	f := gofakeit.New(vocabularySeed)
	return &vocabulary{
		// Names beyond ASCII and with a quote in them are part of real life.
		first:   words(250, f.FirstName, "Zoë", "José", "Łukasz", "Jürgen", "Siân", "美咲", "Ольга"),
		last:    words(500, f.LastName, "O'Connor", "Müller", "Núñez", "Søndergaard", "García Márquez", "Kovač", "田中"),
		titles:  words(80, f.JobTitle, `VP "Growth"`, "Leiter Einkauf & Logistik"),
		colours: strs(120, f.Color),
		animals: strs(120, f.Animal),
	}
}

func words(n int, draw func() string, more ...string) []word {
	var out []word
	for _, s := range append(strs(n, draw), more...) {
		out = append(out, newWord(s))
	}
	return out
}

// strs draws n times and keeps what differs, in the order drawn.
func strs(n int, draw func() string) []string {
	seen := make(map[string]bool, n)
	var out []string
	for range n {
		if s := draw(); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// slug keeps what may stand in an address: a-z and 0-9. A name without any is "x".
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "x"
	}
	return b.String()
}

// company is who a lead works for. All people of one company say the same of it.
type company struct {
	name   string // a JSON string; empty: unknown
	domain string
	country
	size  int // people; 0: unknown
	arr   int // a year, in the policy's currency; -1: unknown
	owner leadroute.RepID
}

func newCompanies(v *vocabulary, seed uint64, n int) []company {
	out := make([]company, n)
	for i := range out {
		d := dice(seed, saltCompany, i)
		a, b, t := pick(d, v.colours), pick(d, v.animals), pick(d, trades)
		w := newWord(a + " " + b + " " + t)
		// The index keeps two companies of one name apart. The top level domain is reserved:
		// no such mailbox can exist.
		out[i] = company{name: w.json, domain: slug(a+b) + base36(i) + ".example", country: pick(d, countries)}
		out[i].size, out[i].arr = bulk(d)
	}
	return out
}

func accountCompanies(seed uint64, accounts []leadroute.Account) []company {
	out := make([]company, len(accounts))
	for i, a := range accounts {
		d := dice(seed, saltAccount, i)
		c := company{name: newWord(a.Name).json, domain: a.Domain, country: pick(d, countries), owner: a.Owner}
		if want, ok := a.Attrs["region"].(string); ok {
			for c.region != want && hasRegion(want) {
				c.country = pick(d, countries)
			}
		}
		c.size, c.arr = bulk(d)
		out[i] = c
	}
	return out
}

func hasRegion(name string) bool {
	for _, c := range countries {
		if c.region == name {
			return true
		}
	}
	return false
}

// bulk draws how many people a company has and what it would spend, both over
// several orders of magnitude and the one with the other: about one company in
// eight is both large and rich in the sense of the sample policies.
func bulk(d *rand.Rand) (size, arr int) {
	f := d.Float64()
	size = int(math.Exp(f * math.Log(20_000)))
	arr = int(math.Exp(math.Log(500)+(0.7*f+0.3*d.Float64())*math.Log(2000))) / 100 * 100
	return max(size, 1), arr
}
