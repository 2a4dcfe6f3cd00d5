package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// Leads wait in a queue: the CRM shows them as the queue's, its managers are told once, an
// operator holds one through a kill of the process and moves the others elsewhere.
func TestLeadsWaitAndAreMoved(t *testing.T) {
	var mu sync.Mutex
	var told []string
	channel := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			told = append(told, string(b))
		}
	}))
	t.Cleanup(channel.Close)
	alerts := func() int {
		mu.Lock()
		defer mu.Unlock()
		all := map[string]bool{} // one that was on its way when the process was killed may come again
		for _, m := range told {
			if strings.Contains(m, "queue:backlog/alert_after") {
				all[m] = true
			}
		}
		return len(all)
	}

	w := newWorld(t, 1, crmsim.Faults{})
	p := w.process("a")
	p.args[1] = p.file(fmt.Sprintf(queuesPolicy, channel.URL))
	p.launch()
	var api *apiclient.Client
	connect := func() {
		t.Helper()
		var err error
		if api, err = apiclient.New(p.where().API, apiKey); err != nil {
			t.Fatal(err)
		}
	}
	connect()
	for rep, team := range map[string]string{"ana": "first", "ben": "second"} {
		if err := api.Do(t.Context(), http.MethodPut, "/v1/reps/"+rep, map[string]any{"id": rep, "team": team, "caps": map[string]int{"open": 1}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) string {
		t.Helper()
		var v json.RawMessage
		if err := api.Do(t.Context(), http.MethodGet, path, nil, &v); err != nil {
			return err.Error()
		}
		return string(v)
	}
	is := func(lead, want string) {
		t.Helper()
		w.until(lead+" is "+want, func() bool { return strings.Contains(get("/v1/leads/"+lead), want) })
	}
	run := func(want string, args ...string) {
		t.Helper()
		if out, err := p.command(args...); err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("leadroute %s: %s, %v, want %s", strings.Join(args, " "), out, err, want)
		}
	}
	waiting := func(n int) {
		t.Helper()
		w.until(fmt.Sprint(n, " wait"), func() bool { return strings.Contains(get("/v1/queues/backlog"), fmt.Sprintf(`"waiting":%d`, n)) })
	}
	crm := func(lead string) (owner string, revision int) {
		for _, r := range w.sim.Records() {
			if r.Lead == leadroute.LeadID(lead) {
				return r.OwnerCRM, r.Revision
			}
		}
		return "", 0
	}

	var leads []string
	for i := range 3 {
		var posted struct {
			ID string `json:"id"`
		}
		if err := api.Do(t.Context(), http.MethodPost, "/v1/leads", map[string]any{"email": fmt.Sprintf("lead%d@example.com", i), "score": 5}, &posted); err != nil {
			t.Fatal(err)
		}
		leads = append(leads, posted.ID)
		if i == 0 {
			is(posted.ID, `"owner":"ana"`)
		} else {
			is(posted.ID, `"step":"parked"`)
		}
	}
	waiting(2)
	for _, lead := range leads[1:] {
		if owner, rev := crm(lead); owner != "005QUEUE" || rev != 1 {
			t.Errorf("the CRM shows %s as %q's in revision %d, want the queue's in 1", lead, owner, rev)
		}
	}
	w.until("the managers are told", func() bool { return alerts() == 1 })
	w.until("the queue says so", func() bool { return strings.Contains(get("/v1/queues/backlog"), `"standing":true`) })
	run("told managers", "queues")

	run("is held", "leads", "hold", leads[1], "--reason", "legal looks at it")
	waiting(1)
	p.kill()
	p.launch()
	connect()
	is(leads[1], `"held":{"since":`)
	run("1 lead would move; 1 are held", "leads", "reroute", "--where", "route.queue == queue.backlog", "--to", "pool.second")
	run("1 lead was sent on", "leads", "reroute", "--where", "route.queue == queue.backlog", "--to", "pool.second", "--reason", "ana is busy", "--yes")
	is(leads[2], `"owner":"ben"`)
	is(leads[2], `"reason":"ana is busy"`)
	w.until("the CRM knows", func() bool { owner, rev := crm(leads[2]); return owner == "ben" && rev > 1 })
	run("0 leads would move", "leads", "reroute", "--where", "route.queue == queue.backlog", "--to", "pool.second", "--yes")

	run("is released", "leads", "release", leads[1])
	waiting(1)
	if err := api.Do(t.Context(), http.MethodPost, "/v1/leads/"+leads[0]+"/respond", map[string]string{"rep": "ana", "action": "closed"}, nil); err != nil {
		t.Fatal(err)
	}
	is(leads[1], `"owner":"ana"`)
	w.until("the CRM knows", func() bool { owner, rev := crm(leads[1]); return owner == "ana" && rev == 2 })
	waiting(0)
	if n := alerts(); n != 1 {
		t.Errorf("the managers were told %d times, want once: %q", n, told)
	}
}

const queuesPolicy = `
policy "queues" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" {}
channel "managers" {
  webhook { url = %q }
}
pool "first" { members_where = rep.team == "first" }
pool "second" { members_where = rep.team == "second" }
queue "backlog" {
  crm_id      = "005QUEUE"
  alert_after = "1s"
  alert       = [channel.managers]
}
rule "all" { to = [pool.first, queue.backlog] }
destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
}
`
