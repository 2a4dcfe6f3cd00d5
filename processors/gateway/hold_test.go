package gateway

import (
	"strings"
	"testing"
	"time"
)

// TestHoldIsAnswered: who holds a lead, or lets it go on, is told what the ledger says.
func TestHoldIsAnswered(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.AgreeWithin = 3 * time.Second })
	startLedger(t, d)
	tomorrow := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
	for _, c := range []struct {
		path, body, detail string
		status             int
	}{
		{"l1/hold", `{"reason":" legal, first "}`, "", 200},
		{"l1/hold", `{"reason":"legal, first","until":"` + tomorrow + `"}`, "", 200},
		{"l1/release", ``, "", 200},
		{"l1/release", `{"reason":"they signed"}`, "", 200},
		{"held/hold", `{"reason":"x"}`, "the lead is held already", 409},
		{"not_held/release", ``, "the lead is not held", 409},
		{"too_often/hold", `{"reason":"x"}`, "the lead was held too often", 409},
		{"asking/hold", `{"reason":"x"}`, "the lead is not decided yet", 409},
		{"closed/hold", `{"reason":"x"}`, "the lead is closed", 409},
		{"unknown/hold", `{"reason":"x"}`, "no lead of this id is known", 404},
		{"l 1/hold", `{"reason":"x"}`, "the path names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", 422},
		{"l1/hold", `{}`, "must say why the lead is held", 422},
		{"l1/hold", `{"reason":"` + strings.Repeat("x", 201) + `"}`, "must be one line of at most 200 characters", 422},
		{"l1/hold", `{"reason":"two\nlines"}`, "must be one line of at most 200 characters", 422},
		{"l1/hold", `{"reason":"x","until":"2020-01-01T00:00:00Z"}`, "must be a time to come, as RFC 3339 writes it", 422},
		{"l1/hold", `{"reason":"x","until":"tomorrow"}`, "must be a time to come, as RFC 3339 writes it", 422},
		{"l1/hold", `"legal"`, "the body must be a JSON object", 422},
		{"l1/hold", ``, "", 400},
	} {
		r := d.post(t, "/v1/leads/"+strings.ReplaceAll(c.path, " ", "%20"), c.body)
		if r.status != c.status || c.detail != "" && !strings.Contains(r.member(t, "detail"), c.detail) {
			t.Errorf("POST %s %s = %v, want %d %s", c.path, c.body, r, c.status, c.detail)
		}
	}
}

// TestHoldIsNotWaitedForTooLong: where the ledger does not answer in time, what is asked is in the log.
func TestHoldIsNotWaitedForTooLong(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.AgreeWithin = time.Millisecond })
	if r := d.post(t, "/v1/leads/l1/hold", `{"reason":"x"}`); r.status != 202 {
		t.Errorf("hold without a ledger = %v, want 202", r)
	}
	if n := d.produced("ledger"); n != 1 {
		t.Errorf("the log has %d messages, want 1", n)
	}
}
