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
			{"parent", func(a *leadroute.Account) any { return &a.Parent }},
			{"aliases", func(a *leadroute.Account) any { return &a.Aliases }},
			{"attrs", func(a *leadroute.Account) any { return &a.Attrs }},
		},
		finish: func(a *leadroute.Account) { a.Domain, a.Parent = domain(a.Domain), domain(a.Parent) },
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
			switch message := badDomain(a.Parent); {
			case a.Parent == "":
			case message != "":
				report("parent", message, "write the domain of the parent's account, like \"example.com\"")
			case a.Parent == a.Domain:
				report("parent", "an account is not its own parent", "name another one's domain, or leave it out")
			}
			if len(a.Aliases) > maxAliases {
				report("aliases", fmt.Sprintf("an account has at most %d aliases, not %d", maxAliases, len(a.Aliases)), "leave the least used out")
			}
			for i, alias := range a.Aliases {
				if strings.TrimSpace(alias) == "" || len(alias) > maxAlias {
					report(fmt.Sprint("aliases/", i), fmt.Sprintf("an alias is a name of at most %d bytes", maxAlias), "write another name of the company, or take it out")
				}
			}
			checkAttrCount(a.Attrs, report)
			checkAttrs(a.Attrs, report)
		},
	}
}

// Bounds of an account's other names: its row stays small.
const (
	maxAliases = 16
	maxAlias   = 200
)

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
