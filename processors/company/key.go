package company

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Key is the key under which a lead's company is claimed that has no account yet: two leads
// of one company have one key, and so meet at one row. It is a function of plan and lead alone.
//
// It is the registered domain (acme.co.uk, also of mail.acme.co.uk), where the policy finds
// accounts by domain or subsidiary_of and the domain is a company's: not one that the policy
// ignores, not free mail. Else, where the policy finds accounts by name and the name says
// enough to be one company's, it is "~", the normal form of the name with dashes and, where
// the lead says a country, "~" and that: "~acme-rocket~us". ok is false where there is neither:
// such a lead claims nothing.
//
// A lead whose account was found has that account's domain as its key instead, also where it
// was found by name. Nothing of the person goes into a key: no address, no telephone number, no
// first or last name. But what stands in it is what the lead says of its company, and a sole
// trader's company or domain may bear the trader's name: keys are for tables and messages,
// and for no log line and no metric.
func Key(p *plan.Plan, l *leadroute.Lead) (key string, ok bool) {
	if p.Accounts == nil {
		return "", false
	}
	return keyOf(p.Accounts, p.Company(l))
}

func keyOf(m *plan.AccountMatch, c plan.Company) (key string, ok bool) {
	byDomain := slices.Contains(m.By, plan.ByDomain) || slices.Contains(m.By, plan.BySubsidiary)
	if byDomain && !ignored(m, c.Domain) {
		if own := Domain(c.Domain); own != "" {
			return own, true
		}
	}
	if !slices.Contains(m.By, plan.ByName) {
		return "", false
	}
	return nameKey(c)
}

// nameKey is the key of a company that is known by its name alone.
func nameKey(c plan.Company) (key string, ok bool) {
	name := Normal(c.Name)
	if !specific(name.Words) {
		return "", false
	}
	key = "~" + strings.Join(name.Words, "-")
	if country := Country(c.Country); country != "" {
		key += "~" + strings.ToLower(country)
	}
	return key, true
}

// specific tells whether a name says enough to be one company's: it has a word that is not
// a common one, of three characters or more, or two that are shorter.
func specific(words []string) bool {
	n := 0
	for _, w := range words {
		switch {
		case weightOf(w) < rare:
		case utf8.RuneCountInString(w) >= 3, !ascii(w): // 三井 says as much
			n += 2
		default:
			n++
		}
	}
	return n >= 2
}
