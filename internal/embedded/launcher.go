package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// launcherName is the binary that runs the engine library; launcherPackage builds it.
const (
	launcherName    = "leadroute-clickhouse"
	launcherPackage = "github.com/leadroute/leadroute/cmd/leadroute-clickhouse"
	launcherEnv     = "LEADROUTE_CLICKHOUSE_LAUNCHER"
)

// findLauncher returns the path of the engine launcher: named by the environment, next to
// the running executable, on PATH, or, in a test, built from this module's source.
func findLauncher(ctx context.Context, cache string) (string, error) {
	if path := os.Getenv(launcherEnv); path != "" {
		return path, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the engine launcher: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), launcherName)
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
		return beside, nil
	}
	if path, err := exec.LookPath(launcherName); err == nil {
		return path, nil
	}
	if testing.Testing() {
		return buildLauncher(ctx, cache)
	}
	return "", fmt.Errorf("the engine launcher %s is neither next to %s nor on PATH; make build puts both into bin", launcherName, self)
}

// buildLauncher builds the launcher into the cache, unless one of the same source is there.
func buildLauncher(ctx context.Context, cache string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.GoMod}}\n{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}", launcherPackage).Output()
	if err != nil {
		return "", fmt.Errorf("find the engine launcher's source: %w", explain(err))
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for file := range strings.FieldsSeq(string(out)) {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the engine launcher's source: %w", err)
		}
		sum.Write(b)
	}
	path := filepath.Join(cache, launcherName+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	tmp, err := os.MkdirTemp(cache, "launcher-*")
	if err != nil {
		return "", fmt.Errorf("build the engine launcher: %w", err)
	}
	defer os.RemoveAll(tmp)
	built := filepath.Join(tmp, launcherName)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", built, launcherPackage)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if _, err := build.Output(); err != nil {
		return "", fmt.Errorf("build the engine launcher: %w", explain(err))
	}
	if err := os.Rename(built, path); err != nil {
		return "", fmt.Errorf("build the engine launcher: %w", err)
	}
	return path, nil
}

// explain adds what a command said on stderr to its exit code, on one line.
func explain(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	said := strings.Join(strings.Fields(string(exit.Stderr)), " ")
	if len(said) > 400 {
		said = said[:400] + "..."
	}
	return fmt.Errorf("%w: %s", err, said)
}
