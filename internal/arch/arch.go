// Package arch holds the direction of the imports: rules.go is the table, its test asks
// the go command what is really imported. It says nothing about what code does with what
// it imports, which is for the linters.
package arch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Package is what a rule looks at, as `go list -json` tells it.
type Package struct {
	ImportPath string
	Standard   bool
	Imports    []string // of the package without its tests
	Deps       []string // Imports, and theirs, and so on
}

// Rule says what some packages must not reach. Each of Only, Deny and Apart that is set is
// checked, for everything the package reaches directly or by way of others.
type Rule struct {
	// Of are the packages that the rule is about.
	Of []string
	// Only, if not nil, are the packages outside of the standard library that may be reached.
	Only []string
	// Deny are packages that may not be reached.
	Deny []string
	// Apart makes the folders directly below each pattern of Of strangers to each other,
	// except for the ones listed, which all may reach.
	Apart []string
	// Near looks at direct imports alone: what other modules do is theirs to know.
	Near bool
	// Why is told to whoever breaks the rule.
	Why string
}

// Violation is one import that goes the wrong way.
type Violation struct {
	From, To string
	Path     []string // how From reaches To, both included
	Why      string
}

// String is one line for a person to act on.
func (v Violation) String() string {
	return fmt.Sprintf("%s must not import %s (%s): %s", v.From, v.To, strings.Join(v.Path, " → "), v.Why)
}

// Check returns what breaks the rules, sorted. pkgs holds the module's packages and all they
// reach, by import path; a package that is reached but not there is taken for another module's.
func Check(rules []Rule, pkgs map[string]Package) []Violation {
	var found []Violation
	for _, from := range slices.Sorted(maps.Keys(pkgs)) {
		if !matches("./...", from) {
			continue
		}
		for _, rule := range rules {
			of := slices.IndexFunc(rule.Of, func(p string) bool { return matches(p, from) })
			if of < 0 {
				continue
			}
			reached := pkgs[from].Deps
			if rule.Near {
				reached = pkgs[from].Imports
			}
			wrong := slices.DeleteFunc(slices.Clone(reached), func(to string) bool {
				return !rule.forbids(rule.Of[of], from, to, pkgs[to].Standard)
			})
			for _, to := range wrong {
				path := way(pkgs, from, to)
				// what a wrong import drags in is not one more mistake
				if !slices.ContainsFunc(path[1:len(path)-1], func(via string) bool { return slices.Contains(wrong, via) }) {
					found = append(found, Violation{From: from, To: to, Path: path, Why: rule.Why})
				}
			}
		}
	}
	return found
}

func (r Rule) forbids(of, from, to string, standard bool) bool {
	if r.Only != nil && !standard && !matchesAny(r.Only, to) {
		return true
	}
	if matchesAny(r.Deny, to) {
		return true
	}
	if r.Apart == nil {
		return false
	}
	a, b := branch(of, from), branch(of, to)
	return a != "" && b != "" && a != b && !matchesAny(r.Apart, to)
}

// branch is the folder directly below a "x/..." pattern that a package lies in, "" if none.
func branch(pattern, pkg string) string {
	below, ok := strings.CutPrefix(pkg, Module+"/"+strings.TrimSuffix(pattern, "...")) // "x/" stays
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(below, "/")
	return first
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// matches says whether a pattern of the table means a package.
func matches(pattern, pkg string) bool {
	base, deep := strings.CutSuffix(pattern, "/...")
	first, _, _ := strings.Cut(base, "/")
	switch {
	case base == ".":
		base = Module
	case !strings.Contains(first, ".") && strings.HasPrefix(pkg, Module):
		base = Module + "/" + base
	}
	return pkg == base || deep && strings.HasPrefix(pkg, base+"/")
}

// way is a shortest chain of imports from one package to another.
func way(pkgs map[string]Package, from, to string) []string {
	cameFrom := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range pkgs[queue[0]].Imports {
			if _, seen := cameFrom[next]; seen {
				continue
			}
			cameFrom[next] = queue[0]
			queue = append(queue, next)
		}
	}
	var chain []string
	for at := to; at != ""; at = cameFrom[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}
