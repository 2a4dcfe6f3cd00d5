package plan

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner walks JSON that is known to be valid and picks out the fields of a layout.
// Texts without escapes are cut out of the one string, so that a lead costs one
// allocation however many fields it has.
type scanner struct {
	text string
	i    int
}

// peek skips white space and returns the byte that follows.
func (s *scanner) peek() byte {
	for s.i < len(s.text) {
		switch c := s.text[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// object reads one object into the slots below b.
func (s *scanner) object(r *Record, b *branch) {
	s.i++ // {
	for {
		switch s.peek() {
		case '}':
			s.i++
			return
		case ',':
			s.i++
			continue
		case 0:
			return
		}
		key := s.str()
		s.peek()
		s.i++ // :
		kid := b.kids[key]
		if kid != nil && kid.kids != nil {
			r.forget(kid) // of a name that stands twice the last value counts, here as elsewhere
		}
		switch c := s.peek(); {
		case kid == nil:
			s.skip()
		case c == '{' && kid.kids != nil:
			s.object(r, kid)
		case kid.slot != nil:
			s.value(r, *kid.slot)
		default:
			s.skip()
		}
	}
}

// forget makes everything below the branch missing.
func (r *Record) forget(b *branch) {
	if b.slot != nil {
		r.unset(*b.slot)
	}
	for _, kid := range b.kids {
		r.forget(kid)
	}
}

// value reads one value into a slot; a value of another type leaves it missing.
func (s *scanner) value(r *Record, slot Slot) {
	r.unset(slot)
	switch c := s.peek(); {
	case c == '"' && slot.Type == TypeString:
		r.strs[slot.index] = Normal(s.str())
	case (c == 't' || c == 'f') && slot.Type == TypeBool:
		r.bools[slot.index] = triOf(c == 't')
		s.skip()
	case (c == '-' || '0' <= c && c <= '9') && slot.Type == TypeNumber:
		from := s.i
		s.skip()
		if f, err := strconv.ParseFloat(s.text[from:s.i], 64); err == nil {
			r.nums[slot.index] = f
		}
	case c == '[' && slot.Type == TypeList:
		s.list(r, slot)
	default:
		s.skip()
	}
}

func (s *scanner) list(r *Record, slot Slot) {
	s.i++ // [
	l, ok := r.spare[slot.index][:0], true
	for {
		switch s.peek() {
		case ']', 0:
			s.i++
			if ok {
				r.list(slot, l)
			}
			return
		case ',':
			s.i++
		case '"':
			l = append(l, Normal(s.str()))
		default:
			ok = false
			s.skip()
		}
	}
}

// str reads a string, the opening quote being next.
func (s *scanner) str() string {
	from := s.i
	s.i++
	escaped := false
	for s.i < len(s.text) && s.text[s.i] != '"' {
		if s.text[s.i] == '\\' {
			escaped = true
			s.i++
		}
		s.i++
	}
	s.i = min(s.i+1, len(s.text))
	raw := s.text[from:s.i]
	if !escaped && utf8.ValidString(raw) {
		return strings.Trim(raw, `"`)
	}
	var out string
	if json.Unmarshal([]byte(raw), &out) != nil {
		return ""
	}
	return out
}

// skip passes over one value.
func (s *scanner) skip() {
	switch s.peek() {
	case '"':
		s.skipString()
	case '{', '[':
		depth := 0
		for s.i < len(s.text) {
			switch s.text[s.i] {
			case '"':
				s.skipString()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			s.i++
			if depth == 0 {
				return
			}
		}
	default:
		for s.i < len(s.text) && !strings.ContainsRune(",]} \t\r\n", rune(s.text[s.i])) {
			s.i++
		}
	}
}

func (s *scanner) skipString() {
	for s.i++; s.i < len(s.text) && s.text[s.i] != '"'; s.i++ {
		if s.text[s.i] == '\\' {
			s.i++
		}
	}
	s.i = min(s.i+1, len(s.text))
}
