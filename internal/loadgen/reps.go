package loadgen

import (
	"fmt"

	"github.com/leadroute/leadroute"
)

// The teams of the generated reps.
const (
	TeamAE         = "ae"
	TeamEnterprise = "enterprise"
)

// Share is how many of the reps a region gets, relative to the others.
type Share struct {
	Region string
	Weight int
}

// ThreeRegions is the mix of the demo. Nobody sits in LATAM: leads from there are for NA.
var ThreeRegions = []Share{{"NA", 3}, {"EMEA", 2}, {"APAC", 1}}

// Reps makes n reps who work round the clock without day caps. The regions of mix
// take turns by their weight; every fourth rep of a region is on the enterprise team.
// Each has an open cap of 30 to 50 and a weight of 1 to 3.
func Reps(seed uint64, n int, mix []Share) []leadroute.Rep {
	var turns []string
	for _, s := range mix {
		for range s.Weight {
			turns = append(turns, s.Region)
		}
	}
	if len(turns) == 0 {
		turns = []string{""}
	}
	words := newVocabulary()
	count := make(map[string]int)
	out := make([]leadroute.Rep, n)
	for i := range out {
		d := dice(seed, saltRep, i)
		region := turns[i%len(turns)]
		nth := count[region]
		count[region]++
		team := TeamAE
		if nth%4 == 3 {
			team = TeamEnterprise
		}
		id := fmt.Sprintf("%s-%03d", slug("rep"+region), nth+1)
		out[i] = leadroute.Rep{
			ID:     leadroute.RepID(id),
			Email:  id + "@example.com",
			CRMID:  fmt.Sprintf("005%09d", i+1),
			Name:   pick(d, words.first).text + " " + pick(d, words.last).text,
			Team:   team,
			Region: region,
			Weight: float64(1 + d.IntN(3)),
			Caps:   leadroute.Caps{Open: 30 + d.IntN(21)},
		}
	}
	return out
}

// Accounts makes n accounts; nine in ten are owned by one of the reps, whose region is
// then the account's, in its attributes.
func Accounts(seed uint64, n int, reps []leadroute.Rep) []leadroute.Account {
	words := newVocabulary()
	out := make([]leadroute.Account, n)
	for i := range out {
		d := dice(seed, saltAccount, i)
		name := newWord(pick(d, words.colours) + " " + pick(d, words.animals) + " Holdings")
		a := leadroute.Account{
			Domain: name.slug + base36(i) + ".example",
			Name:   name.text,
			Attrs:  map[string]any{"tier": pick(d, []string{"a", "b", "c"}), "customer": d.IntN(2) == 0},
		}
		if len(reps) > 0 && d.IntN(10) > 0 {
			r := pick(d, reps)
			a.Owner = r.ID
			if r.Region != "" {
				a.Attrs["region"] = r.Region
			}
		}
		out[i] = a
	}
	return out
}

// Judge knows who may own a lead by the intent of examples/demo.hcl: the owner of the
// account, else, for a big one of no owned account, the enterprise team; and, when they
// are busy, the account executives of the lead's region. EMEA and APAC have their own;
// everybody else's, and those of leads that do not say, sit in NA.
type Judge struct {
	reps map[leadroute.RepID]leadroute.Rep
}

// NewJudge returns the judge of these reps.
func NewJudge(reps []leadroute.Rep) *Judge {
	j := &Judge{reps: make(map[leadroute.RepID]leadroute.Rep, len(reps))}
	for _, r := range reps {
		j.reps[r.ID] = r
	}
	return j
}

// Allows tells whether rep may own a lead of which t is true. A rep nobody knows may
// own none.
func (j *Judge) Allows(t Truth, rep leadroute.RepID) bool {
	r, known := j.reps[rep]
	if !known {
		return false
	}
	home := t.Region
	if home != "EMEA" && home != "APAC" {
		home = "NA"
	}
	switch {
	case r.Team == TeamAE && r.Region == home:
		return true
	case t.Owner != "":
		return rep == t.Owner
	default:
		return t.Big && r.Team == TeamEnterprise
	}
}

// CRMID is the owner id by which the CRM knows a rep.
func (j *Judge) CRMID(rep leadroute.RepID) string {
	if id := j.reps[rep].CRMID; id != "" {
		return id
	}
	return string(rep)
}
