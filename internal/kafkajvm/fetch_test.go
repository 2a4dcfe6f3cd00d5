package kafkajvm

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePath makes a PATH that holds these programs alone: name to shell script.
func fakePath(t *testing.T, programs map[string]string) {
	t.Helper()
	bin := t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("JAVA_HOME", "")
}

func TestMissingProgramsAreNamed(t *testing.T) {
	const java17 = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`
	for _, tc := range []struct {
		name     string
		programs map[string]string
		want     []string
	}{
		{"no Java", nil, []string{"kafka needs Java", "install a Java runtime, version 17"}},
		{"Java too old", map[string]string{"java": `echo 'java version "1.8.0_392"' >&2`}, []string{"needs Java 17", "version 8", "install"}},
		{"Java that fails", map[string]string{"java": `echo broken >&2; exit 3`}, []string{"exit status 3", "broken", "install"}},
		{"no Maven", map[string]string{"java": java17}, []string{"Maven", "install Maven"}},
		{"Maven that fails", map[string]string{"java": java17, "mvn": `echo no such artifact; exit 1`}, []string{"fetch kafka", "no such artifact"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fakePath(t, tc.programs)
			_, err := Start(t.Context(), Options{Cache: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Start() = %v, want an error that says %q", err, want)
				}
			}
		})
	}
}

func TestFindJavaReadsVersions(t *testing.T) {
	for out, ok := range map[string]bool{
		`openjdk version "17.0.15" 2025-04-15`: true,
		`openjdk version "25" 2025-09-16`:      true,
		`openjdk version "21-ea" 2023-09-19`:   true,
		`openjdk version "11.0.2"`:             false,
		`java version "1.8.0_392"`:             false,
		`not Java at all`:                      false,
	} {
		fakePath(t, map[string]string{"java": fmt.Sprintf("echo '%s' >&2", out)})
		if _, err := findJava(t.Context()); (err == nil) != ok {
			t.Errorf("findJava with %q = %v, want ok %t", out, err, ok)
		}
	}
}

// A fetch that broke off leaves nothing that the next one would take for whole, and a
// whole one is not fetched twice.
func TestFetchIsAllOrNothing(t *testing.T) {
	broken := `for a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done; mkdir -p "$d"; : > "$d/half.jar"; exit 1`
	whole := `for a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done; mkdir -p "$d"; : > "$d/kafka_2.13-` + Version() + `.jar"`
	cache, log := t.TempDir(), slog.New(slog.DiscardHandler)
	realPath := os.Getenv("PATH")
	use := func(script string) {
		fakePath(t, map[string]string{"mvn": script})
		t.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+realPath)
	}

	use(broken)
	if dir, err := fetch(t.Context(), cache, log); err == nil {
		t.Fatalf("fetch with a Maven that breaks off = %s, want an error", dir)
	}
	if left, err := os.ReadDir(cache); err != nil || len(left) != 0 {
		t.Errorf("the broken fetch left %v (%v), want nothing", left, err)
	}
	use(whole)
	dir, err := fetch(t.Context(), cache, log)
	if err != nil {
		t.Fatalf("fetch: %v", err)
	}
	use(`echo "asked again" >&2; exit 1`)
	if again, err := fetch(t.Context(), cache, log); err != nil || again != dir {
		t.Errorf("second fetch = %q, %v, want %q from the cache", again, err, dir)
	}
}

func TestFetchStopsWithItsContext(t *testing.T) {
	fakePath(t, map[string]string{"mvn": "while :; do :; done"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fetch(ctx, t.TempDir(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("fetch with an ended context = nil, want an error")
	}
}
