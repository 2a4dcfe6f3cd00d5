package connector_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// destination compiles one destination block, with its address and secrets resolved.
func destination(t *testing.T, url, block string) *plan.Destination {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(`
policy "p" {}
priority "P0" {}
queue "backlog" {}
rule "rest" { to = queue.backlog }
destination "crm" {
` + block + `
}`)})
	if p.Plan == nil {
		t.Fatal(diags)
	}
	d := p.Plan.Destinations[0]
	if d.Webhook != nil {
		d.Webhook.URL = plan.Secret{Literal: url}
	}
	return &d
}

type request struct {
	method string
	header http.Header
	body   []byte
}

func TestDeliveriesAreWrittenAsThePolicySays(t *testing.T) {
	got := make(chan request, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.Header, b}
	})
	d := destination(t, s.URL, `
  webhook {
    url     = secret("URL")
    method  = "PUT"
    sign    = "standard-webhooks"
    key     = secret("KEY")
    headers = { X-Rule = decision.rule, X-Phone = lead.phone, X-Fixed = "a ${lead.name}" }
    body = {
      lead   = lead.id
      owner  = assigned.rep.crm_id
      again  = decision.revision > 2
      rev    = decision.revision
      trace  = decision.url
      phone  = lead.phone
      nested = { email = upper(lead.email), list = [lead.name, "fixed", lead.phone] }
    }
  }
  idempotency_key = "${lead.id}-${decision.revision}"`)
	d.Webhook.Key = plan.Secret{Literal: key}
	d.Shape.Site = "https://leads.example.com"
	c, err := connector.New(connector.Builtin, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Deliver(t.Context(), delivery()); a.Result != leadroute.ResultDelivered {
		t.Fatalf("Deliver = %+v, want delivered", a)
	}
	r := <-got
	wh, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.Verify(r.body, r.header); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if r.method != http.MethodPut || r.header.Get("Webhook-Id") != "lead_1-x-3" || r.header.Get("X-Rule") != "big <&> rich" || r.header.Get("X-Fixed") != "a Zoë" {
		t.Errorf("%s %v, want PUT, the policy's key and headers", r.method, r.header)
	}
	if _, there := r.header["X-Phone"]; there {
		t.Error("a header of which a part is missing was sent")
	}
	var body, want any
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatalf("body %s: %v", r.body, err)
	}
	_ = json.Unmarshal([]byte(`{"lead":"lead_1-x","owner":"ana","again":true,"rev":3,"trace":"https://leads.example.com/v1/leads/lead_1-x",
		"nested":{"email":"ANA@EXAMPLE.COM","list":["Zoë","fixed",null]}}`), &want)
	if d := cmp.Diff(want, body); d != "" {
		t.Errorf("body (-want +got):\n%s", d)
	}
}

func TestMapTakesThePlaceOfTheLeadsFields(t *testing.T) {
	got := make(chan request, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.Header, b}
	})
	d := destination(t, s.URL, `
  webhook { url = secret("URL") }
  map = { Email = lead.email, LastName = coalesce(lead.last_name, "unknown"), Phone = lead.phone }`)
	c, err := connector.New(connector.Builtin, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Deliver(t.Context(), delivery())
	r := <-got
	var body struct {
		Data struct {
			ID   string            `json:"id"`
			Lead map[string]string `json:"lead"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatalf("body %s: %v", r.body, err)
	}
	want := map[string]string{"Email": "ana@example.com", "LastName": "unknown"}
	if d := cmp.Diff(want, body.Data.Lead); d != "" || body.Data.ID != "lead_1-x" {
		t.Errorf("id %q, lead (-want +got):\n%s", body.Data.ID, d)
	}
	if r.method != http.MethodPost || r.header.Get("Webhook-Id") != "lead_1-x/3" {
		t.Errorf("%s, id %q: what the policy does not say has changed", r.method, r.header.Get("Webhook-Id"))
	}
}

func TestOnStatusSaysWhatIsTriedAgain(t *testing.T) {
	for status, want := range map[int]leadroute.Result{
		200: leadroute.ResultDelivered, 409: leadroute.ResultRetry, 502: leadroute.ResultRetry,
		429: leadroute.ResultRejected, 400: leadroute.ResultRejected,
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		d := destination(t, s.URL, `
  webhook { url = secret("URL") }
  retry { on_status = [409, "5xx"] }`)
		c, err := connector.New(connector.Builtin, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := c.Deliver(t.Context(), delivery()); a.Result != want {
			t.Errorf("status %d: %s, want %s", status, a.Result, want)
		}
	}
}

// A lead of a destination that cannot be spoken is not lost: it is refused for good, with
// the reason, which puts it into the dead letters.
func TestADestinationWithoutConnectorRefuses(t *testing.T) {
	d := destination(t, "", `hubspot {
  token = secret("T")
  object = "contacts"
}`)
	c, err := connector.New(connector.Builtin, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := connector.Attempt{Result: leadroute.ResultRejected, Reason: "this version has no connector for hubspot"}
	if got := c.Deliver(t.Context(), delivery()); got != want {
		t.Errorf("Deliver = %+v, want %+v", got, want)
	}
}
