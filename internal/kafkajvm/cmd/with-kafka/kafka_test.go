//go:build kafka

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command is told where the broker is, its exit code is ours, and the broker ends with it.
func TestRunsTheCommandNextToABroker(t *testing.T) {
	out := filepath.Join(t.TempDir(), "addr")
	t.Setenv("OUT", out)
	code, err := run(t.Context(), "", []string{"sh", "-c", `echo "$LEADROUTE_TEST_BROKERS" > "$OUT"; exit 7`}, t.Output())
	if code != 7 || err == nil {
		t.Errorf("run of a command that exits with 7 = %d, %v, want 7 and an error", code, err)
	}
	addr, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.SplitHostPort(strings.TrimSpace(string(addr))); err != nil {
		t.Errorf("LEADROUTE_TEST_BROKERS = %q: %v", addr, err)
	}
	if conn, err := net.Dial("tcp", strings.TrimSpace(string(addr))); err == nil {
		_ = conn.Close()
		t.Errorf("the broker at %s outlives the command", addr)
	}
}
