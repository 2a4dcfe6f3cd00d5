package main

import (
	"strings"
	"testing"
)

// Without Java there is no broker, and nothing passes silently.
func TestWithoutJavaItFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	code, err := run(t.Context(), "", []string{"true"}, t.Output())
	if code != 1 || err == nil || !strings.Contains(err.Error(), "install a Java runtime") {
		t.Errorf("run without Java = %d, %v, want 1 and what to install", code, err)
	}
}
