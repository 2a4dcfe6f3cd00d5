// Package loadgen makes seeded leads that look like real ones, and sends them. It
// knows the truth about every lead it makes: who the person is, which lead is a
// duplicate of which, which is broken and how, and who may own it. What became of
// the leads is for crmsim to say and for demo to compare.
package loadgen

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
)

// Label says what a lead is meant to be.
type Label uint8

// The labels.
const (
	Valid     Label = iota // a new person, in order
	Duplicate              // a person who was sent before, perhaps in another spelling
	Malformed              // truncated JSON, or a value that the sample schema forbids
	WrongType              // a word where the sample schema wants a number
)

func (l Label) String() string {
	return [...]string{"valid", "duplicate", "malformed", "wrong_type"}[l]
}

// Flaw names what is wrong with a lead; empty for a valid or a duplicate one.
type Flaw string

// The flaws of Malformed and WrongType leads.
const (
	FlawTruncated    Flaw = "truncated"     // the JSON ends in mid-object
	FlawNoScore      Flaw = "no_score"      // the required score is missing
	FlawUnknownValue Flaw = "unknown_value" // a region or an intent that is not of the enumeration
	FlawOutOfRange   Flaw = "out_of_range"  // a score above 100, a company of no people, a negative arr
	FlawWrongType    Flaw = "wrong_type"    // a word instead of a number
)

// Options shape the leads. Rates are shares of all leads, from 0 to 1; together
// DuplicateRate, MalformedRate and WrongTypeRate are at most 1.
type Options struct {
	Seed  uint64
	Leads int

	DuplicateRate float64
	MalformedRate float64
	WrongTypeRate float64

	// FreeMailRate is the share of people who write from a free-mail domain, and
	// KnownAccountRate that of people who work at one of Accounts.
	FreeMailRate     float64
	KnownAccountRate float64

	Accounts []leadroute.Account
}

// Item is one lead to send.
type Item struct {
	Index int
	Body  []byte // one JSON object without a line break, unless Flaw is FlawTruncated
	Label Label
	// Original is the index of the lead that a Duplicate repeats, else -1.
	Original int
	Flaw     Flaw
}

// Generator makes leads. Each is a function of the seed and its index alone, so that
// a Generator holds no lead, may be asked in any order, and is safe for concurrent use.
type Generator struct {
	opts      Options
	words     *vocabulary
	companies []company
	accounts  []company

	once   sync.Once
	truths map[string][]Truth // by company, made when somebody asks
}

// New returns a generator, or an error that names the option that makes no sense.
func New(o Options) (*Generator, error) {
	for _, r := range []struct {
		name string
		rate float64
	}{
		{"DuplicateRate", o.DuplicateRate},
		{"MalformedRate", o.MalformedRate},
		{"WrongTypeRate", o.WrongTypeRate},
		{"FreeMailRate", o.FreeMailRate},
		{"KnownAccountRate", o.KnownAccountRate},
		{"DuplicateRate+MalformedRate+WrongTypeRate", o.DuplicateRate + o.MalformedRate + o.WrongTypeRate},
		{"FreeMailRate+KnownAccountRate", o.FreeMailRate + o.KnownAccountRate},
	} {
		if !(r.rate >= 0 && r.rate <= 1) {
			return nil, fmt.Errorf("load generator: %s is %v, want 0 to 1", r.name, r.rate)
		}
	}
	if o.Leads < 0 {
		return nil, fmt.Errorf("load generator: Leads is %d, want 0 or more", o.Leads)
	}
	if o.KnownAccountRate > 0 && len(o.Accounts) == 0 {
		return nil, errors.New("load generator: KnownAccountRate is set, but there are no Accounts")
	}
	g := &Generator{opts: o, words: newVocabulary()}
	g.companies = newCompanies(g.words, o.Seed, min(max(o.Leads/4, 50), 20_000))
	g.accounts = accountCompanies(o.Seed, o.Accounts)
	return g, nil
}

// Len is the number of leads.
func (g *Generator) Len() int { return g.opts.Leads }

// All yields every lead in order. The bodies are the caller's to keep.
func (g *Generator) All() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range g.opts.Leads {
			if !yield(g.Item(i, nil)) {
				return
			}
		}
	}
}

// Item makes lead i, its body appended to buf[:0].
func (g *Generator) Item(i int, buf []byte) Item {
	it := Item{Index: i, Original: -1}
	it.Label, it.Original = g.label(i)
	d := dice(g.opts.Seed, saltSpoil, i)
	switch it.Label {
	case Valid:
		p := g.person(i)
		it.Body = p.appendJSON(buf[:0], p.email, "")
	case Duplicate:
		p := g.person(it.Original)
		p.utm = pick(d, utmSources)
		it.Body = p.appendJSON(buf[:0], respell(d, p.email), "")
	case Malformed:
		it.Flaw = pick(d, []Flaw{FlawTruncated, FlawNoScore, FlawUnknownValue, FlawOutOfRange})
	case WrongType:
		it.Flaw = FlawWrongType
	}
	if it.Flaw != "" {
		p := g.person(i)
		p.spoil(d, it.Flaw)
		it.Body = p.appendJSON(buf[:0], p.email, it.Flaw)
		if it.Flaw == FlawTruncated {
			it.Body = it.Body[:len(it.Body)*2/5+d.IntN(len(it.Body)/2)]
		}
	}
	return it
}

// The body begins with the member emitted_at, so that Stamp knows where to write.
const (
	stampAt     = len(`{"emitted_at":"`)
	stampLayout = "2006-01-02T15:04:05.000Z"
	stampBlank  = "2026-01-01T00:00:00.000Z"
)

// Stamp writes the time of emission into the body, in place.
func (it *Item) Stamp(at time.Time) {
	if len(it.Body) >= stampAt+len(stampLayout) {
		// Not straight into the body: AppendFormat scribbles past the end of what it returns.
		var b [len(stampLayout) + 16]byte
		copy(it.Body[stampAt:], at.UTC().AppendFormat(b[:0], stampLayout))
	}
}

// label decides what lead i is; original is -1 unless it repeats another.
func (g *Generator) label(i int) (l Label, original int) {
	l = g.raw(i)
	if l != Duplicate {
		return l, -1
	}
	// A third come at once, so that both are in flight together; a third soon; a third late.
	d := dice(g.opts.Seed, saltOriginal, i)
	reach := pick(d, []int{4, 200, 5000})
	for j := i - 1 - d.IntN(reach); j >= 0; j-- {
		if g.raw(j) == Valid {
			return Duplicate, j
		}
	}
	for j := i - 1; j >= 0; j-- {
		if g.raw(j) == Valid {
			return Duplicate, j
		}
	}
	return Valid, -1 // nobody came before
}

func (g *Generator) raw(i int) Label {
	f := dice(g.opts.Seed, saltLabel, i).Float64()
	for _, s := range []struct {
		rate  float64
		label Label
	}{{g.opts.DuplicateRate, Duplicate}, {g.opts.MalformedRate, Malformed}, {g.opts.WrongTypeRate, WrongType}} {
		if f < s.rate {
			return s.label
		}
		f -= s.rate
	}
	return Valid
}

// respell writes an e-mail address as people do; normalised it is the same.
func respell(d *rand.Rand, email string) string {
	switch d.IntN(5) {
	case 0:
		return strings.ToUpper(email)
	case 1:
		return strings.ToUpper(email[:1]) + email[1:]
	case 2:
		return " " + email + "  "
	case 3:
		at := strings.IndexByte(email, '@')
		return email[:at] + strings.ToUpper(email[at:])
	default:
		return email
	}
}

// Normalise is the truth's idea of one e-mail address: trimmed, in lower case.
func Normalise(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Find returns the index of the Valid lead of the person with this e-mail address;
// ok is false for a person whom this generator never made.
func (g *Generator) Find(email string) (index int, ok bool) {
	email = Normalise(email)
	local, _, ok := strings.Cut(email, "@")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(local[strings.LastIndexByte(local, '.')+1:], 36, 64)
	if err != nil || n < 0 || n >= int64(g.opts.Leads) {
		return 0, false
	}
	i := int(n)
	if l, _ := g.label(i); l != Valid || g.person(i).email != email {
		return 0, false
	}
	return i, true
}

// The streams of chance: two of one index are independent.
const (
	saltLabel uint64 = iota + 1
	saltOriginal
	saltPerson
	saltSpoil
	saltCompany
	saltAccount
	saltRep
)

// dice is the source of chance for one thing of one kind.
func dice(seed, salt uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(mix(seed+salt<<32), mix(uint64(i)^salt<<48)))
}

// mix is the finalizer of splitmix64: neighbouring numbers come out unrelated.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func pick[T any](d *rand.Rand, from []T) T { return from[d.IntN(len(from))] }
