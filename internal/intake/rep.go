package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Bounds of a row, so that the table's values stay small.
const (
	maxID    = 128
	maxOpen  = 10_000
	maxAttrs = 64
)

// Known are the names of a policy that a rep's profile may use.
type Known struct{ Hours, Calendars, Classes []string }

// KnownOf are those of a plan.
func KnownOf(p *plan.Plan) *Known {
	k := &Known{Hours: slices.Collect(maps.Keys(p.Hours)), Calendars: slices.Collect(maps.Keys(p.Calendars))}
	for i := range p.Classes {
		k.Classes = append(k.Classes, string(p.Classes[i].Name))
	}
	return k
}

// Reps is the table of reps; nil takes any name.
func Reps(known *Known) *Table[leadroute.Rep] {
	return &Table[leadroute.Rep]{
		name: "rep", keyAt: "id",
		fields: []field[leadroute.Rep]{
			{"id", func(r *leadroute.Rep) any { return (*string)(&r.ID) }},
			{"email", func(r *leadroute.Rep) any { return &r.Email }},
			{"crm_id", func(r *leadroute.Rep) any { return &r.CRMID }},
			{"name", func(r *leadroute.Rep) any { return &r.Name }},
			{"team", func(r *leadroute.Rep) any { return &r.Team }},
			{"region", func(r *leadroute.Rep) any { return &r.Region }},
			{"timezone", func(r *leadroute.Rep) any { return &r.Timezone }},
			{"hours", func(r *leadroute.Rep) any { return &r.Hours }},
			{"skills", func(r *leadroute.Rep) any { return &r.Skills }},
			{"languages", func(r *leadroute.Rep) any { return &r.Languages }},
			{"started_on", func(r *leadroute.Rep) any { return &r.StartedOn }},
			{"weight", func(r *leadroute.Rep) any { return &r.Weight }},
			{"shifts", func(r *leadroute.Rep) any { return &r.Shifts }},
			{"holidays", func(r *leadroute.Rep) any { return &r.Holidays }},
			{"away", func(r *leadroute.Rep) any { return &r.Away }},
			{"cost", func(r *leadroute.Rep) any { return &r.Cost }},
			{"caps/open", func(r *leadroute.Rep) any { return &r.Caps.Open }},
			{"caps/per_hour", func(r *leadroute.Rep) any { return &r.Caps.PerHour }},
			{"caps/per_day", func(r *leadroute.Rep) any { return &r.Caps.PerDay }},
			{"caps/per_week", func(r *leadroute.Rep) any { return &r.Caps.PerWeek }},
			{"attrs", func(r *leadroute.Rep) any { return &r.Attrs }},
		},
		finish: func(r *leadroute.Rep) { r.ID = leadroute.RepID(strings.TrimSpace(string(r.ID))) },
		key:    func(r *leadroute.Rep) string { return string(r.ID) },
		check:  func(r *leadroute.Rep, report report) { checkRep(r, known, report) },
	}
}

func checkRep(r *leadroute.Rep, known *Known, report report) {
	if why := BadID(string(r.ID)); why != "" {
		report("id", "the id "+why, `write a short name without blanks, like "ana"`)
	}
	if r.Email != "" && (strings.Count(r.Email, "@") != 1 || strings.ContainsFunc(r.Email, unicode.IsSpace)) {
		report("email", "is no e-mail address", `write it like "ana@example.com", or leave it out`)
	}
	checkTimes(r, known, report)
	if r.Weight < 0 {
		report("weight", fmt.Sprintf("%v is negative", r.Weight), "write a number above 0; 0 counts as 1")
	}
	for _, c := range []struct {
		path string
		n    int
	}{{"caps/open", r.Caps.Open}, {"caps/per_hour", r.Caps.PerHour}, {"caps/per_day", r.Caps.PerDay}, {"caps/per_week", r.Caps.PerWeek}} {
		if c.n < 0 {
			report(c.path, fmt.Sprintf("%d is negative", c.n), "write a number above 0, or leave it out for no cap; to give a rep nothing, set the status to off")
		}
	}
	if r.Caps.Open > maxOpen {
		report("caps/open", fmt.Sprintf("%d is more than anyone can hold", r.Caps.Open), fmt.Sprintf("write at most %d", maxOpen))
	}
	checkLists(r, report)
	checkAttrCount(r.Attrs, report)
	checkAttrs(r.Attrs, report)
}

func checkLists(r *leadroute.Rep, report report) {
	if slices.Contains(r.Skills, "") {
		report("skills", "has an empty entry", "leave it out")
	}
	if slices.Contains(r.Languages, "") {
		report("languages", "has an empty entry", "leave it out")
	}
}

func checkAttrCount(attrs map[string]any, report report) {
	if len(attrs) > maxAttrs {
		report("attrs", fmt.Sprintf("has %d attributes", len(attrs)), fmt.Sprintf("keep at most %d: those that the policy reads", maxAttrs))
	}
}

// BadID says why an id cannot be one of a rep, as the rest of a sentence; "" if it can.
func BadID(id string) string {
	odd := func(c rune) bool {
		return c == '/' || c == unicode.ReplacementChar || unicode.IsSpace(c) || unicode.IsControl(c)
	}
	switch {
	case id == "":
		return "is missing"
	case len(id) > maxID:
		return fmt.Sprintf("is longer than %d bytes", maxID)
	case strings.ContainsFunc(id, odd):
		return "holds a blank, a slash or a control character"
	}
	return ""
}

// knownZone also refuses "Local", which is another zone on every machine.
func knownZone(name string) bool {
	if name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
