package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// Other systems write topics, by a producer and a partitioner that know nothing of leadroute:
// reps are hired by one and their status is said by two whose clocks differ, an account gets
// its owner, and the CRM's bridge tells who responded. What is wrong can be seen and, once
// what it lacked is there, be replayed.
func TestOthersWriteTopics(t *testing.T) {
	w := newWorld(t, 1, crmsim.Faults{})
	p := w.process("a")
	p.args[1] = p.file(feedsPolicy)
	p.launch()
	at := p.where()
	api, err := apiclient.New(at.API, apiKey)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(at.Brokers...)) // with a partitioner of its own
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	write := func(feed leadroute.Topic, key, value string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: w.namespace.Topic(feed), Key: []byte(key), Value: []byte(value)}).FirstErr(); err != nil {
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
	status := func(rep, want string) {
		t.Helper()
		w.until(rep+" is "+want, func() bool { return strings.Contains(get("/v1/reps"), `"id":"`+rep+`","status":"`+want+`"`) })
	}

	write(leadroute.TopicRepEvents, "x1", `{"rep":"ben","status":"away"}`) // whom nobody has brought
	write(leadroute.TopicRepEvents, "ana", `{"rep":"ana","profile":{"crm_id":"u1","caps":{"open":5}}}`)
	write(leadroute.TopicRepEvents, "ana", `{"rep":"ana","status":"busy"}`)
	status("ana", "busy")
	now := time.Now()
	instant := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339Nano) }
	write(leadroute.TopicRepEvents, "calendar", `{"rep":"ana","status":"off","at":"`+instant(10*time.Minute)+`"}`) // ten minutes ahead
	status("ana", "off")
	write(leadroute.TopicRepEvents, "phone", `{"rep":"ana","status":"available"}`)
	status("ana", "available")
	write(leadroute.TopicRepEvents, "calendar", `{"rep":"ana","status":"away","at":"`+instant(-time.Minute)+`"}`) // late
	write(leadroute.TopicRepEvents, "ana", `{"rep":"eve","profile":{}}`)
	write(leadroute.TopicRepEvents, "calendar", `{"rep":"ana","profile":{"crm_id":"u1","name":"Ana","caps":{"open":5}}}`) // what came late is behind us
	w.until("Ana has a name", func() bool { return strings.Contains(get("/v1/reps"), `"name":"Ana"`) })
	if board := get("/v1/reps"); !strings.Contains(board, `"id":"ana","name":"Ana","status":"available"`) {
		t.Errorf("after a status of a minute before the board is %s, want ana available", board)
	}

	write(leadroute.TopicAccountEvents, "", `{"set":{"domain":"acme.example","owner":"ana"}}`)
	w.until("the account has its owner", func() bool { return strings.Contains(get("/v1/accounts"), `"owner":"ana"`) })

	var posted struct {
		ID string `json:"id"`
	}
	if err := api.Do(t.Context(), http.MethodPost, "/v1/leads", map[string]any{"email": "emi@acme.example", "company": "Acme", "score": 5}, &posted); err != nil {
		t.Fatal(err)
	}
	trail := func(step string) {
		t.Helper()
		w.until("the lead is "+step, func() bool { return strings.Contains(get("/v1/leads/"+posted.ID), `"step":"`+step+`"`) })
	}
	trail("delivered")
	write(leadroute.TopicResponses, "r1", fmt.Sprintf(`{"lead":%q,"rep":"eve","action":"responded"}`, posted.ID))
	trail("refused")
	write(leadroute.TopicResponses, "r2", fmt.Sprintf(`{"lead":%q,"crm_id":"u1","action":"responded"}`, posted.ID))
	trail("responded")
	if s, b := hook(t, at.API, fmt.Sprintf(`{"lead":%q,"crm_id":"u1","action":"responded"}`, posted.ID)); s != http.StatusOK {
		t.Errorf("the CRM's webhook: %d %s, want that it stands", s, b)
	}
	if s, b := hook(t, at.API, fmt.Sprintf(`{"lead":%q,"rep":"eve","action":"closed"}`, posted.ID)); s != http.StatusConflict || !strings.Contains(b, "ana has it now") {
		t.Errorf("the CRM's webhook for somebody else: %d %s, want who has the lead", s, b)
	}
	write(leadroute.TopicResponses, "r3", `{"lead":"none","rep":"ana","action":"closed"}`)
	write(leadroute.TopicResponses, "r4", fmt.Sprintf(`{"lead":%q,"rep":"ana","action":"closed"}`, posted.ID))
	trail("closed")

	var dead struct {
		DeadLetters []struct{ ID, Reason string } `json:"dead_letters"`
	}
	list := func() map[string]string {
		t.Helper()
		out, err := p.command("dead-letters", "list", "--kind", "message", "--json")
		dead.DeadLetters = nil
		if err == nil {
			err = json.Unmarshal(out, &dead)
		}
		if err != nil {
			t.Fatal(err)
		}
		reasons := map[string]string{}
		for _, l := range dead.DeadLetters {
			reasons[l.Reason[:min(len(l.Reason), 24)]] = l.ID
		}
		return reasons
	}
	w.until("both that are wrong are dead letters", func() bool { return len(list()) == 2 })
	unknown := list()[`rep: there is no rep "be`]
	if unknown == "" || list()[`lead: no lead "none" is `] == "" {
		t.Fatalf("dead letters: %+v, want an unknown rep and an unknown lead", dead.DeadLetters)
	}
	write(leadroute.TopicRepEvents, "ben", `{"rep":"ben","profile":{}}`)
	status("ben", "available")
	if err := p.leadroute("dead-letters", "replay", unknown); err != nil {
		t.Fatal(err)
	}
	status("ben", "away")
}

// hook posts what the CRM says, signed as the reference implementation signs.
func hook(t *testing.T, api, body string) (status int, answer string) {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(webhookKey)
	if err != nil {
		t.Fatal(err)
	}
	now, id := time.Now(), fmt.Sprint("msg_", time.Now().UnixNano())
	sig, err := wh.Sign(id, now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"/v1/hooks/crm/crm", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(now.Unix())}, "Webhook-Signature": {sig}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

const feedsPolicy = `
policy "feeds" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" {}
account_match {
  source = live.accounts
  by     = ["domain"]
}
pool "all" { members_where = has(rep.id) }
queue "wait" {}
rule "owner" {
  when = has(lead.account.owner)
  to   = [rep_by_id(lead.account.owner), pool.all, queue.wait]
}
rule "all" { to = [pool.all, queue.wait] }
destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
}
`
