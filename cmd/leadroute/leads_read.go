package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLead is the longest lead that is read as one; the router's own limit is far below.
const maxLead = 1 << 20

// leadReader cuts a file into leads without holding the whole: a JSON array, JSON objects
// one after the other, or one a line. What stands on a line is not looked into, so that a
// broken line costs nothing but itself: the router rejects it by its number.
type leadReader struct {
	name string
	src  *bufio.Reader
	read int64                           // bytes taken from the file, some of them ahead
	mode func() (json.RawMessage, error) // set at the first call of next
}

func newLeadReader(r io.Reader, name string) *leadReader {
	l := &leadReader{name: inputName(name)}
	l.src = bufio.NewReaderSize(readerFunc(func(b []byte) (int, error) {
		n, err := r.Read(b)
		l.read += int64(n)
		return n, err
	}), 64<<10)
	return l
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// next returns one lead on one line, nil for one that is longer than maxLead, and io.EOF at the end.
func (l *leadReader) next() (json.RawMessage, error) {
	if l.mode != nil {
		return l.mode()
	}
	first, err := l.start()
	if err != nil {
		return nil, err
	}
	if first == '[' {
		d := json.NewDecoder(l.src)
		_, _ = d.Token() // the bracket
		l.mode = func() (json.RawMessage, error) { return l.decode(d, true) }
		return l.mode()
	}
	line, err := l.line()
	if err == nil && first == '{' && line != nil && !json.Valid(line) && l.goesOn() {
		d := json.NewDecoder(io.MultiReader(bytes.NewReader(append(line, '\n')), l.src))
		l.mode = func() (json.RawMessage, error) { return l.decode(d, false) }
		return l.mode()
	}
	l.mode = l.line
	return line, err
}

// goesOn tells whether the next line looks like a part of an object that was begun, and
// not like a lead of its own after a broken one.
func (l *leadReader) goesOn() bool {
	next, err := l.src.Peek(1)
	return err == nil && bytes.Contains([]byte(" \t\"}"), next)
}

// start skips a byte order mark and blanks, and looks at the first character.
func (l *leadReader) start() (byte, error) {
	if mark, err := l.src.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = l.src.Discard(3)
	}
	for {
		b, err := l.src.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", l.name, err)
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)) {
			return b, l.src.UnreadByte()
		}
	}
}

// line returns the next line that is not blank, nil if it is too long.
func (l *leadReader) line() (json.RawMessage, error) {
	for {
		line, err := l.src.ReadSlice('\n')
		long := append([]byte(nil), line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.src.ReadSlice('\n')
			if len(long) <= maxLead {
				long = append(long, line...)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %s: %w", l.name, err)
		}
		if len(long) > maxLead {
			return nil, nil
		}
		if long = bytes.TrimSpace(long); len(long) > 0 {
			return long, nil
		}
		if err != nil {
			return nil, io.EOF
		}
	}
}

// decode returns the next value, without its line breaks.
func (l *leadReader) decode(d *json.Decoder, array bool) (json.RawMessage, error) {
	if array && !d.More() {
		if _, err := d.Token(); err != nil {
			return nil, l.broken(d, err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s goes on after the array's end at byte %d", l.name, d.InputOffset())
		}
		return nil, io.EOF
	}
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) && !array {
			return nil, io.EOF
		}
		return nil, l.broken(d, err)
	}
	if len(raw) > maxLead {
		return nil, nil
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, raw); err != nil {
		return nil, l.broken(d, err)
	}
	return flat.Bytes(), nil
}

func (l *leadReader) broken(d *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s ends in the middle of a lead or of its array", l.name)
	}
	return fmt.Errorf("%s is not valid JSON near byte %d: %w", l.name, d.InputOffset(), err)
}
