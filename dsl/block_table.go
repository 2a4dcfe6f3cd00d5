package dsl

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// The bounds of a policy's tables, which do not count as its source, and of what is told of one.
const (
	maxTable       = 16 << 20
	maxTables      = 32 << 20
	maxTableFaults = 20
)

var errTooLarge = errors.New("too large")

// table "t" { ... } is a CSV or JSON file beside the policy.
func tableBlock() *blockSpec {
	return &blockSpec{
		name: "table", labels: 1,
		attrs: words("source key value match set blank"), required: words("source"),
		build: (*compiler).table,
	}
}

// table is a table that was read.
type table struct {
	plan.Table
	block   *block
	path    string // in diagnostics
	source  string // from the policy's folder
	columns []string
	rows    []row
	src     []byte
	lines   []string // of src, when a diagnostic shows one
	faults  int

	key, value int // the columns of lookup

	match []matchItem
	blank bool // a blank cell matches every lead
	set   *object
}

// row is one row of a table; a cell that is blank is "".
type row struct {
	table *table
	line  int // physical, from 1
	cells []string
}

// name is how the row is called as a rule: territories.csv:812.
func (r *row) name() string { return r.table.File + ":" + strconv.Itoa(r.line) }

func (c *compiler) table(b *block) {
	t := &table{block: b}
	t.Name = b.name
	source, ok := c.text(b.body, "source")
	if !ok {
		return
	}
	rng := b.attr("source").Expr.Range()
	ext := path.Ext(source)
	switch clean := path.Clean(source); {
	case ext != ".csv" && ext != ".json":
		c.report(invalidValue, rng, `A table is a file: source = "tables/%s.csv", or .json with a list of objects.`, b.name)
		return
	case path.IsAbs(source) || filepath.IsAbs(source) || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(source, `\`):
		c.report(invalidValue, rng, "A table lies in the policy's folder or in one inside it, so that they travel together: source = \"tables/%s\".", path.Base(strings.ReplaceAll(source, `\`, "/")))
		return
	default:
		t.source, t.File = clean, path.Base(clean)
	}
	for _, o := range c.tables {
		switch {
		case o.source == t.source:
			t.src, t.path = o.src, o.path
		case o.File == t.File:
			c.report(tableName, rng, "A row is called %s:12, and the file of the table %q has that name, too. Rename one of the two files.", t.File, o.Name)
			return
		}
	}
	if t.src == nil && !c.fetch(t, rng) {
		return
	}
	if _, known := c.tableFile[t.path]; !known {
		c.tableFile[t.path] = t
	}
	c.tables[b.name] = t
	if ext == ".csv" {
		ok = c.readCSV(t)
	} else {
		ok = c.readJSON(t)
	}
	t.Rows = len(t.rows)
	if !ok || !c.keyed(t) {
		return
	}
	c.matches(t)
	if c.plan.Tables == nil {
		c.plan.Tables = map[string]*plan.Table{}
	}
	c.plan.Tables[b.name] = &t.Table
}

// fetch reads the table's file.
func (c *compiler) fetch(t *table, rng hcl.Range) bool {
	t.path = path.Join(filepath.ToSlash(filepath.Dir(t.block.rng.Filename)), t.source)
	src, err := c.readTable(t.block.rng.Filename, t.source)
	total := len(src)
	for _, o := range c.tableFile {
		total += len(o.src)
	}
	switch {
	case errors.Is(err, errTooLarge):
		c.report(tableTooLarge, rng, "%s is larger than %d MB, which is the most that a table has.", t.source, maxTable>>20)
	case errors.Is(err, fs.ErrNotExist):
		c.report(tableUnreadable, rng, "There is no file %s. The path counts from the folder of the policy file that names it.", t.path)
	case err != nil:
		c.report(tableUnreadable, rng, "%s cannot be read: %s.", t.path, plainReason(err))
	case total > maxTables:
		c.report(tableTooLarge, rng, "The policy's tables are larger than %d MB together.", maxTables>>20)
	case !utf8.Valid(src):
		c.report(tableUnreadable, rng, `%s is not in UTF-8. In a spreadsheet, save it as "CSV UTF-8".`, t.source)
	default:
		t.src = src
		return true
	}
	return false
}

func plainReason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// readTableFile reads a table that lies beside the policy file, and no more of it than is allowed.
func readTableFile(policy, source string) ([]byte, error) {
	f, err := os.Open(filepath.Join(filepath.Dir(policy), filepath.FromSlash(source)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case info.Size() > maxTable:
		return nil, errTooLarge
	}
	src, err := io.ReadAll(io.LimitReader(f, maxTable+1))
	if err == nil && len(src) > maxTable {
		err = errTooLarge
	}
	return src, err
}

// kept are the files that belong to the policy besides its own: tables, and the
// variables that were set from outside.
func (c *compiler) kept() []file {
	var files []file
	for _, t := range c.tableFile {
		files = append(files, file{name: t.source, path: t.path, src: t.src})
	}
	if len(c.set) > 0 {
		b, err := json.Marshal(c.set)
		if err != nil {
			panic(err) // texts always marshal
		}
		files = append(files, file{name: setFile, path: setFile, src: b})
	}
	return files
}

var bom = []byte("\ufeff")

func (c *compiler) readCSV(t *table) bool {
	src := bytes.TrimPrefix(t.src, bom)
	r := csv.NewReader(bytes.NewReader(src))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	r.Comma = delimiter(src)
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			c.report(raggedRow, t.at(wrong.StartLine, 0), "The quotes of this row do not match: %s. A quote inside a quoted cell is written twice.", wrong.Err)
			return false
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = plan.Normal(strings.TrimSpace(cells[i]))
		}
		switch {
		case t.columns == nil:
			if !c.header(t, slices.Clone(cells), line) {
				return false
			}
		case len(cells) != len(t.columns):
			c.report(raggedRow, t.at(line, 0), "This row has %s, and the header has %d: %s.", amount(len(cells), "cell"), len(t.columns), strings.Join(t.columns, ", "))
			if t.faults > maxTableFaults {
				return false
			}
		default:
			t.rows = append(t.rows, row{t, line, slices.Clone(cells)})
		}
	}
	return c.filled(t)
}

func (c *compiler) filled(t *table) bool {
	if len(t.rows) == 0 && t.faults == 0 {
		c.report(emptyTable, t.block.attr("source").Expr.Range(), "%s has no row below its header.", t.source)
	}
	return len(t.rows) > 0 && t.faults == 0
}

// delimiter is a comma, or what spreadsheets of other countries write instead.
func delimiter(src []byte) rune {
	header, _, _ := bytes.Cut(src, []byte("\n"))
	for _, d := range ",;\t" {
		if bytes.ContainsRune(header, d) {
			return d
		}
	}
	return ','
}

func (c *compiler) header(t *table, columns []string, line int) bool {
	for i, name := range columns {
		if !hclsyntax.ValidIdentifier(name) {
			c.report(invalidValue, t.at(line, i+1), "The header names the columns; %q cannot be written as row.name. Use letters, digits and _.", name)
			return false
		}
		if slices.Contains(columns[:i], name) {
			c.report(duplicateName, t.at(line, i+1), "The header has the column %q twice.", name)
			return false
		}
	}
	t.columns = columns
	return true
}

// readJSON reads a list of objects; a member that is missing is blank.
func (c *compiler) readJSON(t *table) bool {
	d := json.NewDecoder(bytes.NewReader(t.src))
	d.UseNumber()
	line, seen := 1, 0
	here := func() int {
		at := min(int(d.InputOffset()), len(t.src))
		line += bytes.Count(t.src[seen:at], []byte("\n"))
		seen = at
		return line
	}
	broken := func(err error) bool {
		c.report(tableUnreadable, t.at(here(), 0), "This is no list of objects: %s. Write [{ \"country\": \"DE\", \"region\": \"EMEA\" }].", err)
		return false
	}
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return broken(errors.New("it does not begin with ["))
	}
	index := map[string]int{}
	for d.More() {
		rest := bytes.TrimLeft(t.src[d.InputOffset():], ", \t\r")
		at := here() + bytes.Count(rest[:len(rest)-len(bytes.TrimLeft(rest, "\r\n\t ,"))], []byte("\n"))
		var members map[string]any
		if err := d.Decode(&members); err != nil {
			return broken(err)
		}
		r := row{t, at, make([]string, len(t.columns))}
		for _, name := range slices.Sorted(keysOf(members)) {
			i, known := index[name]
			if !known {
				i = len(t.columns)
				index[name] = i
				t.columns = append(t.columns, name)
			}
			for len(r.cells) <= i {
				r.cells = append(r.cells, "")
			}
			switch v := members[name].(type) {
			case nil:
			case string:
				r.cells[i] = plan.Normal(strings.TrimSpace(v))
			case json.Number, bool:
				r.cells[i] = fmt.Sprint(v)
			default:
				c.report(cellType, t.at(at, 0), "A cell is a text, a number, true or false; %q is a list or an object.", name)
			}
		}
		t.rows = append(t.rows, r)
		if t.faults > maxTableFaults {
			return false
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	for i := range t.rows {
		for len(t.rows[i].cells) < len(t.columns) {
			t.rows[i].cells = append(t.rows[i].cells, "")
		}
	}
	return c.filled(t)
}

func keysOf(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// at is a place in the table: a row's line, and the column from 1, 0 for the whole row.
// Where the cell really stands is looked up when it is told.
func (t *table) at(line, column int) hcl.Range {
	return hcl.Range{Filename: t.path, Start: hcl.Pos{Line: line, Column: column, Byte: -1}, End: hcl.Pos{Line: line, Byte: -1}}
}

// locate gives a place its columns.
func (t *table) locate(rng hcl.Range) hcl.Range {
	if t.lines == nil {
		t.lines = strings.Split(string(bytes.TrimPrefix(t.src, bom)), "\n")
	}
	text := ""
	if i := rng.Start.Line - 1; i >= 0 && i < len(t.lines) {
		text = strings.TrimSuffix(t.lines[i], "\r")
	}
	column := rng.Start.Column - 1
	rng.Start.Column, rng.End.Column = 1, utf8.RuneCountInString(text)+1
	if column < 0 || path.Ext(t.path) != ".csv" {
		return rng
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = delimiter(bytes.TrimPrefix(t.src, bom))
	if cells, err := r.Read(); err == nil && column < len(cells) {
		_, from := r.FieldPos(column)
		rng.Start.Column = utf8.RuneCountInString(text[:from-1]) + 1
		rng.End.Column = rng.Start.Column + max(1, utf8.RuneCountInString(cells[column]))
	}
	return rng
}

// column finds a column by its name, and reports one that is not there.
func (c *compiler) column(t *table, name string, rng hcl.Range) (int, bool) {
	i := slices.Index(t.columns, name)
	if i < 0 {
		c.report(unknownColumn, rng, "%s has no column %q.%s", t.source, name, didYouMean(name, t.columns, inQuotes))
	}
	return i, i >= 0
}

// keyed reads key and value, and makes the index that lookup reads.
func (c *compiler) keyed(t *table) bool {
	b := t.block
	key, hasKey := c.text(b.body, "key")
	value, hasValue := c.text(b.body, "value")
	switch {
	case !hasKey && !hasValue:
		return true
	case !hasKey || !hasValue:
		if b.attr("key") == nil || b.attr("value") == nil {
			c.report(missingAttribute, b.rng, "lookup needs both: key = \"column\" and value = \"column\".")
		}
		return false
	}
	k, ok1 := c.column(t, key, b.attr("key").Expr.Range())
	v, ok2 := c.column(t, value, b.attr("value").Expr.Range())
	if !ok1 || !ok2 {
		return false
	}
	t.key, t.value = k, v
	t.Values = make(map[string]string, len(t.rows))
	first := make(map[string]int, len(t.rows))
	for i := range t.rows {
		r := &t.rows[i]
		name := r.cells[k]
		before, twice := first[name]
		switch {
		case name == "":
			c.report(blankCell, t.at(r.line, k+1), "The key %q of this row is blank: nothing would ever find it.", key)
		case twice:
			c.report(duplicateKey, t.at(r.line, k+1), "The key %q stands in line %d already. Take one of the rows out.", name, before)
		case r.cells[v] != "":
			t.Values[name] = r.cells[v]
		}
		if !twice {
			first[name] = r.line
		}
		if t.faults > maxTableFaults {
			return false
		}
	}
	return t.faults == 0
}

// cell is row.column of the row at hand.
func (c *compiler) cell(r ref) (constant, bool) {
	k := constant{rng: r.rng}
	if c.row == nil {
		c.report(notAllowedHere, r.rng, "row.%s is a cell of a table: it can be read in the table's match and set, and in the rules_from that names it.", r.path[1])
		return k, false
	}
	if len(r.path) != 2 {
		c.report(unknownColumn, r.rng, "A cell is written row.column.")
		return k, false
	}
	i, ok := c.column(c.row.table, r.path[1], r.rng)
	if !ok {
		return k, false
	}
	k.rng = c.row.table.at(c.row.line, i+1)
	if c.row.cells[i] != "" {
		k.v = c.row.cells[i]
	}
	return k, true
}

// cellValue is a cell in a condition: what it is, its use says. A blank one is null.
func (s *scope) cellValue(r ref) typed {
	k, ok := s.c.cell(r)
	if !ok {
		return typed{rng: r.rng}
	}
	v, there := k.v.(string)
	if !there {
		return typed{kind: null, rng: k.rng}
	}
	return typed{kind: open, rng: k.rng, use: func(want kind) typed { return s.cellAs(v, want, k.rng) }}
}

func (s *scope) cellAs(v string, want kind, rng hcl.Range) typed {
	t := typed{rng: rng}
	switch want {
	case number:
		f, ok := s.c.cellNumber(v, rng)
		if !ok {
			return t
		}
		t.kind, t.num = number, plan.Literal(f, plan.FormatNumber(f))
	case truth:
		if v != "true" && v != "false" {
			s.c.report(cellType, rng, "true or false is wanted here, not %q.", v)
			return t
		}
		t.kind, t.cond = truth, plan.Constant(v == "true", v)
	case list:
		t.kind, t.list = list, plan.Literal([]string{v}, "["+inQuotes(v)+"]")
	default:
		t.kind, t.text = text, plan.Literal(v, inQuotes(v))
	}
	return t
}

// cellNumber reads a cell that is used as a number.
func (c *compiler) cellNumber(v string, rng hcl.Range) (float64, bool) {
	f, err := strconv.ParseFloat(v, 64)
	if err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f, true
	}
	hint := ""
	if plain := strings.NewReplacer(",", "", " ", "", "'", "", "_", "").Replace(v); isNumber(plain) {
		hint = " Write " + plain + "."
	}
	c.report(cellType, rng, "A number is wanted here, not %q.%s", v, hint)
	return 0, false
}

// fill writes the row's cells into a condition's source, so that it says what it tests.
func (r *row) fill(text string) string {
	if !strings.Contains(text, "row.") {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, "row.")
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		text = text[i+len("row."):]
		end := strings.IndexFunc(text, func(c rune) bool {
			return c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		})
		if end < 0 {
			end = len(text)
		}
		j := slices.Index(r.table.columns, text[:end])
		switch {
		case j < 0:
			b.WriteString("row." + text[:end])
		case r.cells[j] == "":
			b.WriteString("null")
		case isNumber(r.cells[j]) && (r.cells[j] == "0" || !strings.HasPrefix(r.cells[j], "0")):
			b.WriteString(r.cells[j])
		default:
			b.WriteString(inQuotes(r.cells[j]))
		}
		text = text[end:]
	}
}

func amount(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
