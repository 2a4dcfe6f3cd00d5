package intake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
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
	c, err := t.Cut(name, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	f, err := c.Next(math.MaxInt)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Cutter cuts a file into records, some at a time: a long one is not held as a whole.
type Cutter struct {
	file File // without records
	more func(f *File, n int) error
	some bool
	none error // of a file without a record
}

// Cut begins to cut a file into records.
func (t *Table[T]) Cut(name string, in io.Reader) (*Cutter, error) {
	r := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := r.Peek(3); string(mark) == "\ufeff" {
		_, _ = r.Discard(len(mark))
	}
	head, err := r.Peek(r.Size()) // as much as there is
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	start := bytes.TrimSpace(head)
	if len(start) == 0 {
		return nil, &FormatError{name, 1, 1, "the file is empty", "give a JSON array, a " + t.name + " a line (NDJSON), or a CSV with a header"}
	}
	c := &Cutter{file: File{Name: name}, none: &FormatError{name, 1, 1, "the file holds no " + t.name, "put one in"}}
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".csv", ext != ".json" && ext != ".ndjson" && ext != ".jsonl" && start[0] != '[' && start[0] != '{':
		err = c.csv(r, head, t.columns())
	default:
		err = c.json(r, start[0] == '[')
	}
	return c, err
}

// Next cuts the next records, at most n, and io.EOF behind the last. Records may come with
// errors, joined, about what could not be cut among them; each is a *FormatError.
func (c *Cutter) Next(n int) (*File, error) {
	f := c.file
	err := c.more(&f, n)
	c.some = c.some || len(f.Records) > 0 || err != nil
	switch {
	case err != nil || len(f.Records) > 0:
		return &f, err
	case !c.some:
		return nil, c.none
	}
	return nil, io.EOF
}

// json cuts an array of objects, or objects one after the other.
func (c *Cutter) json(in io.Reader, array bool) error {
	lines := &lineReader{in: in}
	d := json.NewDecoder(lines)
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
			offset, text, remedy = lines.read, "the file ends in the middle of a record", "give the whole file"
		}
		line, col := lines.position(offset)
		return &FormatError{c.file.Name, line, col, text, remedy}
	}
	if array {
		if _, err := d.Token(); err != nil {
			return broken(err)
		}
	}
	done := false
	c.more = func(f *File, n int) error {
		for !done && len(f.Records) < n {
			if array && !d.More() {
				done = true
				if _, err := d.Token(); err != nil {
					return broken(err)
				}
				return c.nothing(d, lines)
			}
			var raw json.RawMessage
			if err := d.Decode(&raw); errors.Is(err, io.EOF) && !array {
				done = true
				return nil
			} else if err != nil {
				done = true
				return broken(err)
			}
			line, _ := lines.position(d.InputOffset() - int64(len(raw)))
			f.Records, f.places = append(f.Records, raw), append(f.places, place{line: line})
		}
		lines.forget(d.InputOffset())
		return nil
	}
	return nil
}

// nothing makes sure that nothing stands behind an array.
func (c *Cutter) nothing(d *json.Decoder, lines *lineReader) error {
	at := d.InputOffset()
	rest := bufio.NewReader(io.MultiReader(d.Buffered(), lines))
	for ; ; at++ {
		switch b, err := rest.ReadByte(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", c.file.Name, err)
		case !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)):
			line, col := lines.position(at)
			return &FormatError{c.file.Name, line, col, "there is something after the array", "take it out"}
		}
	}
}

// lineReader remembers where lines end.
type lineReader struct {
	in        io.Reader
	read      int64
	ends      []int64 // offsets of line ends, but for those that were forgotten
	forgotten int
}

func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// position is the line and the column, in bytes, of an offset; both from 1.
func (l *lineReader) position(offset int64) (line, col int) {
	i, _ := slices.BinarySearch(l.ends, offset)
	before := int64(-1)
	if i > 0 {
		before = l.ends[i-1]
	}
	return l.forgotten + i + 1, int(offset - before)
}

// forget drops the line ends long before an offset.
func (l *lineReader) forget(offset int64) {
	if i, _ := slices.BinarySearch(l.ends, offset); i > 1 {
		l.ends = append(l.ends[:0], l.ends[i-1:]...)
		l.forgotten += i - 1
	}
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
