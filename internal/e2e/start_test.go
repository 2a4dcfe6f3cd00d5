package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/embedded"
)

// What cannot start says in one line what to do about it, and ends with exit code 1.
func TestStartIsRefused(t *testing.T) {
	w := newWorld(t, 1, crmsim.Faults{})
	w.given = nil // the broker is not the matter here
	good := policy(t)
	running := w.process("running")
	running.launch()
	taken := strings.TrimPrefix(running.where().API, "http://")
	ch, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseOptions{Dir: filepath.Join(w.dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Stop)
	nobody := fmt.Sprintf("127.0.0.1:%d", freePort(t))

	for name, c := range map[string]struct {
		policy string // empty: the good one
		args   []string
		env    []string
		above  []string // what is said above the last line
		want   []string // on the last line, the only one unless above is set
	}{
		"port in use": {
			args: []string{"--listen", taken}, want: []string{taken, "in use", "--listen"},
		},
		"address that is none": {
			args: []string{"--listen", "nonsense"}, want: []string{"nonsense", "--listen HOST:PORT"},
		},
		"broker unreachable": {
			args: []string{"--brokers", nobody}, want: []string{"cannot reach a broker", nobody, "--brokers"},
		},
		"data folder in use": {
			args: []string{"--data", running.data}, want: []string{running.data, "in use by process " + fmt.Sprint(running.cmd.Process.Pid), "--data"},
		},
		"data folder that cannot be": {
			args: []string{"--data", good}, want: []string{good, "--data"},
		},
		"ClickHouse unreachable": {
			args: []string{"--clickhouse", nobody}, want: []string{"ClickHouse at " + nobody, "is it running"},
		},
		"ClickHouse address that is none": {
			args: []string{"--clickhouse", "http://leadroute:hunter2@" + nobody}, want: []string{"ClickHouse address", "clickhouse://USER:PASSWORD@HOST:PORT"},
		},
		"ClickHouse refuses the login": {
			args: []string{"--clickhouse", "clickhouse://stranger:hunter2@" + ch.Addr()},
			want: []string{ch.Addr(), `refuses the login of user "stranger"`, "--clickhouse clickhouse://USER:PASSWORD"},
		},
		"secret not set": {
			env: []string{"CRM_WEBHOOK_KEY"}, want: []string{"destination crm", "CRM_WEBHOOK_KEY is not set"},
		},
		"secret of no use": {
			env: []string{"CRM_WEBHOOK_KEY=hunter2"}, want: []string{"destination crm", "signing key", `"whsec_"`},
		},
		"key of lead ids too short": {
			env: []string{"LEADROUTE_ID_KEY=hunter2"}, want: []string{"LEADROUTE_ID_KEY", "at least 16"},
		},
		"API keys of another form": {
			env: []string{"LEADROUTE_KEYS=hunter2"}, want: []string{"LEADROUTE_KEYS", "SOURCE=SECRET"},
		},
		"partitions": {
			args: []string{"--partitions", "3"}, want: []string{"3", "power of two"},
		},
		"policy with a syntax error": {
			policy: `rule "emea" {`, above: []string{"policy.hcl:1,", `rule "emea" {`, "^"}, want: []string{"errors above", "leadroute validate"},
		},
		"policy with an unknown pool": {
			policy: strings.Replace(text(t, good), "pool.enterprise, terr", "pool.enterprize, terr", 1),
			above:  []string{"Unknown pool", "^^^^", `Did you mean "pool.enterprise"?`}, want: []string{"errors above", "leadroute validate"},
		},
		"policy that is not there": {
			policy: "-", above: []string{"There is no file"}, want: []string{"errors above"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, file := filepath.Join(t.TempDir(), "data"), good
			if c.policy != "" {
				file = filepath.Join(t.TempDir(), "policy.hcl")
			}
			if c.policy != "" && c.policy != "-" {
				if err := os.WriteFile(file, []byte(c.policy), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "leadroute"),
				append([]string{"run", file, "--data", data, "--listen", "127.0.0.1:0"}, c.args...)...)
			cmd.Env = without(os.Environ(), "CRM_WEBHOOK_KEY")
			for _, v := range append(running.env, c.env...) {
				cmd.Env = without(cmd.Env, strings.SplitN(v, "=", 2)[0])
				if strings.Contains(v, "=") {
					cmd.Env = append(cmd.Env, v)
				}
			}
			cmd.SysProcAttr, cmd.WaitDelay = tied(), 5*time.Second
			began := time.Now()
			_, err := cmd.Output()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != 1 {
				t.Fatalf("leadroute %q ended with %v, want exit code 1", cmd.Args[1:], err)
			}
			said := strings.TrimRight(string(exit.Stderr), "\n")
			lines := strings.Split(said, "\n")
			last := lines[len(lines)-1]
			if !strings.HasPrefix(last, "leadroute: ") || len(c.above) == 0 && len(lines) != 1 {
				t.Errorf("%d lines on stderr, want one that begins with \"leadroute: \":\n%s", len(lines), said)
			}
			for _, part := range c.want {
				if !strings.Contains(last, part) {
					t.Errorf("the last line lacks %q: %s", part, last)
				}
			}
			for _, part := range c.above {
				if !strings.Contains(said, part) {
					t.Errorf("stderr lacks %q:\n%s", part, said)
				}
			}
			if strings.Contains(said, "hunter2") || strings.Contains(said, webhookKey) {
				t.Errorf("stderr tells a secret:\n%s", said)
			}
			t.Logf("after %v: %s", time.Since(began).Round(time.Millisecond), last)
		})
	}
	select {
	case <-running.done:
		t.Errorf("the process that held the port and the folder ended: %v", running.err)
	default:
	}
	if c, err := net.Dial("tcp", taken); err != nil {
		t.Errorf("its API is gone: %v", err)
	} else {
		_ = c.Close()
	}
}

func without(env []string, name string) []string {
	var out []string
	for _, v := range env {
		if !strings.HasPrefix(v, name+"=") {
			out = append(out, v)
		}
	}
	return out
}

// policy is the path of the demo's policy.
func policy(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", "demo.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
