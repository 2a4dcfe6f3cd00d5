package company

import (
	_ "embed"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Domain is the part of a domain that was registered: acme.co.uk of mail.acme.co.uk. It is
// empty where nobody can have registered it, such as co.uk itself.
func Domain(d string) string {
	d = strings.Trim(d, ".")
	if !strings.Contains(d, ".") {
		return ""
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(d)
	if err != nil {
		return ""
	}
	return own
}

// FreeMail tells of a domain at which anybody can have an address, for long or for ten
// minutes: it says nothing about a company. The lists are short and built in; a policy adds
// its own by ignore_domains.
func FreeMail(domain string) bool {
	return freeMail[domain] || freeMail[Domain(domain)]
}

//go:embed freemail.txt
var freeMailList string

var freeMail = func() map[string]bool {
	var s strings.Builder
	for line := range strings.Lines(freeMailList) {
		if !strings.HasPrefix(line, "#") {
			s.WriteString(line)
		}
	}
	return set(s.String())
}()

// ignored tells of a domain that is no company's to the policy.
func ignored(m *plan.AccountMatch, domain string) bool {
	if domain == "" || FreeMail(domain) && !mutant.On("company-free-mail") {
		return true
	}
	own := Domain(domain)
	for _, d := range m.IgnoreDomains {
		if d == domain || d == own {
			return true
		}
	}
	return false
}
