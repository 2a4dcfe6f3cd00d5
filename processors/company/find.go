package company

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Book is the accounts as one instance sees them. What it says is a hint: whose an account
// is, its own row knows.
type Book struct {
	// Row returns the account of a domain, nil if there is none.
	Row func(domain string) *leadroute.Account
	// Names is the index of the accounts' names; nil: by = "name" finds nothing.
	Names *Index
}

// Find looks the account of a lead up by the ways of the policy, in their order; nil: it has
// none. The second result is nil where there is nothing to tell.
func (b *Book) Find(p *plan.Plan, l *leadroute.Lead) (*leadroute.Account, *plan.Found) {
	return b.FindCompany(p, p.Company(l))
}

// FindCompany is Find for what a lead says of its company.
func (b *Book) FindCompany(p *plan.Plan, c plan.Company) (*leadroute.Account, *plan.Found) {
	if p.Accounts == nil {
		return nil, nil
	}
	f := finder{Book: b, plan: p, match: p.Accounts, company: c}
	for i, way := range f.match.By {
		var a *leadroute.Account
		switch way {
		case plan.ByDomain:
			a = f.byDomain(slices.Contains(f.match.By[i+1:], plan.BySubsidiary))
		case plan.BySubsidiary:
			a = f.bySubsidiary()
		case plan.ByName:
			a = f.byName()
		}
		if a != nil {
			f.found.By = way
			if a == f.orphan {
				f.found.By = plan.ByDomain
			}
			return a, &f.found
		}
	}
	if len(f.found.Passed) == 0 {
		return nil, nil
	}
	return nil, &f.found
}

type finder struct {
	*Book
	plan    *plan.Plan
	match   *plan.AccountMatch
	company plan.Company
	found   plan.Found
	orphan  *leadroute.Account // a subsidiary without an owner, that its parent may have one for
}

// row is the account of the lead's domain, or of the nearest domain above it that somebody
// has registered: that of acme.co.uk for eu.acme.co.uk.
func (f *finder) row() *leadroute.Account {
	d := f.company.Domain
	if ignored(f.match, d) {
		return nil
	}
	own := Domain(d)
	for {
		if a := f.Row(d); a != nil {
			f.found.Domain = d
			return a
		}
		_, above, ok := strings.Cut(d, ".")
		if !ok || own == "" || len(above) < len(own) {
			return nil
		}
		d = above
	}
}

// byDomain takes the account of the lead's domain. parents says that parents are asked next:
// then an account that has a parent and no owner is left to them.
func (f *finder) byDomain(parents bool) *leadroute.Account {
	a := f.row()
	if a != nil && parents && a.Owner == "" && a.Parent != "" && !mutant.On("company-orphan-kept") {
		f.orphan = a
		return nil
	}
	return a
}

// maxParents bounds the way up, which may be a circle.
const maxParents = 8

// bySubsidiary takes the parent of the account of the lead's domain; of one that has no owner
// and a parent itself, its parent.
func (f *finder) bySubsidiary() *leadroute.Account {
	a := f.row()
	if a == nil {
		return nil
	}
	var parent *leadroute.Account
	for range maxParents {
		if a.Parent == "" || parent != nil && parent.Owner != "" {
			break
		}
		above := f.Row(a.Parent)
		if above == nil || above.Domain == f.found.Domain {
			break
		}
		parent, a = above, above
	}
	if parent == nil {
		return f.orphan
	}
	return parent
}

// Bounds of what is told.
const (
	maxPassed  = 3   // accounts that were passed over
	alsoUnlike = 0.1 // so much less alike than asked for is still told
)

// asAlike is by how much the scores of two names may differ that are as alike as one another.
const asAlike = 0.005

// candidate is an account of a like name.
type candidate struct {
	Hit
	row       *leadroute.Account
	confirmed []string
	why       string // it is passed over
}

// byName takes the account whose name is most like the lead's company, if it is alike enough,
// the policy's fields agree, and no other one is as good.
func (f *finder) byName() *leadroute.Account {
	if f.company.Name == "" {
		return nil
	}
	if f.Names == nil {
		return f.claimed()
	}
	var all []*candidate
	for _, h := range f.Names.Search(Normal(f.company.Name), f.match.Similarity-alsoUnlike) {
		if c := f.candidate(h); c != nil {
			all = append(all, c)
		}
	}
	best := f.choose(all)
	for _, c := range all {
		if c != best && len(f.found.Passed) < maxPassed {
			f.found.Passed = append(f.found.Passed, plan.PassedOver{Domain: c.Domain, Name: c.row.Name, Score: rounded(c.Score), Why: c.why})
		}
	}
	if best == nil {
		return f.claimed()
	}
	f.found.Domain, f.found.Score, f.found.Confirmed = "", rounded(best.Score), best.confirmed
	return best.row
}

// claimed is the row of a company that nobody made an account of, and that an earlier lead of
// the same name claimed.
func (f *finder) claimed() *leadroute.Account {
	key, ok := nameKey(f.company)
	if !ok {
		return nil
	}
	a := f.Row(key)
	if a != nil {
		f.found.Domain, f.found.Score = "", 1
	}
	return a
}

func rounded(score float64) float64 { return math.Round(score*1000) / 1000 }

func (f *finder) candidate(h Hit) *candidate {
	c := &candidate{Hit: h, row: f.Row(h.Domain)}
	if c.row == nil {
		return nil // removed this moment
	}
	for i, field := range f.match.Confirm {
		if agree(field, f.company.Confirm[i], c.row) {
			c.confirmed = append(c.confirmed, field)
		}
	}
	switch {
	case h.Score < f.match.Similarity:
		c.why = plan.PassedUnlike
	case len(f.match.Confirm) > 0 && len(c.confirmed) == 0:
		c.why = plan.PassedUnconfirmed
	}
	return c
}

// choose picks among the candidates, the most alike first, and says of the others why not.
func (f *finder) choose(all []*candidate) *candidate {
	var fit []*candidate
	for _, c := range all {
		if c.why == "" {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	exact := fit[0].Exact
	var tied []*candidate
	for _, c := range fit {
		if c.Exact == exact && c.Score >= fit[0].Score-asAlike {
			tied = append(tied, c)
		} else {
			c.why = plan.PassedLess
		}
	}
	best := slices.MinFunc(tied, func(a, b *candidate) int {
		if order, _ := f.better(a, b); order != 0 {
			return order
		}
		return strings.Compare(a.Domain, b.Domain)
	})
	f.found.Tie = ""
	for _, c := range tied {
		switch order, by := f.better(best, c); {
		case c == best:
		case order != 0:
			c.why, f.found.Tie = by, by
		case exact: // accounts of one name
			c.why, f.found.Tie = plan.PassedOrder, plan.PassedOrder
		default:
			c.why, best.why = plan.PassedAmbiguous, plan.PassedAmbiguous
		}
	}
	if best.why != "" {
		f.found.Tie = ""
		return nil
	}
	return best
}

// better compares two candidates by the policy's tie_break, then by how many fields agree:
// negative if a is the better one. by is what decided.
func (f *finder) better(a, b *candidate) (order int, by string) {
	for _, attr := range f.match.TieBreak {
		if order := compare(f.plan.Field("account."+attr), attribute(a.row, attr), attribute(b.row, attr)); order != 0 {
			return order, attr
		}
	}
	return cmp.Compare(len(b.confirmed), len(a.confirmed)), plan.PassedConfirmed
}
