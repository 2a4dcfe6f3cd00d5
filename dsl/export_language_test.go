package dsl

import "slices"

// Undecoded lists descriptions of what no block has: the language lost it, or a typo.
func Undecoded() []string {
	known := map[string]bool{}
	var walk func(spec *blockSpec, path string)
	walk = func(spec *blockSpec, path string) {
		known[path] = true
		for _, a := range spec.attrs {
			known[path+"."+a] = true
		}
		for _, n := range spec.nested {
			walk(n, path+"."+n.name)
		}
	}
	for _, spec := range blockSpecs() {
		walk(spec, spec.name)
	}
	var stale []string
	for path := range blockDocs {
		if !known[path] {
			stale = append(stale, path)
		}
	}
	for path := range attributeDocs {
		if !known[path] {
			stale = append(stale, path)
		}
	}
	slices.Sort(stale)
	return stale
}
