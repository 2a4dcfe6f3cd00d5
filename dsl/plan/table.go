package plan

import "math"

// Table is a table of the policy as lookup reads it.
type Table struct {
	Name string
	File string // the source's base name, by which rows are named: territories.csv
	Rows int
	// Values are the value column by the key column; nil for a table that is not looked up.
	// What is blank there is missing here.
	Values map[string]string
}

// Lookup is the text that the table has for the key, else the fallback; missing where
// the key is missing and there is no fallback.
func Lookup(t *Table, key, fallback Text, source string) Text {
	values, of, or := t.Values, key.Of, fallback.Of
	return Text{Source: source, Of: func(r *Record) string {
		if v, ok := values[of(r)]; ok {
			return v
		}
		if or == nil {
			return ""
		}
		return or(r)
	}}
}

// LookupNumber is Lookup among values that have been read as numbers.
func LookupNumber(values map[string]float64, key Text, fallback Number, source string) Number {
	of, or := key.Of, fallback.Of
	return Number{Source: source, Of: func(r *Record) float64 {
		if v, ok := values[of(r)]; ok {
			return v
		}
		if or == nil {
			return math.NaN()
		}
		return or(r)
	}}
}
