package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// Leads are open to claim: of those who claim one at once the first has it, the others are
// told who, and who may not is told why. One that is open when the process is killed is
// open when it is back.
func TestLeadsAreClaimed(t *testing.T) {
	w := newWorld(t, 1, crmsim.Faults{})
	p := w.process("a")
	p.args[1] = p.file(claimPolicy)
	p.launch()
	at := p.where()
	api, err := apiclient.New(at.API, apiKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, rep := range []string{"ana", "ben", "cleo", "eve"} {
		team := "desk"
		if rep == "eve" {
			team = "others"
		}
		if err := api.Do(t.Context(), http.MethodPut, "/v1/reps/"+rep, map[string]any{"id": rep, "team": team, "caps": map[string]int{"open": 20}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	sent := 0
	post := func() string {
		t.Helper()
		sent++
		var posted struct {
			ID string `json:"id"`
		}
		if err := api.Do(t.Context(), http.MethodPost, "/v1/leads", map[string]any{"email": fmt.Sprintf("lead%d@example.com", sent), "score": 5}, &posted); err != nil {
			t.Fatal(err)
		}
		return posted.ID
	}
	claimable := func(rep string) string {
		t.Helper()
		var v json.RawMessage
		if err := api.Do(t.Context(), http.MethodGet, "/v1/claimable?rep="+rep, nil, &v); err != nil {
			return err.Error()
		}
		return string(v)
	}
	claim := func(lead, rep string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.API+"/v1/leads/"+lead+"/claim", bytes.NewReader(fmt.Appendf(nil, `{"rep":%q}`, rep)))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		req.Header = http.Header{"Authorization": {"Bearer " + apiKey}, "Content-Type": {"application/json"}}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return res.StatusCode, string(b)
	}
	open := func(lead string) {
		t.Helper()
		w.until(lead+" is open to claim", func() bool { return strings.Contains(claimable("ana"), lead) })
	}

	for range 10 {
		lead := post()
		open(lead)
		if s, b := claim(lead, "eve"); s != http.StatusForbidden || !strings.Contains(b, "not in the pool") {
			t.Fatalf("eve claims: %d %s, want 403", s, b)
		}
		var mu sync.Mutex
		var racing sync.WaitGroup
		won, lost := "", []string{}
		for _, rep := range []string{"ana", "ben", "cleo"} {
			racing.Go(func() {
				s, b := claim(lead, rep)
				mu.Lock()
				defer mu.Unlock()
				switch s {
				case http.StatusOK:
					won += rep
				case http.StatusConflict:
					lost = append(lost, b)
				default:
					t.Errorf("%s claims %s: %d %s", rep, lead, s, b)
				}
			})
		}
		racing.Wait()
		if len(lost) != 2 || !strings.Contains(lost[0], won+" has it") || !strings.Contains(lost[1], won+" has it") {
			t.Fatalf("of three who claimed %s %q had it, and the others were told %q", lead, won, lost)
		}
		if strings.Contains(claimable("ana"), lead) {
			t.Errorf("%s is claimed, and claimable: %s", lead, claimable("ana"))
		}
	}

	lead := post()
	open(lead)
	if got := claimable("eve"); strings.Contains(got, lead) {
		t.Errorf("open to eve, who is in no pool: %s", got)
	}
	if err := api.Do(t.Context(), http.MethodPut, "/v1/reps/ben/status", map[string]string{"status": "off"}, nil); err != nil {
		t.Fatal(err)
	}
	w.until("ben is off", func() bool {
		s, b := claim(lead, "ben")
		if s == http.StatusOK {
			t.Fatal("ben was off and has the lead")
		}
		return s == http.StatusConflict && strings.Contains(b, "off")
	})
	p.kill()
	p.launch()
	at = p.where()
	if api, err = apiclient.New(at.API, apiKey); err != nil {
		t.Fatal(err)
	}
	open(lead)
	if out, err := p.command("leads", "claim", lead, "--rep", "ana"); err != nil || !strings.Contains(string(out), "ana has lead "+lead) {
		t.Errorf("leads claim: %s, %v", out, err)
	}
	if out, err := p.command("leads", "claim", lead, "--rep", "cleo"); err == nil {
		t.Errorf("claimed twice: %s", out)
	}
}

const claimPolicy = `
policy "claims" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" {}
pool "desk" {
  members_where = rep.team == "desk"
  strategy      = "claim"
}
queue "wait" {}
rule "all" {
  assign {
    to     = pool.desk
    accept = "10m"
  }
  assign {
    to = queue.wait
  }
}
destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
}
`
