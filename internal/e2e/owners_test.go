package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/embedded"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Leads of the same people and companies come to two instances at the same moment, of which
// one is killed. Each person and each new company has one owner, whoever was first; then the
// policy drops, and of each person's leads one goes its way.
func TestPeopleAndCompaniesHaveOneOwner(t *testing.T) {
	w := newWorld(t, 1, crmsim.Faults{})
	if len(w.given) == 0 {
		b, err := embedded.StartBroker(t.Context(), embedded.BrokerOptions{Dir: filepath.Join(w.dir, "broker")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		w.given = b.Addrs()
	}
	ch, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: filepath.Join(w.dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	a, b := w.process("a", "--clickhouse", ch.DSN()), w.process("b", "--clickhouse", ch.DSN())
	a.args[1], b.args[1] = a.file(ownersPolicy), b.file(ownersPolicy)
	a.launch()
	b.launch()
	doors := []string{a.where().API, b.where().API}
	api, err := apiclient.New(doors[0], apiKey)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		rep := fmt.Sprint("rep", i)
		if err := api.Do(t.Context(), http.MethodPut, "/v1/reps/"+rep, map[string]any{"id": rep, "team": "desk", "caps": map[string]int{"open": 5000}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	rows, stop := view[ledger.State](w, w.given, leadroute.TopicLedger)
	defer stop()

	const companies, people, each = 60, 40, 4
	shared := map[string][]string{} // leads by what they share
	var post errgroup.Group
	post.SetLimit(32)
	send := func(id, share string, fields map[string]any) {
		shared[share] = append(shared[share], id)
		fields["id"], fields["score"] = id, 5
		door := len(shared[share]) % len(doors)
		post.Go(func() error { return w.insist(doors, door, fields) })
	}
	for c := range companies {
		for i := range each {
			send(fmt.Sprintf("c%d-%d", c, i), fmt.Sprint("company ", c), map[string]any{"email": fmt.Sprintf("p%d@company%d.example", i, c)})
		}
		if c == companies/2 {
			b.kill()
			b.start()
		}
	}
	for p := range people {
		for i := range each {
			fields := map[string]any{"email": fmt.Sprintf("person%d@gmail.com", p)}
			if i%2 == 1 { // known by the phone, written in two ways
				fields = map[string]any{"phone": []string{"+4930%06d", "030 %06d"}[i/2], "country": "DE"}
				fields["phone"] = fmt.Sprintf(fields["phone"].(string), 901000+p)
			}
			if i == 0 {
				fields["phone"] = fmt.Sprintf("+49 30 %06d", 901000+p)
			}
			send(fmt.Sprintf("p%d-%d", p, i), fmt.Sprint("person ", p), fields)
		}
	}
	if err := post.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, share := range slices.Sorted(maps.Keys(shared)) {
		owners := map[leadroute.RepID][]string{}
		for _, id := range shared[share] {
			w.until(id+" of "+share+" has an owner", func() bool { s := rows.Get(id); return s != nil && s.Owner() != "" })
			owner := rows.Get(id).Owner()
			owners[owner] = append(owners[owner], id)
		}
		most := 1
		if strings.HasPrefix(share, "person") { // one known by e-mail alone and one by phone alone may have come before who has both
			most = 2
		}
		if len(owners) > most {
			t.Errorf("%s has several owners: %v", share, owners)
		}
	}

	done := b.apply(strings.Replace(ownersPolicy, `"same_owner"`, `"drop"`, 1))
	w.until("both instances follow", func() bool {
		return a.policies().Running.Current == done.Plan && b.policies().Running.Current == done.Plan
	})
	clear(shared)
	for p := range people {
		for i := range each {
			send(fmt.Sprintf("d%d-%d", p, i), fmt.Sprint("dropped ", p), map[string]any{"email": fmt.Sprintf("Dropped%d@gmail.com", p)})
		}
	}
	if err := post.Wait(); err != nil {
		t.Fatal(err)
	}
	for share, ids := range shared {
		var went []string
		for _, id := range ids {
			w.until(id+" is decided", func() bool { s := rows.Get(id); return s != nil && s.Phase != ledger.Asking })
			if rows.Get(id).Phase != ledger.Duplicate {
				went = append(went, id)
			}
		}
		for _, id := range ids {
			if s := rows.Get(id); s.Phase == ledger.Duplicate && (len(went) != 1 || string(s.Person.Root) != went[0]) {
				t.Errorf("%s: of %v went %v, and %s is the duplicate of %s", share, ids, went, id, s.Person.Root)
			}
		}
		if len(went) != 1 {
			t.Errorf("%s: of %v went %v, want one", share, ids, went)
		}
	}
}

// insist posts a lead until a door has taken it.
func (w *world) insist(doors []string, first int, fields map[string]any) error {
	var err error
	for i := range 200 {
		api, aerr := apiclient.New(doors[(first+i)%len(doors)], apiKey)
		if aerr != nil {
			return aerr
		}
		if err = api.Do(w.t.Context(), http.MethodPost, "/v1/leads", fields, nil); err == nil {
			return nil
		}
		w.pause(100 * time.Millisecond)
	}
	return fmt.Errorf("no door takes %v: %w", fields["id"], err)
}

const ownersPolicy = `
policy "owners" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
schema "lead" {
  field "score" { type = number }
}
priority "P0" {}
account_match {
  by             = ["domain"]
  ignore_domains = ["gmail.com"]
}
dedupe {
  by     = [lead.email, lead.phone]
  within = "24h"
  then   = "same_owner"
}
pool "desk" { members_where = rep.team == "desk" }
queue "wait" { drain_to = [pool.desk] }
rule "all" { to = [pool.desk, queue.wait] }
destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
}
`
