package intake

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/leadroute/leadroute"
)

// Accounts is the table of accounts.
func Accounts() *Table[leadroute.Account] {
	return &Table[leadroute.Account]{
		name: "account", keyAt: "domain",
		fields: []field[leadroute.Account]{
			{"domain", func(a *leadroute.Account) any { return &a.Domain }},
			{"name", func(a *leadroute.Account) any { return &a.Name }},
			{"owner", func(a *leadroute.Account) any { return (*string)(&a.Owner) }},
			{"attrs", func(a *leadroute.Account) any { return &a.Attrs }},
		},
		finish: func(a *leadroute.Account) { a.Domain = domain(a.Domain) },
		key:    func(a *leadroute.Account) string { return a.Domain },
		check: func(a *leadroute.Account, report report) {
			if message := badDomain(a.Domain); message != "" {
				report("domain", message, domainRemedy)
			}
			if a.Owner != "" {
				if why := BadID(string(a.Owner)); why != "" {
					report("owner", "the rep's id "+why, `write the id of a rep, like "ana"`)
				}
			}
			checkAttrCount(a.Attrs, report)
			checkAttrs(a.Attrs, report)
		},
	}
}

// domain is the one form of a domain, the same in which a lead's is looked up.
func domain(s string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), ".")), "www.")
}

const domainRemedy = `write it like "example.com", without https:// and path`

// badDomain says why a domain is none, "" if it is one.
func badDomain(s string) string {
	switch {
	case s == "":
		return "the domain is missing"
	case !domainForm.MatchString(s), len(s) > 253:
		return fmt.Sprintf("%q is no domain", s)
	}
	return ""
}

// domainForm takes letters of every script: a domain may be written in its own.
var domainForm = regexp.MustCompile(`^[\pL\pN_]([\pL\pM\pN_-]*[\pL\pM\pN_])?(\.[\pL\pN_]([\pL\pM\pN_-]*[\pL\pM\pN_])?)+$`)
