package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/leadroute/leadroute"
)

const hookKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// reference checks and signs as the reference implementation does.
type reference struct{ *standardwebhooks.Webhook }

func (v reference) Verify(id string, at time.Time, body []byte, signatures string) bool {
	return v.VerifyIgnoringTimestamp(body, http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {signatures},
	}) == nil
}

func (v reference) headers(t *testing.T, id string, at time.Time, body string) []string {
	t.Helper()
	sig, err := v.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Authorization", "", "webhook-id", id, "webhook-timestamp", strconv.FormatInt(at.Unix(), 10), "webhook-signature", sig}
}

func hookDoor(t *testing.T) (*door, reference) {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(hookKey)
	if err != nil {
		t.Fatal(err)
	}
	v := reference{wh}
	return openDoor(t, func(c *Config) {
		c.AgreeWithin = 3 * time.Second
		c.Hook = func(d leadroute.DestinationID) Verifier {
			if d != "crm" {
				return nil
			}
			return v
		}
		c.Owners = func(crmID string) []leadroute.RepID {
			return map[string][]leadroute.RepID{"u1": {"ana"}, "u2": {"ben"}, "u3": {"ana", "ben"}}[crmID]
		}
	}), v
}

// TestHookIsAnswered: the CRM is told what the ledger says of each action.
func TestHookIsAnswered(t *testing.T) {
	d, v := hookDoor(t)
	startLedger(t, d)
	for i, c := range []struct {
		body, detail string
		status       int
	}{
		{`{"lead":"l1","rep":"ana","action":"responded"}`, "", 200},
		{` {"lead":"l1","crm_id":"u1","action":"closed"} `, "", 200},
		{`{"type":"lead.responded","timestamp":"2026-01-14T10:00:00Z","data":{"lead":"l1","crm_id":"u1","action":"responded"}}`, "", 200},
		{`{"lead":"l1","crm_id":"u2","action":"responded"}`, "the lead has moved on: ana has it now", 409},
		{`{"lead":"l1","rep":"cy","action":"responded"}`, "the lead has moved on, and nobody has it now", 409},
		{`{"lead":"l9","rep":"eve","action":"responded"}`, "no lead of this id is known", 404},
		{`{"lead":"l1","crm_id":"u9","action":"responded"}`, "is no rep's crm_id", 422},
		{`{"lead":"l1","crm_id":"u3","action":"responded"}`, "is the crm_id of several reps", 422},
		{`{"lead":"l 1","rep":"ana","action":"responded"}`, "names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", 422},
		{`{"lead":"l1","rep":"ana","action":"called"}`, "is not an action", 422},
		{`{"lead":"l1","action":"responded"}`, "must be a rep's id", 422},
		{`{"lead":`, "", 400},
		{`"ana"`, "the body must be a JSON object", 422},
	} {
		r := d.post(t, "/v1/hooks/crm/crm", c.body, v.headers(t, fmt.Sprint("msg", i), time.Now(), c.body)...)
		if r.status != c.status || c.detail != "" && r.member(t, "detail") != c.detail {
			t.Errorf("%s: %v, want %d %s", c.body, r, c.status, c.detail)
		}
	}
	for i, c := range []struct {
		body, want string
		status     int
	}{
		{
			`[{"lead":"l1","rep":"ana","action":"closed"}]`,
			`{"accepted":1,"duplicates":0,"rejected":0,"results":[{"index":0,"id":"l1","status":"closed"}]}`, 200,
		},
		{
			`{"data":[{"lead":"l1","crm_id":"u1","action":"closed"},{"lead":"l2","rep":"ben","action":"responded"},{"lead":"l3","rep":"eve","action":"closed"},{"lead":"l4"}]}`,
			`{"accepted":1,"duplicates":0,"rejected":3,"results":[{"index":0,"id":"l1","status":"closed"},` +
				`{"index":1,"id":"l2","status":"rejected","error":{"code":"moved_on","message":"the lead has moved on: ana has it now","remedy":"the rep need not act on it"}},` +
				`{"index":2,"id":"l3","status":"rejected","error":{"code":"id","pointer":"/lead","message":"no lead of this id is known","remedy":"use the id that the post of the lead returned"}},` +
				`{"index":3,"status":"rejected","error":{"code":"schema","pointer":"/rep","message":"must be a rep's id","remedy":"send \"rep\": the id of the rep who acts, or \"crm_id\": the rep's id in the CRM"}}]}`, 207,
		},
		{`[{"lead":"l1","rep":"ben","action":"closed"}]`, "", 422},
		{`[]`, "", 400},
	} {
		r := d.post(t, "/v1/hooks/crm/crm", c.body, v.headers(t, fmt.Sprint("many", i), time.Now(), c.body)...)
		if r.status != c.status || c.want != "" && string(r.body) != c.want {
			t.Errorf("%s:\n got %v\nwant %d %s", c.body, r, c.status, c.want)
		}
	}
	if n := len(d.replies.waiting); n != 0 {
		t.Errorf("%d answers are still waited for", n)
	}
	d.cfg.AgreeWithin = 10 * time.Millisecond
	silent := `{"lead":"l1","rep":"silent","action":"closed"}`
	if r := d.post(t, "/v1/hooks/crm/crm", silent, v.headers(t, "silent", time.Now(), silent)...); r.status != 202 {
		t.Errorf("the ledger is silent: %v, want 202", r)
	}
	silent = "[" + silent + "]"
	if r := d.post(t, "/v1/hooks/crm/crm", silent, v.headers(t, "silent2", time.Now(), silent)...); r.status != 202 {
		t.Errorf("the ledger is silent of all: %v, want 202", r)
	}
}

// TestHookWantsAGoodSignature: who has not the key is not heard, and nobody is heard twice.
func TestHookWantsAGoodSignature(t *testing.T) {
	d, v := hookDoor(t)
	startLedger(t, d)
	body := `{"lead":"l1","rep":"ana","action":"responded"}`
	now := time.Now()
	good := func(id string, at time.Time) []string { return v.headers(t, id, at, body) }
	with := func(headers []string, name, value string) []string {
		for i := range headers {
			if headers[i] == name {
				headers[i+1] = value
			}
		}
		return headers
	}
	other, err := standardwebhooks.NewWebhook("whsec_" + strings.Repeat("AAAA", 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, body string
		headers          []string
		status           int
		detail           string
	}{
		{"no signature", "crm", body, nil, 401, "not signed"},
		{"an API key is none", "crm", body, []string{"Authorization", "Bearer secret"}, 401, "not signed"},
		{"another body", "crm", strings.Replace(body, "ana", "ben", 1), good("a", now), 401, "webhook-signature is wrong"},
		{"another key", "crm", body, reference{other}.headers(t, "b", now, body), 401, "webhook-signature is wrong"},
		{"an empty signature", "crm", body, with(good("c", now), "webhook-signature", ""), 401, "webhook-signature is wrong"},
		{"too old", "crm", body, good("d", now.Add(-6*time.Minute)), 401, "webhook-timestamp lies 6m"},
		{"too new", "crm", body, good("e", now.Add(6*time.Minute)), 401, "from now, more than 5m"},
		{"no time", "crm", body, with(good("f", now), "webhook-timestamp", "now"), 401, "not signed"},
		{"no destination", "warehouse", body, good("g", now), 404, "no destination of this name signs"},
		{"one of two signatures", "crm", body, with(good("h", now), "webhook-signature", "v1,AAAA "+good("h", now)[7]), 200, ""},
		{"old, within tolerance", "crm", body, good("i", now.Add(-4*time.Minute)), 200, ""},
		{"the same again", "crm", body, good("i", now.Add(-4*time.Minute)), 409, "this very message was heard before"},
		{"another attempt at it", "crm", body, good("i", now), 200, ""},
	} {
		r := d.post(t, "/v1/hooks/crm/"+c.path, c.body, c.headers...)
		if r.status != c.status || c.detail != "" && !strings.Contains(r.member(t, "detail"), c.detail) || strings.Contains(r.String(), hookKey[6:]) {
			t.Errorf("%s: %v, want %d %s", c.name, r, c.status, c.detail)
		}
	}
	// What failed for no fault of the sender's may come again as it is.
	d.load.inFlight.Add(int64(d.cfg.MaxInFlight))
	if r := d.post(t, "/v1/hooks/crm/crm", body, good("j", now)...); r.status != 429 {
		t.Errorf("too much on its way: %v, want 429", r)
	}
	d.load.inFlight.Add(-int64(d.cfg.MaxInFlight))
	if r := d.post(t, "/v1/hooks/crm/crm", body, good("j", now)...); r.status != 200 {
		t.Errorf("again when there is room: %v, want 200", r)
	}
}

// TestHeardIsBounded: what is too old to be believed is forgotten.
func TestHeardIsBounded(t *testing.T) {
	var h heard
	now := time.Unix(1768384800, 0)
	for i := range hooksRemembered + 10 {
		if _, fresh := h.take(fmt.Sprint(i), now); !fresh {
			t.Fatalf("%d was never heard", i)
		}
	}
	if len(h.ids) != hooksRemembered || len(h.old) != hooksRemembered {
		t.Errorf("%d and %d messages are remembered, want %d", len(h.ids), len(h.old), hooksRemembered)
	}
	if _, fresh := h.take("last", now.Add(2*hookTolerance+1)); !fresh || len(h.ids) != 1 {
		t.Errorf("after their time %d messages are remembered, want the new one alone", len(h.ids))
	}
}
