package lsp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/dsl/lsp"
)

// TestMain lets the test binary be the server that the client starts.
func TestMain(m *testing.M) {
	if os.Getenv("LEADROUTE_TEST_LSP") == "" {
		os.Exit(m.Run())
	}
	if err := lsp.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// client installs the client from npm, once, into the cache, and returns its folder.
func client(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("LEADROUTE_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(user, "leadroute")
	}
	manifest, err := os.ReadFile("testdata/package.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(manifest)
	dir := filepath.Join(cache, "lsp-client-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

type at struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type step struct {
	File     string  `json:"file"`
	Open     *string `json:"open,omitempty"`
	Change   *string `json:"change,omitempty"`
	Request  string  `json:"request,omitempty"`
	Position at      `json:"position"`
}

type answer struct {
	Capabilities map[string]any `json:"capabilities"`
	Findings     []struct {
		Code     string `json:"code"`
		Severity int    `json:"severity"`
		Message  string `json:"message"`
		Range    struct{ Start, End at }
	} `json:"findings"`
	Completion struct {
		Items []struct {
			Label    string `json:"label"`
			TextEdit struct {
				NewText string `json:"newText"`
				Range   struct{ Start, End at }
			} `json:"textEdit"`
		} `json:"items"`
	} `json:"completion"`
	Hover      *struct{ Contents struct{ Value string } } `json:"hover"`
	Definition *struct {
		URI   string `json:"uri"`
		Range struct{ Start, End at }
	} `json:"definition"`
	Formatting []struct{ NewText string } `json:"formatting"`
}

// ask sends the steps through the real client.
func ask(t *testing.T, steps []step) []answer {
	t.Helper()
	modules := client(t)
	raw, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	requests := filepath.Join(t.TempDir(), "requests.json")
	if err := os.WriteFile(requests, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "testdata/client.mjs", os.Args[0], requests)
	cmd.Env = append(os.Environ(), "CLIENT_MODULES="+modules)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("the client: %v\n%s%s", err, stdout.String(), stderr.String())
	}
	var got struct {
		Code    int
		Answers []answer
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, stdout.String())
	}
	if got.Code != 0 || len(got.Answers) != len(steps)+1 {
		t.Fatalf("exit code %d, %d answers of %d\n%s", got.Code, len(got.Answers), len(steps)+1, stderr.String())
	}
	return got.Answers[1:]
}

const policy = `policy "p" { timezone = "UTC" }
schema "lead" {
  field "region" {
    type        = string
    values      = ["EMEA", "NA"]
    description = "Where the company is"
  }
}
priority "P2" { deliver_within = "30m" }
rep "ana" { email = "ana@example.com" }
pool "emea" {
  description = "Europe, wünderbar"
  members     = [rep.ana]
}
queue "later" {}
rule "all" {
  when = lead.region == "EMEA"
  to   = [pool.emea, queue.later]
}
rule "rest" { to = queue.later }
`

// find is the position just behind the n-th occurrence of a text.
func find(src, text string, behind int) at {
	i := strings.Index(src, text) + behind
	before := src[:i]
	line := strings.Count(before, "\n")
	return at{line, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))}
}

func TestARealClient(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.hcl")
	if err := os.WriteFile(file, []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(policy, "[pool.emea,", `[pool.emae,`, 1)
	typing := strings.Replace(policy, `lead.region == "EMEA"`, `lead.re`, 1)
	statement := strings.Replace(policy, "  members     = [rep.ana]", "  members     = [rep.ana]\n  stra", 1)
	ugly := strings.Replace(policy, "  when = lead", "when=lead", 1)
	text := func(s string) *string { return &s }
	got := ask(t, []step{
		{File: file, Open: text(policy)},
		{File: file, Change: text(broken)},
		{File: file, Request: "completion", Position: find(broken, "pool.emae", len("pool."))},
		{File: file, Change: text(typing)},
		{File: file, Request: "completion", Position: find(typing, "lead.re\n", len("lead.re"))},
		{File: file, Change: text(statement)},
		{File: file, Request: "completion", Position: find(statement, "  stra", len("  stra"))},
		{File: file, Change: text(policy)},
		{File: file, Request: "hover", Position: find(policy, "lead.region ==", 7)},
		{File: file, Request: "hover", Position: find(policy, "pool.emea,", 6)},
		{File: file, Request: "hover", Position: find(policy, "deliver_within", 3)},
		{File: file, Request: "definition", Position: find(policy, "pool.emea,", 6)},
		{File: file, Request: "definition", Position: find(policy, "lead.region ==", 7)},
		{File: file, Change: text(ugly)},
		{File: file, Request: "formatting"},
	})
	if len(got[0].Findings) != 0 {
		t.Errorf("a good policy has findings: %+v", got[0].Findings)
	}
	if f := got[1].Findings; len(f) != 1 || f[0].Code != "LR008" || f[0].Severity != 1 || !strings.Contains(f[0].Message, "pool.emea") ||
		f[0].Range.Start != find(broken, "pool.emae", 0) {
		t.Errorf("findings of the typo: %+v", f)
	}
	labels := func(a answer) []string {
		var out []string
		for _, it := range a.Completion.Items {
			out = append(out, it.Label)
		}
		return out
	}
	if l := labels(got[2]); !slices.Equal(l, []string{"pool.emea"}) {
		t.Errorf("pool. completes to %v", l)
	} else if e := got[2].Completion.Items[0].TextEdit; e.NewText != "pool.emea" || e.Range.End != find(broken, "pool.emae", len("pool.emae")) {
		t.Errorf("the edit is %+v", e)
	}
	if l := labels(got[4]); !slices.Equal(l, []string{"lead.region", "lead.received_at"}) {
		t.Errorf("lead.re completes to %v", l)
	}
	if l := labels(got[6]); !slices.Contains(l, "strategy") || !slices.Contains(l, "capacity") || slices.Contains(l, "email") {
		t.Errorf("in a pool: %v", l)
	}
	for i, want := range map[int]string{8: "Where the company is", 9: "Europe, wünderbar", 10: "From the sender's emit"} {
		if h := got[i].Hover; h == nil || !strings.Contains(h.Contents.Value, want) {
			t.Errorf("hover %d: %+v, want %q", i, h, want)
		}
	}
	if d := got[11].Definition; d == nil || d.Range.Start != find(policy, `"emea" {`, 0) || !strings.HasSuffix(d.URI, "policy.hcl") {
		t.Errorf("definition of the pool: %+v", d)
	}
	if d := got[12].Definition; d == nil || d.Range.Start != find(policy, `"region" {`, 0) {
		t.Errorf("definition of the field: %+v", d)
	}
	if f := got[14].Formatting; len(f) != 1 || f[0].NewText != policy {
		t.Errorf("formatting: %+v", f)
	}
}

// A policy's tables are read from disk, beside the file that is open.
func TestTablesAreRead(t *testing.T) {
	file, err := filepath.Abs("../../examples/multi-region/policy.hcl")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	for _, f := range ask(t, []step{{File: file, Open: &text}})[0].Findings {
		if f.Severity == 1 {
			t.Errorf("an example has an error in the editor: %+v", f)
		}
	}
}
