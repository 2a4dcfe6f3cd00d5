package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// File is a file of records.
type File struct {
	Name    string
	Records []json.RawMessage
	// Attrs are the columns of a CSV that no field is named for: they became attributes.
	Attrs []string

	places []place
	paths  []string // of the columns of a CSV; nil: JSON
	names  []string // as they stand in its header
}

// place is where a record stands.
type place struct {
	line  int
	cells [][2]int // line and column of each cell of a CSV
}

// FormatError is why a file cannot be cut into records.
type FormatError struct {
	File      string
	Line, Col int
	Text      string
	Remedy    string
}

// Error is one line, with the place first.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Col, e.Text, e.Remedy)
}

// Open cuts a file into records: a JSON array, JSON objects one after the other (NDJSON),
// or a CSV with a header. The name's ending says which, else the first character. All
// errors of a file that cannot be cut are returned, joined; each is a *FormatError.
func (t *Table[T]) Open(name string, content []byte) (*File, error) {
	f := &File{Name: name}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	start := bytes.TrimSpace(content)
	if len(start) == 0 {
		return nil, &FormatError{name, 1, 1, "the file is empty", "give a JSON array, a " + t.name + " a line (NDJSON), or a CSV with a header"}
	}
	var err error
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".csv", ext != ".json" && ext != ".ndjson" && ext != ".jsonl" && start[0] != '[' && start[0] != '{':
		err = f.readCSV(content, t.columns())
	default:
		err = f.readJSON(content)
	}
	if err != nil {
		return nil, err
	}
	if len(f.Records) == 0 {
		return nil, &FormatError{name, 1, 1, "the file holds no " + t.name, "put one in"}
	}
	return f, nil
}

// readJSON reads an array of objects, or objects one after the other.
func (f *File) readJSON(content []byte) error {
	d := json.NewDecoder(bytes.NewReader(content))
	broken := func(err error) error {
		offset := d.InputOffset()
		var syntax *json.SyntaxError
		text, remedy := err.Error(), "write valid JSON here"
		switch {
		case errors.As(err, &syntax):
			offset = syntax.Offset
			if !strings.HasPrefix(text, "expected") { // of those the offset is before the character, else after it
				offset = max(offset-1, 0)
			}
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			offset, text, remedy = int64(len(content)), "the file ends in the middle of a record", "give the whole file"
		}
		line, col := position(content, offset)
		return &FormatError{f.Name, line, col, text, remedy}
	}
	array := bytes.TrimSpace(content)[0] == '['
	if array {
		if _, err := d.Token(); err != nil {
			return broken(err)
		}
	}
	for line, seen := 1, 0; ; {
		if array && !d.More() {
			break
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) && !array {
			return nil
		} else if err != nil {
			return broken(err)
		}
		at := int(d.InputOffset()) - len(raw)
		line += bytes.Count(content[seen:at], []byte{'\n'})
		seen = at
		f.Records, f.places = append(f.Records, raw), append(f.places, place{line: line})
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	if rest := bytes.TrimSpace(content[d.InputOffset():]); len(rest) > 0 {
		line, col := position(content, int64(len(content)-len(bytes.TrimLeft(content[d.InputOffset():], " \t\r\n"))))
		return &FormatError{f.Name, line, col, "there is something after the array", "take it out"}
	}
	return nil
}

// position is the line and the column, in bytes, of an offset; both from 1.
func position(content []byte, offset int64) (line, col int) {
	before := content[:min(offset, int64(len(content)))]
	return bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// Describe writes a fault as one line with the place that it has in the file.
func (f *File) Describe(fault Fault) string {
	where := f.Name
	if fault.Record >= 0 && fault.Record < len(f.places) {
		p := f.places[fault.Record]
		if i := f.column(fault.Pointer); i >= 0 && i < len(p.cells) {
			where = fmt.Sprintf("%s:%d:%d: column %q", f.Name, p.cells[i][0], p.cells[i][1], f.names[i])
		} else {
			where = fmt.Sprintf("%s:%d", f.Name, p.line)
			if name := strings.TrimPrefix(fault.Pointer, "/"); name != "" {
				where += ": " + strings.ReplaceAll(name, "/", ".")
			}
		}
	}
	return where + ": " + fault.Said() + ": " + fault.Remedy
}

// column is the index of the column that a pointer points into, or -1.
func (f *File) column(pointer string) int {
	for i, path := range f.paths {
		if pointer == "/"+path || strings.HasPrefix(pointer, "/"+path+"/") {
			return i
		}
	}
	return -1
}
