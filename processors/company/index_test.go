package company

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func search(x *Index, name string) (found []string) {
	for _, h := range x.Search(Normal(name), 0.8) {
		found = append(found, fmt.Sprintf("%s %.3f", h.Domain, h.Score))
	}
	return found
}

func TestSearch(t *testing.T) {
	x := NewIndex()
	for domain, names := range map[string][]string{
		"acme.example":     {"Acme Rockets, Inc.", "Road Runner Supplies"},
		"aero.example":     {"AeroVironment, Inc."},
		"firstfin.example": {"First Financial Bancorp"},
		"firstfou.example": {"First Foundation Inc."},
		"summit.example":   {"Summit Therapeutics plc"},
		"two.example":      {"Wayfarer Acquisition Corp. II"},
		"bank.example":     {"Bank of America"},
		"cut.example":      {"Nature's Sunshine Products, Inc."},
	} {
		x.Set(domain, names...)
	}
	for name, want := range map[string]string{
		"ACME ROCKETS LLC":             "acme.example",
		"Acme Rockest":                 "acme.example", // two letters changed places
		"Rockets, Acme":                "acme.example",
		"Acme Rockets (Springfield)":   "acme.example",
		"Acme Rockets Group":           "acme.example",
		"Roadrunner Supplies":          "acme.example", // an alias, written together
		"Aero Vironment":               "aero.example",
		"First Financial Bancorp.":     "firstfin.example",
		"1st Foundation":               "",
		"First Financial":              "",
		"Summit":                       "",
		"Summit Financial":             "",
		"Summit Therapeutic":           "summit.example",
		"Wayfarer Acquisition Corp II": "two.example",
		"Wayfarer Acquisition Corp.":   "",
		"Wayfarer Acquisition III":     "",
		"Bank of Austria":              "",
		"Natures Sunshine":             "cut.example",
		"":                             "",
		"Inc.":                         "",
	} {
		got := ""
		if hits := x.Search(Normal(name), 0.92); len(hits) > 0 {
			got = hits[0].Domain
		}
		if got != want {
			t.Errorf("Search(%q) = %q, want %q; alike are %v", name, got, want, search(x, name))
		}
	}
}

// TestIndexForgets: an index whose accounts came, changed and went says the same as one that
// was made of what is left, whatever the order.
func TestIndexForgets(t *testing.T) {
	m := newMadeUp(1, 300)
	r := rand.New(rand.NewPCG(1, 7))
	x, left := NewIndex(), map[string][]string{}
	for range 20_000 {
		domain := fmt.Sprintf("c%d.example", r.IntN(2000))
		names := make([]string, r.IntN(3))
		for i := range names {
			names[i] = m.name()
		}
		x.Set(domain, names...)
		if left[domain] = names; len(names) == 0 {
			delete(left, domain)
		}
	}
	fresh := NewIndex()
	domains := []string{}
	for d := range left {
		domains = append(domains, d)
	}
	slices.Sort(domains)
	for _, d := range domains {
		fresh.Set(d, left[d]...)
	}
	if x.Len() != fresh.Len() {
		t.Fatalf("%d names are left, want %d", x.Len(), fresh.Len())
	}
	for _, d := range domains {
		for _, name := range left[d] {
			asked := name
			if r.IntN(2) == 0 {
				asked, _ = noisy(r, name)
			}
			if diff := cmp.Diff(search(fresh, asked), search(x, asked)); diff != "" {
				t.Fatalf("Search(%q): made anew and after all changes:\n%s", asked, diff)
			}
		}
	}
	for _, d := range domains {
		x.Set(d)
	}
	if x.count != 0 || x.sets.live != 0 || x.near.live != 0 || x.byText.live != 0 || x.byDomain.live != 0 || len(x.sets.crowds)+len(x.near.crowds) != 0 {
		t.Errorf("all accounts were taken out, and there are still %d names, %d sets, %d spellings, %d words, %d domains", x.count, x.sets.live, x.near.live, x.byText.live, x.byDomain.live)
	}
}

// TestIndexCrowd: of a name that more have than is worth looking at nothing is said, until
// enough of them are gone.
func TestIndexCrowd(t *testing.T) {
	x := NewIndex()
	for i := range maxAlike + 1 {
		x.Set(fmt.Sprintf("c%d.example", i), "Acme "+strings.Repeat("i", 1))
	}
	if got := search(x, "Acme I"); len(got) != 0 {
		t.Errorf("%d accounts of one name: found %d, want none", maxAlike+1, len(got))
	}
	x.Set("c0.example")
	if got := search(x, "Acme I"); len(got) != maxAlike {
		t.Errorf("%d accounts of one name: found %d, want all", maxAlike, len(got))
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"acme", "acme", 1},
		{"acme", "acne", 0},
		{"acme", "amce", 0.93},
		{"okta", "otka", 0.93},
		{"rockets", "rockest", 0.96},
		{"rocket", "socket", 0.87},
		{"lennar", "lensar", 0.92},
		{"pharmaceutical", "phramaceutcal", 0.96},
		{"alpha", "omega", 0},
		{"", "", 1},
		{"", "a", 0},
		{"größe", "grösse", 0},
		{strings.Repeat("x", 30), strings.Repeat("x", 31), 0},
	} {
		got, back := alike(c.a, c.b), alike(c.b, c.a)
		if got != back || got < c.want-0.01 || got > c.want+0.03 {
			t.Errorf("alike(%q, %q) = %.3f and back %.3f, want some %.2f", c.a, c.b, got, back, c.want)
		}
	}
}
