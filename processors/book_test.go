package processors

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
)

// TestBook: accounts are found by name from the start where the policy says so, and else
// once a policy that does has come into force, its index built beside; changes are followed,
// those that come while it is built, too.
func TestBook(t *testing.T) {
	domains := &plan.Plan{Accounts: &plan.AccountMatch{By: []string{plan.ByDomain}}}
	names := &plan.Plan{Accounts: &plan.AccountMatch{By: []string{plan.ByDomain, plan.ByName}, Similarity: 0.92}}
	says := &leadroute.Lead{Fields: []byte(`{"company":"Acme Rockets Inc"}`)}
	for _, start := range []*plan.Plan{domains, names} {
		b := kafkatest.Start(t, []leadroute.Class{"P0"}, "crm")
		set := func(a *leadroute.Account) {
			t.Helper()
			row, err := leadroute.Encode(a)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Client().ProduceSync(t.Context(), &kgo.Record{
				Topic: b.Config.Namespace.Table(leadroute.TopicAccounts), Key: []byte(a.Domain), Value: row,
			}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		set(&leadroute.Account{Domain: "acme.com", Name: "Acme Rockets", Owner: "ana"})
		k, err := newBook(b.Config, start)
		if err != nil {
			t.Fatal(err)
		}
		stopView, stopNames := kafkatest.Run(t, k.view.Run), kafkatest.Run(t, k.run)
		kafkatest.Await(t, "the view", k.view.Recovered())
		find := func() string {
			a, _ := k.Find(names, says)
			if a == nil {
				return ""
			}
			return a.Domain
		}
		if start == domains {
			if got := find(); got != "" {
				t.Errorf("by = domain: found %q by name, want none: there is no index", got)
			}
			k.serve(domains, nil)
			set(&leadroute.Account{Domain: "other.com", Name: "Other", Owner: "ana"})
			k.serve(domains, names) // a candidate
		}
		until(t, "acme.com is found by name", func() bool { return find() == "acme.com" })
		set(&leadroute.Account{Domain: "acme.com", Name: "Something Else"})
		set(&leadroute.Account{Domain: "acme.de", Name: "Renamed", Aliases: []string{"Acme Rockets"}})
		until(t, "the names have changed", func() bool { return find() == "acme.de" })
		stopNames()
		stopView()
	}
}

// until waits until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("after 20s it is not so: %s", what)
		}
	}
}
