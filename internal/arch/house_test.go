package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leadroute/leadroute/internal/kafkajvm"
)

const root = "../.."

// What the compose file and the Dockerfile take from .env is there, and says what the rest of
// the repository says.
func TestVersionsAreSaidOnce(t *testing.T) {
	env := map[string]string{}
	for line := range strings.Lines(read(t, ".env")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			env[key] = value
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(read(t, "docker-compose.yml"), -1) {
		if env[m[1]] == "" {
			t.Errorf("docker-compose.yml uses %s, which .env does not set", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^ARG (\w+)=(\S+)$`).FindAllStringSubmatch(read(t, "Dockerfile"), -1) {
		if m[2] != env[m[1]] {
			t.Errorf("Dockerfile: %s = %s, .env has %q", m[1], m[2], env[m[1]])
		}
	}
	if got, want := env["KAFKA_VERSION"], kafkajvm.Version(); got != want {
		t.Errorf(".env: KAFKA_VERSION = %s, internal/kafkajvm/pom.xml tests %s", got, want)
	}
	mod := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if mod == nil || env["GO_VERSION"] != mod[1] {
		t.Errorf(".env: GO_VERSION = %s, go.mod has %v", env["GO_VERSION"], mod)
	}
}

// The image is built from what .dockerignore lets through: every package must be in it.
func TestImageHasEveryPackage(t *testing.T) {
	allowed := strings.Split(read(t, ".dockerignore"), "\n")
	for path := range list(t) {
		rel, ok := strings.CutPrefix(path, Module+"/")
		if top, _, _ := strings.Cut(rel, "/"); ok && !slices.Contains(allowed, "!"+top) {
			t.Errorf(".dockerignore hides %s: add !%s", rel, top)
		}
	}
	files, err := filepath.Glob(root + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasSuffix(name, "_test.go") && !slices.Contains(allowed, "!"+name) {
			t.Errorf(".dockerignore hides %s", name)
		}
	}
}

var (
	mdLink     = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	makeTarget = regexp.MustCompile("(?m)(?:`|^    )make ([a-z-]+)")
)

// Documents name files and targets that exist.
func TestDocumentsPointSomewhere(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, m := range mdLink.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
		for _, m := range makeTarget.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s tells to make %s, which the Makefile has not", doc, m[1])
			}
		}
	}
}

// ARCHITECTURE.md knows every topic and every package.
func TestArchitectureIsComplete(t *testing.T) {
	text := read(t, "ARCHITECTURE.md")
	topics := regexp.MustCompile(`(?m)^\t\w+ +Topic = "([^"]+)"`).FindAllStringSubmatch(read(t, "topics.go"), -1)
	if len(topics) == 0 {
		t.Fatal("topics.go declares no topic that this test can see")
	}
	for _, m := range topics {
		if !strings.Contains(text, "\n| `"+m[1]+"` |") {
			t.Errorf("ARCHITECTURE.md: no row for topic %s", m[1])
		}
	}
	for path := range list(t) {
		rel, ok := strings.CutPrefix(path, Module+"/")
		if !ok {
			continue
		}
		dir, sub, _ := strings.Cut(rel, "/")
		switch dir { // the parts of the others are their own business
		case "cmd", "internal", "processors":
			sub, _, _ = strings.Cut(sub, "/")
			dir = strings.TrimSuffix(dir+"/"+sub, "/")
		}
		if last := dir[strings.LastIndex(dir, "/")+1:]; !strings.Contains(text, "`"+dir) && !strings.Contains(text, "`"+last+"/`") {
			t.Errorf("ARCHITECTURE.md does not say where %s belongs", dir)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents are the paths of all Markdown files, relative to the root.
func documents(t *testing.T) []string {
	t.Helper()
	var docs []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."), d.Name() == "node_modules":
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			docs = append(docs, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}
