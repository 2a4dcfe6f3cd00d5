package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const crmSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestCRMSim(t *testing.T) {
	heard := make(chan string, 2)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		heard <- r.URL.Path + " " + string(b)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer api.Close()

	t.Setenv("CRM_WEBHOOK_KEY", crmSecret)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	cmd := newCRMSim()
	cmd.SetOut(w)
	cmd.SetArgs([]string{"--listen", "127.0.0.1:0", "--api", api.URL, "--respond-min", "0", "--respond-max", "1ms", "--close-min", "0", "--close-max", "1ms"})
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(line)

	hook, err := standardwebhooks.NewWebhook(crmSecret)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"lead.assigned","data":{"id":"L1","revision":1,"owner":"ana","lead":{"email":"a@a.example"}}}`)
	now := time.Now()
	sig, err := hook.Sign("L1/1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Webhook-Id", "L1/1")
	req.Header.Set("Webhook-Timestamp", fmt.Sprint(now.Unix()))
	req.Header.Set("Webhook-Signature", sig)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the delivery was answered %s, want 200", resp.Status)
	}
	for _, want := range []string{
		`/v1/leads/respond {"lead":"L1","rep":"ana","action":"responded"}` + "\n", `/v1/leads/respond {"lead":"L1","rep":"ana","action":"closed"}` + "\n",
	} {
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("the product heard %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the product did not hear %q in ten seconds", want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v, want a clean stop", err)
	}
}

func TestCRMSimRefuses(t *testing.T) {
	t.Setenv("CRM_WEBHOOK_KEY", "")
	for _, c := range []struct{ args, want string }{
		{"", "CRM_WEBHOOK_KEY"},
		{"--key secret", "whsec_"},
		{"--key " + crmSecret + " --fail 2", "fault rate"},
		{"--key " + crmSecret + " --listen 127.0.0.1:99999", "--listen"},
		{"--key " + crmSecret + " --api nowhere", "nowhere"},
	} {
		cmd := newCRMSim()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(strings.Fields(c.args))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("crmsim %s: %v, want an error that says %q", c.args, err, c.want)
		}
	}
}
