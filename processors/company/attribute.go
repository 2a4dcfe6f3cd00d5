package company

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// attribute is an account's attribute, nil if it has none of that name.
func attribute(a *leadroute.Account, name string) any {
	switch name {
	case "domain":
		return a.Domain
	case "name":
		return a.Name
	case "owner":
		return string(a.Owner)
	case "parent":
		return a.Parent
	}
	return plan.Attribute(a.Attrs, name)
}

// compare orders two values of an attribute for tie_break, negative if a goes first. What is
// there goes before what is missing; true before false; of a field whose values are declared
// the one that is declared first; the later time, the larger number; other texts by alphabet.
func compare(f *plan.Field, a, b any) int {
	if a == "" {
		a = nil
	}
	if b == "" {
		b = nil
	}
	if a == nil || b == nil {
		return missing(a) - missing(b)
	}
	switch x := a.(type) {
	case bool:
		if y, ok := b.(bool); ok && x != y {
			if x {
				return -1
			}
			return 1
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(y, x)
		}
	case string:
		if y, ok := b.(string); ok {
			return compareTexts(f, x, y)
		}
	}
	return 0
}

func missing(v any) int {
	if v == nil {
		return 1
	}
	return 0
}

func compareTexts(f *plan.Field, a, b string) int {
	if f != nil && len(f.Values) > 0 {
		return cmp.Compare(place(f.Values, a), place(f.Values, b))
	}
	s, isTime := instant(a)
	if t, ok := instant(b); isTime && ok {
		return t.Compare(s)
	}
	return strings.Compare(a, b)
}

// place is where a value is declared; one that is not comes last.
func place(values []string, v string) int {
	if i := slices.Index(values, v); i >= 0 {
		return i
	}
	return len(values)
}

func instant(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339, time.DateOnly, time.DateTime} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// agree tells whether a field of the lead says the same as the account's attribute of that
// name. Countries, telephone numbers and postal codes may be written in different ways.
func agree(field, said string, a *leadroute.Account) bool {
	var has string
	switch v := attribute(a, field).(type) {
	case string:
		has = v
	case float64:
		has = strconv.FormatFloat(v, 'f', -1, 64)
	}
	if said == "" || has == "" {
		return false
	}
	switch field {
	case "country":
		x, y := Country(said), Country(has)
		return x != "" && x == y || x == "" && y == "" && folded(said) == folded(has)
	case "phone":
		return samePhone(said, has)
	case "postal_code":
		return samePostalCode(said, has)
	}
	return folded(said) == folded(has)
}

func folded(s string) string { return strings.Join(words(s), " ") }

// minPhone is how many digits make a telephone number.
const minPhone = 7

// samePhone compares two telephone numbers by their digits. One may have the country's code
// and the other not, or a zero in its place; what stands behind an extension's mark is left out.
func samePhone(a, b string) bool {
	x, y := digits(a), digits(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	return len(x) >= minPhone && strings.HasSuffix(y, x)
}

func digits(phone string) string {
	phone = strings.ReplaceAll(strings.ToLower(phone), "(0)", "")
	if i := strings.IndexFunc(phone, unicode.IsLetter); i >= 0 { // x12, ext. 12
		phone = phone[:i]
	}
	var b strings.Builder
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			b.WriteByte(byte(r))
		}
	}
	return strings.TrimLeft(b.String(), "0")
}

// samePostalCode compares two postal codes without spaces and dashes; nine digits of the
// United States agree with their first five.
func samePostalCode(a, b string) bool {
	x, y := strings.Join(words(a), ""), strings.Join(words(b), "")
	const zip, zipPlus4 = 5, 9
	if len(x) > len(y) {
		x, y = y, x
	}
	return x == y && x != "" || len(x) == zip && len(y) == zipPlus4 && isNumber(y) && strings.HasPrefix(y, x)
}

func isNumber(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
