package company

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// bookOf is the book of some accounts.
func bookOf(accounts ...leadroute.Account) *Book {
	rows := map[string]*leadroute.Account{}
	b := &Book{Row: func(d string) *leadroute.Account { return rows[d] }, Names: NewIndex()}
	for i := range accounts {
		a := &accounts[i]
		rows[a.Domain] = a
		b.Names.Set(a.Domain, append([]string{a.Name}, a.Aliases...)...)
	}
	return b
}

func lead(fields string) *leadroute.Lead { return &leadroute.Lead{Fields: json.RawMessage(fields)} }

func TestFindByDomainAndParent(t *testing.T) {
	b := bookOf(
		leadroute.Account{Domain: "acme.com", Name: "Acme", Owner: "ana"},
		leadroute.Account{Domain: "labs.io", Name: "Labs", Parent: "acme.com"},
		leadroute.Account{Domain: "own.io", Name: "Own", Parent: "acme.com", Owner: "ben"},
		leadroute.Account{Domain: "deep.io", Name: "Deep", Parent: "labs.io"},
		leadroute.Account{Domain: "lost.io", Name: "Lost", Parent: "nowhere.io"},
		leadroute.Account{Domain: "a.io", Name: "A", Parent: "b.io"},
		leadroute.Account{Domain: "b.io", Name: "B", Parent: "a.io"},
		leadroute.Account{Domain: "gmail.com", Name: "Mail", Owner: "ana"},
		leadroute.Account{Domain: "eu.group.co.uk", Name: "Group EU", Owner: "eve"},
		leadroute.Account{Domain: "group.co.uk", Name: "Group", Owner: "ana"},
	)
	first := []string{plan.ByDomain, plan.BySubsidiary}
	for _, c := range []struct {
		by                 []string
		domain, want, how  string
		ignore, foundUnder string
	}{
		{by: first, domain: "acme.com", want: "acme.com", how: plan.ByDomain},
		{by: first, domain: "mail.eu.acme.com", want: "acme.com", how: plan.ByDomain, foundUnder: "acme.com"},
		{by: first, domain: "x.eu.group.co.uk", want: "eu.group.co.uk", how: plan.ByDomain, foundUnder: "eu.group.co.uk"},
		{by: first, domain: "other.co.uk", want: ""},
		{by: first, domain: "labs.io", want: "acme.com", how: plan.BySubsidiary}, // it has no owner
		{by: first, domain: "own.io", want: "own.io", how: plan.ByDomain},
		{by: first, domain: "deep.io", want: "acme.com", how: plan.BySubsidiary},
		{by: first, domain: "lost.io", want: "lost.io", how: plan.ByDomain},
		{by: first, domain: "a.io", want: "b.io", how: plan.BySubsidiary}, // a circle without an owner ends
		{by: first, domain: "gmail.com", want: ""},
		{by: first, domain: "acme.com", ignore: "acme.com", want: ""},
		{by: first, domain: "", want: ""},
		{by: []string{plan.ByDomain}, domain: "labs.io", want: "labs.io", how: plan.ByDomain},
		{by: []string{plan.BySubsidiary, plan.ByDomain}, domain: "own.io", want: "acme.com", how: plan.BySubsidiary},
		{by: []string{plan.BySubsidiary, plan.ByDomain}, domain: "acme.com", want: "acme.com", how: plan.ByDomain},
		{by: []string{plan.BySubsidiary}, domain: "acme.com", want: ""},
		{by: []string{plan.ByName}, domain: "acme.com", want: ""},
	} {
		m := &plan.AccountMatch{By: c.by, Similarity: 1}
		if c.ignore != "" {
			m.IgnoreDomains = []string{c.ignore}
		}
		a, found := b.Find(&plan.Plan{Accounts: m}, lead(`{"email":"kim@`+c.domain+`"}`))
		got, how, under := "", "", ""
		if a != nil {
			got, how, under = a.Domain, found.By, found.Domain
		}
		if c.foundUnder == "" {
			under = ""
		}
		if got != c.want || how != c.how || under != c.foundUnder {
			t.Errorf("by %v %q finds %q by %q under %q, want %q by %q under %q", c.by, c.domain, got, how, under, c.want, c.how, c.foundUnder)
		}
	}
	if a, found := b.Find(&plan.Plan{}, lead(`{"email":"kim@acme.com"}`)); a != nil || found != nil {
		t.Errorf("without account_match: found %v, %v, want nothing", a, found)
	}
}

func TestFindByName(t *testing.T) {
	p := &plan.Plan{
		Accounts: &plan.AccountMatch{By: []string{plan.ByDomain, plan.ByName}, Similarity: 0.92, Confirm: []string{"country", "phone"}, TieBreak: []string{"open_deal", "tier", "last_activity"}},
		Fields:   append(plan.Envelope(), plan.Field{Name: "account.tier", Type: plan.TypeString, Values: []string{"gold", "silver"}}),
	}
	attrs := func(kv ...any) map[string]any {
		m := map[string]any{"country": "US"}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	acme := leadroute.Account{Domain: "acme.com", Name: "Acme Rockets, Inc.", Owner: "ana", Attrs: attrs("phone", "+1 (415) 555-0100")}
	deal := leadroute.Account{Domain: "zz.com", Name: "Acme Rockets GmbH", Owner: "ben", Attrs: attrs("open_deal", true)}
	gold := leadroute.Account{Domain: "zy.com", Name: "Acme Rockets", Owner: "ben", Attrs: attrs("tier", "gold")}
	silver := leadroute.Account{Domain: "zx.com", Name: "Acme Rockets", Owner: "ben", Attrs: attrs("tier", "silver")}
	late := leadroute.Account{Domain: "zw.com", Name: "Acme Rockets", Owner: "ben", Attrs: attrs("last_activity", "2026-03-01")}
	early := leadroute.Account{Domain: "zv.com", Name: "Acme Rockets", Owner: "ben", Attrs: attrs("last_activity", "2025-12-31T23:00:00Z")}
	rackets := leadroute.Account{Domain: "rackets.com", Name: "Acme Rackets", Owner: "eve", Attrs: attrs()}
	const says = `{"email":"kim@gmail.com","company":"ACME Rockets","country":"usa"}`
	for _, c := range []struct {
		what     string
		accounts []leadroute.Account
		lead     string
		want     string
		found    *plan.Found
	}{
		{"alone", []leadroute.Account{acme}, says, "acme.com", &plan.Found{By: "name", Score: 1, Confirmed: []string{"country"}}},
		{
			"both fields",
			[]leadroute.Account{acme},
			`{"company":"Acme Rockets","country":"US","phone":"415-555-0100 x7"}`, "acme.com",
			&plan.Found{By: "name", Score: 1, Confirmed: []string{"country", "phone"}},
		},
		{
			"no field agrees",
			[]leadroute.Account{acme},
			`{"company":"Acme Rockets","country":"Germany"}`, "",
			&plan.Found{Passed: []plan.PassedOver{{Domain: "acme.com", Name: acme.Name, Score: 1, Why: plan.PassedUnconfirmed}}},
		},
		{
			"no field is said",
			[]leadroute.Account{acme},
			`{"company":"Acme Rockets"}`, "",
			&plan.Found{Passed: []plan.PassedOver{{Domain: "acme.com", Name: acme.Name, Score: 1, Why: plan.PassedUnconfirmed}}},
		},
		{
			"not alike enough", []leadroute.Account{acme}, `{"company":"Acme Jockets Bay","country":"US"}`, "", nil,
		},
		{"a deal decides", []leadroute.Account{gold, deal, acme}, says, "zz.com", &plan.Found{
			By: "name", Score: 1, Confirmed: []string{"country"}, Tie: "open_deal",
			Passed: []plan.PassedOver{{Domain: "acme.com", Name: acme.Name, Score: 1, Why: "open_deal"}, {Domain: "zy.com", Name: gold.Name, Score: 1, Why: "open_deal"}},
		}},
		{"the tier declared first decides", []leadroute.Account{silver, gold}, says, "zy.com", &plan.Found{
			By: "name", Score: 1, Confirmed: []string{"country"}, Tie: "tier", Passed: []plan.PassedOver{{Domain: "zx.com", Name: silver.Name, Score: 1, Why: "tier"}},
		}},
		{"the later activity decides", []leadroute.Account{early, late}, says, "zw.com", &plan.Found{
			By: "name", Score: 1, Confirmed: []string{"country"}, Tie: "last_activity", Passed: []plan.PassedOver{{Domain: "zv.com", Name: early.Name, Score: 1, Why: "last_activity"}},
		}},
		{"a like name comes second", []leadroute.Account{rackets, acme}, says, "acme.com", &plan.Found{
			By: "name", Score: 1, Confirmed: []string{"country"},
		}},
		{"nothing decides between two names", []leadroute.Account{
			{Domain: "a.com", Name: "Acme Rockets", Attrs: attrs()}, {Domain: "b.com", Name: "Acme Rockers", Attrs: attrs()},
		}, `{"company":"Acme Rockexs","country":"US"}`, "", &plan.Found{Passed: []plan.PassedOver{
			{Domain: "a.com", Name: "Acme Rockets", Score: 0.971, Why: plan.PassedAmbiguous}, {Domain: "b.com", Name: "Acme Rockers", Score: 0.971, Why: plan.PassedAmbiguous},
		}}},
		{
			"of no account, claimed before",
			[]leadroute.Account{{Domain: "~acme-rockets~us", Owner: "ben"}},
			says, "~acme-rockets~us",
			&plan.Found{By: "name", Score: 1},
		},
		{"the domain goes first", []leadroute.Account{acme, rackets}, `{"email":"kim@rackets.com","company":"Acme Rockets","country":"US"}`, "rackets.com", &plan.Found{By: "domain", Domain: "rackets.com"}},
	} {
		a, found := bookOf(c.accounts...).Find(p, lead(c.lead))
		got := ""
		if a != nil {
			got = a.Domain
		}
		if got != c.want {
			t.Errorf("%s: found %q, want %q (%+v)", c.what, got, c.want, found)
		}
		if d := cmp.Diff(c.found, found); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.what, d)
		}
	}
	without := Book{Row: bookOf(acme).Row}
	if a, found := without.Find(p, lead(says)); a != nil || found != nil {
		t.Errorf("without an index of names: found %v, %v, want nothing", a, found)
	}
}

func TestAgree(t *testing.T) {
	for _, c := range []struct {
		field, said string
		has         any
		want        bool
	}{
		{"country", "USA", "United States", true},
		{"country", "DE", "deu", true},
		{"country", "DE", "AT", false},
		{"country", "Atlantis", "atlantis", true},
		{"country", "", "US", false},
		{"country", "US", nil, false},
		{"phone", "+49 (0)30 123456", "030/12 34 56", true},
		{"phone", "0049 30 123456", "+4930123456", true},
		{"phone", "415.555.0100", "+1 415 555 0100 ext. 12", true},
		{"phone", "555-0100", "415 555 0100", true},
		{"phone", "0100", "415 555 0100", false},
		{"phone", "415 555 0101", "415 555 0100", false},
		{"phone", "4155550100", 4155550100.0, true},
		{"postal_code", "94105-1234", "94105", true},
		{"postal_code", "SW1A 1AA", "sw1a1aa", true},
		{"postal_code", "94105", 94105.0, true},
		{"postal_code", "94105", "94106", false},
		{"postal_code", "12345", "123456", false},
		{"postal_code", "-", "-", false},
		{"city", "São Paulo", "Sao Paulo", true},
		{"city", "Rome", "Milan", false},
		{"size", "5", true, false},
	} {
		a := leadroute.Account{Attrs: map[string]any{c.field: c.has}}
		if got := agree(c.field, c.said, &a); got != c.want {
			t.Errorf("agree(%s, %q, %v) = %v, want %v", c.field, c.said, c.has, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	tier := &plan.Field{Values: []string{"gold", "silver", "bronze"}}
	for _, c := range []struct {
		field *plan.Field
		a, b  any // a goes first
	}{
		{nil, true, false},
		{nil, true, nil},
		{nil, false, nil},
		{nil, 5.0, 3.0},
		{nil, 0.0, nil},
		{tier, "gold", "silver"},
		{tier, "bronze", "gone"},
		{tier, "gone", nil},
		{nil, "2026-02-01", "2026-01-31T10:00:00Z"},
		{nil, "a", "b"},
		{nil, "a", ""},
	} {
		if got := compare(c.field, c.a, c.b); got >= 0 {
			t.Errorf("compare(%v, %v) = %d, want before", c.a, c.b, got)
		}
		if got := compare(c.field, c.b, c.a); got <= 0 {
			t.Errorf("compare(%v, %v) = %d, want behind", c.b, c.a, got)
		}
		if got := compare(c.field, c.a, c.a); got != 0 {
			t.Errorf("compare(%v, itself) = %d, want 0", c.a, got)
		}
	}
	if got := compare(nil, "a", 1.0); got != 0 {
		t.Errorf("compare of a text and a number = %d, want 0", got)
	}
}
