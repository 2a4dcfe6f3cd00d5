package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChannelsSim: a policy's channels are tried on the simulated services, with the
// settings that those print.
func TestChannelsSim(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	sim := newChannelsSim()
	sim.SetOut(w)
	sim.SetArgs([]string{"--listen", "127.0.0.1:0", "--mail", "127.0.0.1:0"})
	done := make(chan error, 1)
	go func() { done <- sim.ExecuteContext(ctx) }()
	api := ""
	for in := bufio.NewScanner(r); in.Scan(); {
		name, value, ok := strings.Cut(strings.TrimPrefix(in.Text(), "export "), "=")
		if !ok {
			t.Fatalf("said %q, want a setting", in.Text())
		}
		t.Setenv(name, value)
		if name == "TWILIO_API_URL" {
			api = value
		}
		if name == "SMTP_FROM" {
			break
		}
	}
	policy := filepath.Join(t.TempDir(), "policy.hcl")
	if err := os.WriteFile(policy, []byte(`
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
priority "P0" {}
rep "ana" { email = "ana@example.com" }
pool "all" { members = [rep.ana] }
queue "wait" {}
rule "all" { to = [pool.all, queue.wait] }
channel "everybody" {
  slack { url = secret("SLACK_URL") }
  email { to = rep.email }
  sms { to = "+49301234567" }
  pager { url = secret("PAGER_URL") }
  webhook {
    url  = secret("HOOK_URL")
    sign = "standard-webhooks"
    key  = secret("HOOK_KEY")
  }
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	test := newChannels()
	test.SetOut(&out)
	test.SetErr(&out)
	test.SetArgs([]string{"test", policy, "channel.everybody", "--rep", "rep.ana"})
	if err := test.ExecuteContext(ctx); err != nil {
		t.Errorf("channels test = %v\n%s", err, &out)
	}
	res, err := http.Get(api + "/got")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"slack", "email", "twilio", "pagerduty", "webhook"} {
		if !strings.Contains(string(got), `"service":"`+want+`"`) {
			t.Errorf("taken were %s, want %s among them", got, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("channels sim = %v, want nil", err)
	}
}
