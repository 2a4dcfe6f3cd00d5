package dsl_test

import (
	"testing"

	"github.com/leadroute/leadroute/dsl"
)

// Whatever the compiler decodes has a sentence in the reference.
func TestEveryPartOfTheLanguageIsDescribed(t *testing.T) {
	l := dsl.Describe()
	var walk func(path string, b dsl.BlockDoc)
	walk = func(path string, b dsl.BlockDoc) {
		if b.Doc == "" {
			t.Errorf("block %s: no description in language_docs.go", path)
		}
		for _, a := range b.Attributes {
			if a.Doc == "" || a.Type == "" {
				t.Errorf("attribute %s.%s: no description in language_docs.go", path, a.Name)
			}
		}
		for _, n := range b.Blocks {
			walk(path+"."+n.Name, n)
		}
	}
	for _, b := range l.Blocks {
		walk(b.Name, b)
	}
	for _, f := range l.Functions {
		if f.Doc == "" {
			t.Errorf("function %s: no description in language_docs.go", f.Name)
		}
	}
	if len(l.Blocks) < 20 || len(l.Functions) < 10 || len(l.Fields) < 15 || len(l.RepFields) < 10 {
		t.Errorf("%d blocks, %d functions, %d lead fields, %d rep fields: something is missing", len(l.Blocks), len(l.Functions), len(l.Fields), len(l.RepFields))
	}
}

// And nothing is described that no block has.
func TestNothingElseIsDescribed(t *testing.T) {
	for _, path := range dsl.Undecoded() {
		t.Errorf("language_docs.go describes %s, which the compiler does not decode", path)
	}
}
