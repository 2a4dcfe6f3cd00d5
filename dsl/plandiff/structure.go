// Package plandiff says what a new version of a policy changes: in its text, block by
// block, and in what becomes of leads, with a lead that shows each change. The decisions are
// the plans' own.
package plandiff

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
)

// Hash names the step from one plan to another: apply refuses a step that begins elsewhere
// than the policy in force.
func Hash(old, new leadroute.PlanID) string {
	sum := sha256.Sum256([]byte(string(old) + "\n" + string(new)))
	return hex.EncodeToString(sum[:4])
}

// Change is what became of one block, or of one row of a table.
type Change struct {
	Block string `json:"block"` // rule "emea", or territories.csv
	Kind  string `json:"kind"`  // added, removed, changed or moved
	// Parts are the attributes of a changed block, or the rows of a changed table.
	Parts []Part `json:"parts,omitempty"`
}

// Part is one attribute or row, as the author wrote it; "" where it is not there.
type Part struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// mostRows is how many rows of a table are told.
const mostRows = 20

// Structure compares two policies block by block, in the order of the new one; what is
// gone comes last. Blocks whose order matters and that stand elsewhere now are moved.
func Structure(before, after *dsl.Policy) []Change {
	a, b := blocksOf(before), blocksOf(after)
	var changes []Change
	for _, name := range b.order {
		was, ok := a.parts[name]
		switch {
		case !ok:
			changes = append(changes, Change{Block: name, Kind: "added"})
		default:
			if parts := compare(was, b.parts[name]); len(parts) > 0 {
				changes = append(changes, Change{Block: name, Kind: "changed", Parts: parts})
			}
		}
	}
	for _, name := range moved(a.order, b.order) {
		changes = append(changes, Change{Block: name, Kind: "moved"})
	}
	for _, name := range a.order {
		if _, ok := b.parts[name]; !ok {
			changes = append(changes, Change{Block: name, Kind: "removed"})
		}
	}
	return append(changes, tables(before.Source, after.Source)...)
}

type blocks struct {
	order []string
	parts map[string]map[string]string // block: attribute: text
}

func blocksOf(p *dsl.Policy) blocks {
	out := blocks{parts: map[string]map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(p.Source)) {
		if filepath.Ext(name) != ".hcl" {
			continue
		}
		src := p.Source[name]
		file, _ := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		body, ok := file.Body.(*hclsyntax.Body)
		if !ok {
			continue
		}
		for _, b := range body.Blocks {
			title := b.Type
			if len(b.Labels) > 0 {
				title += fmt.Sprintf(" %q", b.Labels[0])
			}
			if out.parts[title] == nil {
				out.order = append(out.order, title)
				out.parts[title] = map[string]string{}
			}
			flatten(b.Body, src, "", out.parts[title])
		}
	}
	return out
}

// flatten lists the attributes of a block and of those inside, by their path.
func flatten(b *hclsyntax.Body, src []byte, prefix string, into map[string]string) {
	for name, a := range b.Attributes {
		into[prefix+name] = strings.Join(strings.Fields(string(a.Expr.Range().SliceBytes(src))), " ")
	}
	count := map[string]int{}
	for _, n := range b.Blocks {
		path := n.Type
		if len(n.Labels) > 0 {
			path += " " + n.Labels[0]
		}
		count[path]++
		if count[path] > 1 {
			path += fmt.Sprintf(" #%d", count[path])
		}
		into[prefix+path] = "{ }"
		flatten(n.Body, src, prefix+path+".", into)
	}
}

func compare(a, b map[string]string) []Part {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var parts []Part
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a[name] != b[name] {
			parts = append(parts, Part{name, a[name], b[name]})
		}
	}
	return parts
}

// moved lists the blocks of kinds that are asked in order which changed places: those
// outside of the longest run that kept its order.
func moved(before, after []string) []string {
	var out []string
	for _, kind := range []string{"priority ", "override ", "territory ", "rule "} {
		place := map[string]int{}
		for i, name := range before {
			if strings.HasPrefix(name, kind) {
				place[name] = i
			}
		}
		var names []string
		for _, name := range after {
			if _, ok := place[name]; ok && strings.HasPrefix(name, kind) {
				names = append(names, name)
			}
		}
		kept := longest(names, place)
		for _, name := range names {
			if !kept[name] {
				out = append(out, name)
			}
		}
	}
	return out
}

// longest is the longest subsequence of names whose places rise.
func longest(names []string, place map[string]int) map[string]bool {
	best, from := make([]int, len(names)), make([]int, len(names))
	end := -1
	for i := range names {
		best[i], from[i] = 1, -1
		for j := range i {
			if place[names[j]] < place[names[i]] && best[j]+1 > best[i] {
				best[i], from[i] = best[j]+1, j
			}
		}
		if end < 0 || best[i] > best[end] {
			end = i
		}
	}
	kept := map[string]bool{}
	for ; end >= 0; end = from[end] {
		kept[names[end]] = true
	}
	return kept
}

// tables compares the data files that the policies read, row by row.
func tables(a, b map[string][]byte) []Change {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if filepath.Ext(name) == ".hcl" || string(a[name]) == string(b[name]) {
			continue
		}
		_, was := a[name]
		_, is := b[name]
		switch {
		case !was:
			changes = append(changes, Change{Block: name, Kind: "added"})
		case !is:
			changes = append(changes, Change{Block: name, Kind: "removed"})
		default:
			changes = append(changes, Change{Block: name, Kind: "changed", Parts: rows(a[name], b[name])})
		}
	}
	return changes
}

func rows(a, b []byte) []Part {
	old, now := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	was, is := map[string]bool{}, map[string]bool{}
	for _, r := range old {
		was[r] = true
	}
	for _, r := range now {
		is[r] = true
	}
	var parts []Part
	for i, r := range now {
		if !was[r] && len(parts) < mostRows {
			parts = append(parts, Part{fmt.Sprintf("line %d", i+1), "", r})
		}
	}
	for i, r := range old {
		if !is[r] && len(parts) < 2*mostRows {
			parts = append(parts, Part{fmt.Sprintf("old line %d", i+1), r, ""})
		}
	}
	return parts
}
