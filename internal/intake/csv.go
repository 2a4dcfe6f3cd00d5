package intake

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/leadroute/leadroute"
)

// column is what a CSV's column of that name is read as.
type column struct {
	path string
	kind any // a pointer of the field's type
}

// columns are the names that a header may have: the last part of a field's path, or the
// whole with dots.
func (t *Table[T]) columns() map[string]column {
	all := map[string]column{}
	var row T
	for _, f := range t.fields {
		kind := f.at(&row)
		if _, open := kind.(*map[string]any); open {
			continue // any other column becomes a member of it
		}
		c := column{f.path, kind}
		all[f.path[strings.LastIndexByte(f.path, '/')+1:]] = c
		all[strings.ReplaceAll(f.path, "/", ".")] = c
	}
	return all
}

// attrsPath is where columns go that no field is named for.
const attrsPath = "attrs/"

// csv makes a JSON object of each line. Cells that are empty are left out.
func (c *Cutter) csv(in io.Reader, head []byte, known map[string]column) error {
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	head, _, _ = bytes.Cut(head, []byte{'\n'})
	if !bytes.ContainsRune(head, ',') && bytes.ContainsRune(head, ';') {
		r.Comma = ';'
	}
	f := &c.file
	names, err := r.Read()
	if err != nil {
		return f.brokenCSV(err)
	}
	columns, err := f.header(r, names, known)
	if err != nil {
		return err
	}
	c.none = &FormatError{f.Name, 1, 1, "the file has a header and nothing below it", "add a line for each"}
	done := false
	c.more = func(f *File, n int) error {
		var bad []error
		for !done && len(f.Records) < n {
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				done = true
				break
			}
			if err != nil {
				done = true
				return errors.Join(append(bad, f.brokenCSV(err))...) // from here on nothing can be trusted
			}
			line, _ := r.FieldPos(0)
			if len(cells) != len(columns) {
				bad = append(bad, &FormatError{
					f.Name, line, 1, fmt.Sprintf("cells in the line: %d, in the header: %d", len(cells), len(columns)),
					`put a cell that holds the separator in quotes, like "Roe, Emi"`,
				})
				continue
			}
			p := place{line: line, cells: make([][2]int, len(cells))}
			for i := range cells {
				p.cells[i][0], p.cells[i][1] = r.FieldPos(i)
			}
			f.Records, f.places = append(f.Records, object(columns, cells)), append(f.places, p)
		}
		return errors.Join(bad...)
	}
	return nil
}

// header finds what each column is.
func (f *File) header(r *csv.Reader, names []string, known map[string]column) ([]column, error) {
	columns := make([]column, len(names))
	seen := map[string]bool{}
	var bad []error
	for i, name := range names {
		name = strings.TrimSpace(name)
		c, ok := known[strings.ToLower(name)]
		if !ok {
			c = column{path: attrsPath + Escape(name)}
			f.Attrs = append(f.Attrs, name)
		}
		if name == "" || seen[c.path] {
			line, col := r.FieldPos(i)
			e := &FormatError{f.Name, line, col, "the column has no name", "name it in the header, or take it out"}
			if name != "" {
				e.Text, e.Remedy = fmt.Sprintf("the column %q is there twice", name), "take one out"
			}
			bad = append(bad, e)
		}
		seen[c.path] = true
		columns[i] = c
		f.names, f.paths = append(f.names, name), append(f.paths, c.path)
	}
	return columns, errors.Join(bad...)
}

func (f *File) brokenCSV(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return &FormatError{f.Name, 1, 1, err.Error(), "give a CSV with a header"}
	}
	line, col := p.Line, p.Column
	if p.StartLine != p.Line { // a quote was opened there and not closed
		line, col = p.StartLine, 1
	}
	return &FormatError{f.Name, line, col, p.Err.Error(), `put the whole cell in quotes, and write a quote within it twice, like "the ""new"" team"`}
}

// object is a line as JSON. The columns of one parent need not stand together.
func object(columns []column, cells []string) json.RawMessage {
	root := map[string]any{}
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		in, name := root, columns[i].path
		if parent, child, nested := strings.Cut(name, "/"); nested {
			inner, ok := root[parent].(map[string]any)
			if !ok {
				inner = map[string]any{}
				root[parent] = inner
			}
			in, name = inner, child
		}
		in[unescape(name)] = value(columns[i].kind, cell)
	}
	b, _ := json.Marshal(root) // texts and raw numbers
	return b
}

// value is a cell as JSON: by the field's type, and where there is no field, by its look.
func value(kind any, cell string) any {
	switch kind.(type) {
	case *string, *leadroute.Shifts, *map[leadroute.Class]int:
		return cell
	case *[]string, *[]leadroute.Away:
		return list(cell)
	case *int, *float64:
		if number(cell) {
			return json.RawMessage(cell)
		}
		return cell // Read says that it is no number
	}
	switch {
	case cell == "true", cell == "false", number(cell):
		return json.RawMessage(cell)
	case len(cell) > 1 && cell[0] == '"' && json.Valid([]byte(cell)): // meant as a text: "007" in quotes of its own
		return json.RawMessage(cell)
	case strings.Contains(cell, "|"):
		return list(cell)
	}
	return cell
}

// Attr is a text as an attribute's value, as it is read from a CSV's cell.
func Attr(cell string) any {
	raw, err := json.Marshal(value(nil, cell))
	var v any
	if err != nil || json.Unmarshal(raw, &v) != nil {
		return cell
	}
	return v
}

// number tells whether a cell is a number as JSON writes it, so that 007 stays a text.
func number(cell string) bool {
	return strings.ContainsRune("-0123456789", rune(cell[0])) && json.Valid([]byte(cell))
}

func list(cell string) []string {
	out := []string{}
	for one := range strings.SplitSeq(cell, "|") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

func unescape(name string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}
