package desk

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
)

// Held are the claims a rep holds, oldest first. On the wire they are one string of some
// 40 bytes a claim, "lead rev target try pool at" and, if so, "x" for exempt, "*3" for its
// cost to the pool and "+2" for that to the rep, joined by ";": the row is written
// with every claim, and its view is read as often.
type Held []Claim

// MarshalJSON writes the compact form.
func (h Held) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+len(h)*48)
	b = append(b, '"')
	for i, c := range h {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, c.Lead...)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(c.Rev), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(c.Target), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(c.Try), 10)
		b = append(b, ' ')
		b = append(b, c.Pool...)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(c.At), 10)
		if c.Exempt {
			b = append(b, " x"...)
		}
		if c.Cost > 1 {
			b = append(b, " *"...)
			b = strconv.AppendInt(b, int64(c.Cost), 10)
		}
		if c.Own > 1 {
			b = append(b, " +"...)
			b = strconv.AppendInt(b, int64(c.Own), 10)
		}
	}
	return append(b, '"'), nil
}

// UnmarshalJSON reads the compact form.
func (h *Held) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' || bytes.IndexByte(b, '\\') >= 0 {
		return errors.New("held claims are not one plain string")
	}
	s := string(b[1 : len(b)-1])
	*h = nil
	if s == "" {
		return nil
	}
	*h = make(Held, 0, strings.Count(s, ";")+1)
	for one := range strings.SplitSeq(s, ";") {
		c, err := parseClaim(one)
		if err != nil {
			return fmt.Errorf("held claim %d: %w", len(*h), err)
		}
		*h = append(*h, c)
	}
	return nil
}

func parseClaim(s string) (c Claim, err error) {
	var bad bool
	word := func() string {
		w, rest, more := strings.Cut(s, " ")
		bad = bad || !more && s == ""
		s = rest
		return w
	}
	number := func() int64 {
		n, e := strconv.ParseInt(word(), 10, 64)
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	c.Lead = leadroute.LeadID(word())
	c.Rev, c.Target, c.Try = int(number()), int(number()), int(number())
	c.Pool = leadroute.PoolID(word())
	c.At = leadroute.Millis(number())
	for s != "" {
		w := word()
		if n, ok := strings.CutPrefix(w, "*"); ok {
			c.Cost, _ = strconv.Atoi(n) // 0, which is 1, where a later version says something else
		}
		if n, ok := strings.CutPrefix(w, "+"); ok {
			c.Own, _ = strconv.Atoi(n)
		}
		c.Exempt = c.Exempt || w == "x"
	}
	if bad && err == nil {
		err = errors.New("it has fewer parts than lead, revision, target, try, pool and time")
	}
	return c, err
}
