package reference_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/reference"
)

func TestThePageIsFresh(t *testing.T) {
	page, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != reference.Markdown(dsl.Describe()) {
		t.Error("docs/language.md does not say what the compiler decodes: run make docs")
	}
}

func TestDiagnosticPagesAreFresh(t *testing.T) {
	pages := reference.DiagnosticPages()
	if len(pages) != len(dsl.Findings)+1 {
		t.Fatalf("%d pages for %d findings", len(pages), len(dsl.Findings))
	}
	files, err := filepath.Glob("../../docs/diagnostics/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if _, ok := pages[filepath.Base(name)]; !ok {
			t.Errorf("%s is of no finding: take it out", name)
		}
	}
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join("../../docs/diagnostics", name)); err != nil || string(got) != want {
			t.Errorf("docs/diagnostics/%s is not what the compiler says: run make docs (%v)", name, err)
		}
	}
}
