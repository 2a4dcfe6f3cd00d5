package processors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/internal/kafkatest"
	"github.com/leadroute/leadroute/processors/stream"
)

// TestFindBefore: what a policy before left on the log is found, with the newest policy that
// knows it.
func TestFindBefore(t *testing.T) {
	b := kafkatest.Start(t, []leadroute.Class{"P0", "Old"}, "crm", "gone", "lost", "locked")
	other := stream.Specs("other", []leadroute.Class{"Foreign"}, nil, 4)
	if err := stream.EnsureTopics(t.Context(), kadm.NewClient(b.Client()), other); err != nil {
		t.Fatal(err)
	}
	hook := func(name leadroute.DestinationID, url string) plan.Destination {
		return plan.Destination{Name: name, Primary: true, Webhook: &plan.Webhook{URL: plan.Secret{Literal: url}}}
	}
	locked := hook("locked", "")
	locked.Webhook.URL = plan.Secret{Name: "NOT_SET"}
	current := &plan.Plan{ID: "now", Zone: time.UTC, Classes: []plan.Class{{Name: "P0"}}, Destinations: []plan.Destination{hook("crm", "http://crm.example.com")}}
	history := []*plan.Plan{
		current,
		{ID: "2", Destinations: []plan.Destination{hook("gone", "http://new.example.com"), locked}},
		{ID: "1", Destinations: []plan.Destination{hook("gone", "http://old.example.com")}},
	}
	cfg := Config{Stream: b.Config, Plans: NewPlans(current, nil), Secret: func(string) (string, bool) { return "", false }}
	found, err := FindBefore(t.Context(), &cfg, slices.Values(history))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found.Classes, []leadroute.Class{"Old"}) {
		t.Errorf("classes = %v, want Old alone", found.Classes)
	}
	if len(found.Destinations) != 1 || found.Destinations[0].Name != "gone" || found.Destinations[0].Primary || !strings.Contains(found.Destinations[0].Webhook.URL.Literal, "new") {
		t.Errorf("destinations = %+v, want gone as the newest policy has it, and not primary", found.Destinations)
	}
	p := &Pipeline{cfg: cfg}
	p.cfg.Before = found
	if got := p.allClasses(current, nil); !slices.Equal(got, []leadroute.Class{"P0", "Old"}) {
		t.Errorf("all classes = %v", got)
	}
	if got := p.destinations(current, nil); len(got) != 2 || got[1].Name != "gone" {
		t.Errorf("all destinations = %v", got)
	}
}
