package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/ledger"
)

// firm is a company that leads work for. lab is a subsidiary's domain.
type firm struct{ domain, lab, name, key string }

var firms = []firm{
	{"alpha.example", "lab-alpha.example", "Alpha Rockets", "~alpha-rockets"},
	{"borealis.example", "lab-borealis.example", "Borealis Foods", "~borealis-foods"},
	{"cygnus.example", "lab-cygnus.example", "Cygnus Machines", "~cygnus-machines"},
}

// freeMail is where an account stands by mistake.
const freeMail = "gmail.com"

// accountDomains are the domains of which somebody says something.
var accountDomains = func() []string {
	all := []string{freeMail}
	for _, f := range firms {
		all = append(all, f.domain, f.lab)
	}
	return all
}()

// drawEmployer draws what a lead says of its company: the domain, or the name alone.
func (w *World) drawEmployer() (email, name string) {
	f := firms[w.rng.IntN(len(firms))]
	switch w.rng.IntN(8) {
	case 0, 1:
		return freeMail, ""
	case 2:
		return freeMail, strings.ToUpper(f.name) + ", Inc."
	case 3:
		return freeMail, f.name
	case 4:
		return f.lab, ""
	case 5:
		return "eu." + f.domain, ""
	}
	return f.domain, ""
}

// employer is what the lead says.
func employer(l *leadroute.Lead) (domain, name string) {
	var says struct{ Email, Company string }
	_ = json.Unmarshal(l.Fields, &says) // drawn here
	return strings.TrimPrefix(says.Email, "kim@"), says.Company
}

// firmOf is the company of a domain, or of a name as leads write it; nil: of none.
func firmOf(domain, name string) *firm {
	name = strings.TrimSuffix(strings.ToLower(name), ", inc.")
	for i := range firms {
		f := &firms[i]
		if domain == f.domain || domain == "eu."+f.domain || domain == f.lab || name != "" && name == strings.ToLower(f.name) {
			return f
		}
	}
	return nil
}

// drawAccounts draws how leads find their accounts.
func (w *World) drawAccounts() *plan.AccountMatch {
	ways := [][]string{
		{plan.ByDomain},
		{plan.ByDomain, plan.BySubsidiary},
		{plan.ByDomain, plan.BySubsidiary, plan.ByName},
		{plan.ByName, plan.ByDomain},
	}
	return &plan.AccountMatch{By: ways[w.rng.IntN(len(ways))], Similarity: 0.92}
}

// importAccount says something of an account: its owner, that it has none, another name,
// whose subsidiary it is, or that there is none.
func (w *World) importAccount() {
	key := accountDomains[w.rng.IntN(len(accountDomains))]
	a := &leadroute.Account{Domain: key, Name: "Renamed Works"}
	if f := firmOf(key, ""); f != nil && w.chance(2) {
		a.Name = f.name
		if key == f.lab {
			a.Name, a.Parent = "Lab", f.domain
		}
	}
	m := &leadroute.AccountMessage{Set: a}
	switch w.rng.IntN(3) {
	case 0:
		a.Owner = leadroute.RepID(repName(w.rng.IntN(w.opt.Reps)))
	case 1:
		m = &leadroute.AccountMessage{Remove: &struct{}{}}
	}
	w.send(senderOps, leadroute.TopicAccounts, key, m)
}

// findAccount looks the lead's account up in what has reached the changelog, and checks it.
func (w *World) findAccount(p *plan.Plan, l *leadroute.Lead) (*plan.Snapshot, string) {
	book := &company.Book{Row: w.account, Names: w.names}
	fresh := &company.Book{Row: w.account, Names: company.NewIndex()}
	for _, domain := range accountDomains {
		var names []string
		if a := w.account(domain); a != nil {
			names = append([]string{a.Name}, a.Aliases...)
		}
		w.names.Set(domain, names...) // goes on from what it was at the decision before
		fresh.Names.Set(domain, names...)
	}
	a, found, claims := ledger.AccountOf(p, l, book)
	w.checkAccount(p, l, a, found, claims)
	if b, _ := fresh.Find(p, l); domainOf(a) != domainOf(b) {
		w.violate("9 accounts", "lead %s finds account %q, and %q in an index that was made anew", l.ID, domainOf(a), domainOf(b))
	}
	if a == nil && found == nil {
		return nil, claims
	}
	return &plan.Snapshot{Account: a, Found: found}, claims
}

func domainOf(a *leadroute.Account) string {
	if a == nil {
		return ""
	}
	return a.Domain
}

// checkAccount checks an account that was found, and the key at which the lead claims its
// company, against what the lead says.
func (w *World) checkAccount(p *plan.Plan, l *leadroute.Lead, a *leadroute.Account, found *plan.Found, claims string) {
	if p.Accounts == nil {
		return
	}
	domain, name := employer(l)
	f := firmOf(domain, name)
	switch has := w.account(strings.TrimPrefix(domain, "eu.")); {
	case a == nil && has != nil && domain != freeMail && slices.Contains(p.Accounts.By, plan.ByDomain):
		w.violate("9 accounts", "lead %s of %s passes its account over", l.ID, domain)
	case a == nil:
	case f == nil:
		w.violate("9 accounts", "lead %s of %s and %q is no company's, and finds %s", l.ID, domain, name, a.Domain)
	case found.By == plan.ByName && a.Domain != f.key && !strings.EqualFold(a.Name, f.name):
		w.violate("9 accounts", "lead %s of %q finds %s by its name %q", l.ID, name, a.Domain, a.Name)
	case found.By == plan.BySubsidiary && a.Domain != f.domain:
		w.violate("9 accounts", "lead %s of %s finds %s as its parent", l.ID, domain, a.Domain)
	case found.By == plan.ByDomain && a.Owner == "" && a.Parent != "" && slices.Contains(p.Accounts.By, plan.BySubsidiary) && w.account(a.Parent) != nil:
		w.violate("9 accounts", "lead %s of %s finds %s, which nobody owns, and not its parent", l.ID, domain, a.Domain)
	case claims != a.Domain:
		w.violate("9 accounts", "lead %s finds %s and claims %s", l.ID, a.Domain, claims)
	}
	if claims != "" && !slices.Contains(keysOf(p, l), claims) {
		w.violate("9 accounts", "lead %s of %s and %q claims %s", l.ID, domain, name, claims)
	}
}

// keysOf are the keys at which the lead may claim its company.
func keysOf(p *plan.Plan, l *leadroute.Lead) []string {
	if p.Accounts == nil {
		return nil
	}
	domain, name := employer(l)
	f := firmOf(domain, name)
	byDomain := slices.Contains(p.Accounts.By, plan.ByDomain) || slices.Contains(p.Accounts.By, plan.BySubsidiary)
	switch {
	case f == nil:
		return nil
	case domain != freeMail && byDomain:
		return []string{strings.TrimPrefix(domain, "eu."), f.domain}
	case name != "" && slices.Contains(p.Accounts.By, plan.ByName):
		return []string{f.domain, f.lab, f.key}
	}
	return nil
}

// leadFields are what a lead says.
func (w *World) leadFields(n int) json.RawMessage {
	domain, name := w.drawEmployer()
	return fmt.Appendf(nil, `{"n":%d,"email":"kim@%s","company":%q}`, n, domain, name)
}
