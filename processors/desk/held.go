package desk

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
)

// Held are the claims a rep holds, oldest first. On the wire they are one string of some
// 40 bytes a claim, "lead rev target try pool at exempt" joined by ";": the row is written
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
	}
	return append(b, '"'), nil
}

// UnmarshalJSON reads the compact form.
func (h *Held) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("held claims: %w", err)
	}
	*h = nil
	if s == "" {
		return nil
	}
	*h = make(Held, 0, strings.Count(s, ";")+1)
	for one := range strings.SplitSeq(s, ";") {
		f := strings.Split(one, " ")
		if len(f) < 6 {
			return fmt.Errorf("held claims: %d parts in one, want 6 or 7", len(f))
		}
		var n [4]int64
		for i, at := range [4]int{1, 2, 3, 5} {
			v, err := strconv.ParseInt(f[at], 10, 64)
			if err != nil {
				return fmt.Errorf("held claims: %w", err)
			}
			n[i] = v
		}
		*h = append(*h, Claim{
			Lead: leadroute.LeadID(f[0]), Rev: int(n[0]), Target: int(n[1]), Try: int(n[2]),
			Pool: leadroute.PoolID(f[4]), At: leadroute.Millis(n[3]), Exempt: len(f) > 6,
		})
	}
	return nil
}
