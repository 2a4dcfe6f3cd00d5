package country

import (
	"slices"
	"testing"
	"time"

	"github.com/leadroute/leadroute/dsl/plan"
)

// TestCountries: known holidays fall where they are known to fall, observed days among them,
// and every country has some every year.
func TestCountries(t *testing.T) {
	for _, c := range []struct {
		code, day string
		off       bool
	}{
		{"US", "2026-07-04", true}, // a Saturday
		{"US", "2026-07-03", true}, // observed on the Friday before
		{"US", "2027-07-05", true}, // a Sunday's, observed on the Monday after
		{"US", "2026-11-26", true},
		{"US", "2026-12-24", false},
		{"GB", "2026-12-28", true}, // Boxing Day is a Saturday
		{"GB", "2026-04-03", true},
		{"DE", "2026-10-03", true},
		{"DE", "2026-01-06", false},
		{"DE-BY", "2026-01-06", true},
		{"DE", "2038-04-26", true}, // the latest Easter there is
		{"FR", "2026-07-14", true},
		{"JP", "2026-02-11", true},
		{"AU-NSW", "2026-01-26", true},
	} {
		days, ok := Holidays(c.code)
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if _, off := days[plan.DateOf(day)]; !ok || off != c.off {
			t.Errorf("Holidays(%s) on %s = %v, %v, want %v", c.code, c.day, off, ok, c.off)
		}
	}
	codes := Codes()
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("countries = %v, want them in order, each once", codes)
	}
	for _, code := range codes {
		days, _ := Holidays(code)
		perYear := map[int]int{}
		for d := range days {
			perYear[d.Year]++
		}
		for year := 2020; year <= last; year++ {
			if perYear[year] < 5 || perYear[year] > 40 {
				t.Errorf("%s has %d days off in %d", code, perYear[year], year)
				break
			}
		}
	}
}
