package company

import (
	"fmt"
	"maps"
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
		"xiii.example":     {"Ninth Wave Capital XIII"},
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
		"Wayfarer Acquisition Corp. I": "",
		"Ninth Wave Capital XII":       "", // and no beginning of XIII
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

// TestSlips: a word with a slip is filed under a spelling that the word without it has, too,
// wherever the slip is: in letters that are doubled or tripled, and in two that changed places.
func TestSlips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	spellings := func(w string) map[string]bool {
		all := map[string]bool{}
		slips(w, func(s string) { all[s] = true })
		return all
	}
	met := 0
	for range 200_000 {
		a := make([]byte, minSlip+r.IntN(6))
		for i := range a {
			a[i] = "abc"[r.IntN(3)]
		}
		b := slices.Clone(a)
		switch i := r.IntN(len(b) - 1); r.IntN(4) {
		case 0:
			b = slices.Delete(b, i, i+1)
		case 1:
			b = slices.Insert(b, i, "abc"[r.IntN(3)])
		case 2:
			b[i], b[i+1] = b[i+1], b[i]
		case 3:
			b[i] = "abc"[r.IntN(3)]
		}
		if alike(string(a), string(b)) == 0 {
			continue
		}
		met++
		mine, common := spellings(string(a)), false
		for s := range spellings(string(b)) {
			common = common || mine[s]
		}
		if !common {
			t.Fatalf("%s and %s are alike and share no spelling", a, b)
		}
	}
	if met < 100_000 {
		t.Errorf("only %d pairs are alike", met)
	}
}

// TestChains: it holds what a map of sets holds, in whatever order it came and went, and
// knows the hashes that are crowded.
func TestChains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	c := chains{most: 4}
	want := map[uint32]map[uint32]bool{}
	for n := range 60_000 {
		// Values are distinct within a hash; some hashes share a chain, many are rare.
		hash, value := uint32(r.IntN(3000))<<r.IntN(12), uint32(r.IntN(6))
		if want[hash][value] {
			c.remove(hash, value)
			delete(want[hash], value)
		} else if n < 40_000 {
			c.add(hash, value)
			if want[hash] == nil {
				want[hash] = map[uint32]bool{}
			}
			want[hash][value] = true
		}
		if n%5000 != 0 {
			continue
		}
		live := 0
		for hash, values := range want {
			got := map[uint32]bool{}
			c.each(hash, func(v uint32) bool { got[v] = true; return true })
			if !maps.Equal(values, got) {
				t.Fatalf("after %d changes, of hash %d: %v, want %v", n, hash, got, values)
			}
			if c.crowded(hash) != (len(values) > c.most) {
				t.Fatalf("after %d changes, hash %d with %d values: crowded is %v", n, hash, len(values), c.crowded(hash))
			}
			live += len(values)
		}
		if c.live != live {
			t.Fatalf("after %d changes %d records are counted, want %d", n, c.live, live)
		}
	}
}
