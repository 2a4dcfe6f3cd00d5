package dsl

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean says which of the known names the author may have meant, as a sentence with
// a leading blank; shown puts a name into the form in which it is written. Where nothing
// is near, it lists the names if they are few.
func didYouMean(name string, known []string, shown func(string) string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf(" Did you mean %s?", shown(near))
	}
	const few = 8
	if len(known) == 0 || len(known) > few {
		return ""
	}
	list := make([]string, len(known))
	for i, k := range known {
		list[i] = shown(k)
	}
	slices.Sort(list)
	return " There is " + enumerate(list, "and") + "."
}

func inQuotes(s string) string { return `"` + s + `"` }

// enumerate writes a, b and c.
func enumerate(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	n := len(list) - 1
	return strings.Join(list[:n], ", ") + " " + last + " " + list[n]
}

// nearest returns the known name that is most like name, "" when none is near enough.
func nearest(name string, known []string) string {
	best, at := "", 1000
	want := plainName(name)
	for _, k := range known {
		got := plainName(k)
		d := distance(want, got)
		if len(want) >= 3 && (strings.HasPrefix(got, want) || strings.HasSuffix(got, want)) {
			d = min(d, 2)
		}
		if d <= max(1, min(len(want), len(got))/3) && d < at {
			best, at = k, d
		}
	}
	return best
}

// plainName is the name without what is easily mistyped.
func plainName(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance is how many letters must be changed, put in, taken out or swapped with their
// neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1000
	}
	var rows [3][66]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
