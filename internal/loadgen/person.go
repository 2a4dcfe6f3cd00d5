package loadgen

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
)

// person is one lead before it is written down.
type person struct {
	first, last, title word
	email              string // normalised
	company            company
	free               bool // writes from a free-mail domain
	noRegion           bool
	phone              int
	intent, product    string
	utm                string
	tags               [3]string
	score              int
}

// person makes the person of lead i.
func (g *Generator) person(i int) person {
	d := dice(g.opts.Seed, saltPerson, i)
	p := person{first: pick(d, g.words.first), last: pick(d, g.words.last), title: pick(d, g.words.titles)}
	switch f := d.Float64(); {
	case f < g.opts.FreeMailRate:
		p.free = true
		p.company = company{domain: pick(d, freeMail), country: pick(d, countries), arr: -1}
		if d.IntN(2) == 0 { // they say where they work, but nobody knows the firm
			c := pick(d, g.companies)
			p.company.name, p.company.country = c.name, c.country
		}
	case f < g.opts.FreeMailRate+g.opts.KnownAccountRate:
		p.company = pick(d, g.accounts)
	default:
		p.company = pick(d, g.companies)
	}
	p.email = p.first.slug + "." + p.last.slug + "." + base36(i) + "@" + p.company.domain
	p.noRegion = d.IntN(20) == 0
	p.phone = 1_000_000 + d.IntN(9_000_000)
	p.intent = intents[min(d.IntN(10)/2, 3)] // two of ten each, four want a trial
	p.product, p.utm = pick(d, products), pick(d, utmSources)
	for t := range d.IntN(len(p.tags) + 1) {
		p.tags[t] = tagWords[(d.IntN(2)+t*2)%len(tagWords)]
	}
	p.score = (d.IntN(101) + d.IntN(101)) / 2 // most are middling
	return p
}

// spoil draws which member a flaw hits.
func (p *person) spoil(d *rand.Rand, f Flaw) {
	switch f {
	case FlawUnknownValue:
		if d.IntN(2) == 0 {
			p.intent = "just_looking"
		} else {
			p.company.region, p.noRegion = "MOON", false
		}
	case FlawOutOfRange:
		switch d.IntN(3) {
		case 0:
			p.score = 101 + d.IntN(900)
		case 1:
			p.score = -1 - d.IntN(50)
		default:
			p.company.size = -1 - d.IntN(5)
		}
	}
}

// appendJSON writes the lead as its sender would. The address is given apart: a
// duplicate spells it anew.
func (p *person) appendJSON(b []byte, email string, flaw Flaw) []byte {
	b = append(b, `{"emitted_at":"`+stampBlank+`","email":"`...)
	b = append(b, email...)
	b = append(b, `","email_domain":"`...)
	b = append(b, p.company.domain...)
	b = append(b, `","first_name":`...)
	b = append(b, p.first.json...)
	b = append(b, `,"last_name":`...)
	b = append(b, p.last.json...)
	if p.company.name != "" {
		b = append(b, `,"company":`...)
		b = append(b, p.company.name...)
	}
	b = append(b, `,"title":`...)
	b = append(b, p.title.json...)
	b = append(b, `,"phone":"`...)
	b = append(b, p.company.dial...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.phone), 10)
	b = append(b, `","country":"`...)
	b = append(b, p.company.code...)
	if !p.noRegion {
		b = append(b, `","region":"`...)
		b = append(b, p.company.region...)
	}
	b = append(b, '"')
	if p.company.size != 0 {
		b = append(b, `,"company_size":`...)
		b = strconv.AppendInt(b, int64(p.company.size), 10)
	}
	if p.company.arr >= 0 {
		b = append(b, `,"arr":`...)
		b = strconv.AppendInt(b, int64(p.company.arr), 10)
	}
	b = append(b, `,"intent":"`...)
	b = append(b, p.intent...)
	b = append(b, `","product":"`...)
	b = append(b, p.product...)
	switch flaw {
	case FlawNoScore:
		b = append(b, '"')
	case FlawWrongType:
		b = append(b, `","score":"very high"`...)
	default:
		b = append(b, `","score":`...)
		b = strconv.AppendInt(b, int64(p.score), 10)
	}
	b = append(b, `,"tags":[`...)
	for i, t := range p.tags {
		if t == "" {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, t...)
		b = append(b, '"')
	}
	b = append(b, `],"utm_source":"`...)
	b = append(b, p.utm...)
	return append(b, `"}`...)
}

func base36(i int) string { return strconv.FormatInt(int64(i), 36) }

// Truth is what is known of a person beyond what any system may say.
type Truth struct {
	Person string // the e-mail address, normalised
	Domain string
	Region string // empty: the lead does not say
	// Owner owns the account of Domain; empty: no known account, or one without an owner.
	Owner leadroute.RepID
	Big   bool // more than 500 people and more than 100,000 a year
	Class leadroute.Class
}

// Company returns what is true of the leads of a company, each kind once.
func (g *Generator) Company(domain string) []Truth {
	g.once.Do(func() {
		g.truths = map[string][]Truth{}
		for i := range g.Len() {
			t := g.Truth(i)
			t.Person, t.Class = "", ""
			if all := g.truths[t.Domain]; !slices.Contains(all, t) {
				g.truths[t.Domain] = append(all, t)
			}
		}
	})
	return g.truths[domain]
}

// Truth returns what is true of lead i. A Duplicate's is its original's.
func (g *Generator) Truth(i int) Truth {
	if _, o := g.label(i); o >= 0 {
		i = o
	}
	p := g.person(i)
	t := Truth{Person: p.email, Domain: p.company.domain, Region: p.company.region, Owner: p.company.owner}
	if p.noRegion {
		t.Region = ""
	}
	t.Big = p.company.size > 500 && p.company.arr > 100_000
	switch {
	case t.Big:
		t.Class = "P0"
	case p.intent == "demo_request" || p.score >= 70:
		t.Class = "P1"
	default:
		t.Class = "P2"
	}
	return t
}
