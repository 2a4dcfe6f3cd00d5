package views_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/desk"
)

// TestClaimable: what is open is listed, to one rep what lies in the rep's pools.
func TestClaimable(t *testing.T) {
	f := newFloor(t)
	f.reps["ana"] = &desk.State{Profile: leadroute.Rep{ID: "ana", Team: "desk"}}
	f.reps["eve"] = &desk.State{Profile: leadroute.Rep{ID: "eve"}}
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/v1/claimable", 200, `{"leads":[{"id":"l1","pool":"desk","open_until":2000,"deadline":5000},{"id":"l2","pool":"duty","open_until":3000}]}`},
		{"/v1/claimable?rep=ana", 200, `{"leads":[{"id":"l1","pool":"desk","open_until":2000,"deadline":5000}]}`},
		{"/v1/claimable?rep=eve", 200, `{"leads":[]}`},
		{"/v1/claimable?rep=nobody", 404, `there is no rep`},
	} {
		if status, body := f.call(t, http.MethodGet, c.path, ""); status != c.status || !strings.Contains(strings.TrimSpace(body), c.body) {
			t.Errorf("GET %s = %d %s, want %d %s", c.path, status, body, c.status, c.body)
		}
	}
	f.fail = errors.New("the log is away")
	if status, _ := f.call(t, http.MethodGet, "/v1/claimable", ""); status != http.StatusServiceUnavailable {
		t.Errorf("while the log is away: %d, want 503", status)
	}
}
