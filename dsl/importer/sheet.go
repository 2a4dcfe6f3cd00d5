package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// column is what a column of a territory sheet is for.
type column struct {
	index  int
	name   string // in the table that is written
	field  string // of the lead that it is held against; empty: it names a target or a territory
	kind   columnKind
	number bool
}

type columnKind uint8

const (
	exact   columnKind = iota // the field equals the cell, or one of its values
	prefix                    // the field starts with the cell
	from                      // a range's lower bound
	until                     // its upper bound
	desk                      // who takes the lead: a pool, a queue's name or an e-mail address
	region                    // the territory's name
	ignored                   // a note for people
)

// Sheet reads a territory sheet, a CSV with a header, and returns a policy with one rule a
// row. Columns are known by their names: country, state, region, city, industry, language,
// product, segment, source and company (with several values parted by | or ;), postal_prefix
// or zip, pairs such as size_from and size_to, and owner, rep, pool or assigned_to for who
// takes the lead. A blank cell takes every lead.
func Sheet(r io.Reader) (*Result, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.TrimLeadingSpace = true
	header, err := rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the sheet is empty; its first line names the columns, such as country,state,owner")
	case err != nil:
		return nil, fmt.Errorf("read the sheet: %w", err)
	}
	out := &Result{}
	columns, err := classify(header, out)
	if err != nil {
		return nil, err
	}
	s := &sheet{draft: newDraft(), out: out, columns: columns, desks: map[string]string{}, split: map[int]string{}}
	if err := s.read(rows, len(header)); err != nil {
		return nil, err
	}
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	s.out.Files = map[string][]byte{
		"policy.hcl":             s.draft.file("territories", "Imported from a territory sheet", s.middle()),
		"tables/territories.csv": table,
	}
	return s.out, nil
}

// fields of a lead by the header's word.
var sheetFields = map[string]string{
	"country": "country", "countries": "country", "country_code": "country", "state": "state", "states": "state", "province": "state",
	"region": "region", "city": "city", "industry": "industry", "industries": "industry", "vertical": "industry", "language": "language",
	"product": "product", "segment": "segment", "lead_source": "lead_source", "company": "company", "email_domain": "email_domain", "domain": "email_domain",
	"zip": "postal_code", "postal_code": "postal_code", "postal_prefix": "postal_code", "zip_prefix": "postal_code", "postcode": "postal_code",
}

var sheetRanges = map[string]string{
	"size": "company_size", "company_size": "company_size", "employees": "company_size", "arr": "arr", "revenue": "arr", "score": "score",
}

func classify(header []string, out *Result) ([]column, error) {
	columns := make([]column, len(header))
	found := map[columnKind]string{}
	matching := false
	for i, title := range header {
		name := identifier(strings.TrimPrefix(title, "\ufeff"))
		c := column{index: i, name: name}
		base, bound := name, exact
		for suffix, kind := range map[string]columnKind{"_from": from, "_min": from, "_to": until, "_max": until} {
			if b, ok := strings.CutSuffix(name, suffix); ok {
				base, bound = b, kind
			}
		}
		switch field := sheetRanges[base]; {
		case slices.Contains(strings.Fields("owner rep pool assigned_to assignee queue team owner_email"), name):
			c.kind = desk
		case name == "territory":
			c.kind = region
		case bound != exact && field != "":
			c.kind, c.field, c.number, matching = bound, field, true, true
			c.name = field + map[columnKind]string{from: "_from", until: "_to"}[bound]
		case sheetFields[name] != "":
			c.field, matching = sheetFields[name], true
			if c.field == "postal_code" {
				c.kind = prefix
			}
		default:
			c.kind = ignored
			out.note("the column %q is left out: no lead field is known by that name", title)
		}
		if c.kind == desk || c.kind == region {
			if other, twice := found[c.kind]; twice {
				return nil, fmt.Errorf("the columns %q and %q say the same: keep one", other, title)
			}
			found[c.kind] = title
		}
		columns[i] = c
	}
	switch {
	case found[desk] == "":
		return nil, fmt.Errorf("no column says who takes the leads: name one owner, rep, pool or assigned_to (there are %s)", strings.Join(header, ", "))
	case !matching:
		return nil, fmt.Errorf("no column says which leads a row is for: name them country, state, postal_prefix, industry, size_from and size_to (there are %s)", strings.Join(header, ", "))
	}
	return columns, nil
}

type sheet struct {
	draft   *draft
	out     *Result
	columns []column
	rows    [][]string
	desks   map[string]string // cell: pool
	split   map[int]string    // column with several values in a cell: what parts them
}

func (s *sheet) read(rows *csv.Reader, width int) error {
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the sheet: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if len(row) != width {
			return fmt.Errorf("line %d has %d cells, the header %d: quote cells that hold a comma", line, len(row), width)
		}
		if strings.TrimSpace(strings.Join(row, "")) == "" {
			continue
		}
		for _, c := range s.columns {
			cell := strings.TrimSpace(row[c.index])
			row[c.index] = cell
			if err := s.cell(c, cell, line); err != nil {
				return err
			}
		}
		s.rows = append(s.rows, row)
	}
	if len(s.rows) == 0 {
		return errors.New("the sheet has a header and no rows")
	}
	s.out.Rules = len(s.rows)
	return nil
}

func (s *sheet) cell(c column, cell string, line int) error {
	switch {
	case c.kind == desk && cell == "":
		return fmt.Errorf("line %d says nobody who takes its leads: fill the column %q", line, c.name)
	case c.kind == desk:
		s.desk(cell)
	case c.number && cell != "":
		if _, err := strconv.ParseFloat(strings.ReplaceAll(cell, ",", ""), 64); err != nil {
			return fmt.Errorf("line %d: %s is %q, which is no number", line, c.name, cell)
		}
	case c.kind == exact && c.field != "":
		for _, sep := range []string{"|", ";"} {
			if strings.Contains(cell, sep) {
				s.split[c.index] = "|"
			}
		}
	}
	return nil
}

func (s *sheet) desk(cell string) {
	if s.desks[cell] != "" {
		return
	}
	local, _, isMail := strings.Cut(cell, "@")
	t := target{name: s.draft.unique("pool", local)}
	if isMail {
		t.email = cell
	} else {
		t.member = "rep.team == " + quote(cell)
		t.comment = "Who is in " + cell + ": reps whose team is that, in the rep table."
	}
	s.desks[cell] = t.name
	s.draft.pools = append(s.draft.pools, t)
}

// table is the sheet as the policy reads it: the columns' names of the language, pools by
// their names, numbers without thousands separators.
func (s *sheet) table() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var header []string
	for _, c := range s.columns {
		if c.kind != ignored {
			header = append(header, s.title(c))
		}
	}
	if err := w.Write(header); err != nil {
		return nil, err
	}
	for _, row := range s.rows {
		var cells []string
		for _, c := range s.columns {
			cell := row[c.index]
			switch {
			case c.kind == ignored:
				continue
			case c.kind == desk:
				cell = s.desks[cell]
			case c.number:
				cell = strings.ReplaceAll(cell, ",", "")
			case s.split[c.index] != "":
				cell = strings.Join(splitCell(cell), "|")
			}
			cells = append(cells, cell)
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func splitCell(cell string) []string {
	parts := strings.FieldsFunc(cell, func(r rune) bool { return r == '|' || r == ';' })
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

// title is the column's name in the table that is written.
func (s *sheet) title(c column) string {
	if c.kind == desk {
		return "pool"
	}
	return c.name
}

// middle is the table and the rules that come from it.
func (s *sheet) middle() string {
	var match strings.Builder
	ranges := map[string][2]string{}
	var order []string
	for _, c := range s.columns {
		switch {
		case c.kind == from || c.kind == until:
			r, seen := ranges[c.field]
			if !seen {
				order = append(order, c.field)
			}
			r[c.kind-from] = "row." + c.name
			ranges[c.field] = r
			s.draft.field(c.field, "number")
		case c.field != "":
			s.draft.field(c.field, "string")
			fmt.Fprintf(&match, "%s = %s\n", c.name, s.test(c))
		}
	}
	for _, field := range order {
		r := ranges[field]
		switch {
		case r[1] == "":
			fmt.Fprintf(&match, "%s = lead.%s >= %s\n", field, field, r[0])
		case r[0] == "":
			fmt.Fprintf(&match, "%s = lead.%s <= %s\n", field, field, r[1])
		default:
			fmt.Fprintf(&match, "%s = between(lead.%s, %s, %s)\n", field, field, r[0], r[1])
		}
	}
	set := "pool = row.pool"
	for _, c := range s.columns {
		if c.kind == region {
			set = "territory = row." + c.name + ", " + set
		}
	}
	return fmt.Sprintf(`# One rule a row, in the order of the sheet; a blank cell takes every lead.
table "territories" {
source = "tables/territories.csv"
match = {
%s}
blank = "any"
set = { %s }
}

rules_from "territories" {
table = table.territories
to = [row.pool, queue.unrouted]
}

`, match.String(), set)
}

func (s *sheet) test(c column) string {
	switch {
	case c.kind == prefix:
		return fmt.Sprintf("startswith(lead.%s, row.%s)", c.field, c.name)
	case s.split[c.index] != "":
		return fmt.Sprintf(`one_of(lead.%s, split("|", row.%s))`, c.field, c.name)
	default:
		return fmt.Sprintf("lead.%s == row.%s", c.field, c.name)
	}
}
