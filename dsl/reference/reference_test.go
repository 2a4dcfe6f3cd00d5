package reference_test

import (
	"os"
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
