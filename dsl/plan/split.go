package plan

import "hash/fnv"

// Split sends a rule's leads to one of its arms, always the same one for the same By.
type Split struct {
	By   Text
	Arms []Arm // their percentages sum to 100
	// Salt makes splits of different rules independent of each other: the rule's name.
	Salt string
}

// Arm is one way of a split. Its targets are tried before the rule's own.
type Arm struct {
	Name    string
	Percent float64
	Targets []RuleTarget
}

// Arm picks the lead's arm; nil where By is missing.
func (s *Split) Arm(r *Record) *Arm {
	by := s.By.Of(r)
	if by == "" {
		return nil
	}
	share, below := Share(s.Salt, by)*100, 0.0
	for i := range s.Arms {
		if below += s.Arms[i].Percent; share < below {
			return &s.Arms[i]
		}
	}
	return &s.Arms[len(s.Arms)-1] // what rounding leaves over
}

// Share is where a text falls between 0 and 1: evenly spread, the same for ever, and
// independent for different salts.
func Share(salt, text string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(salt))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(text))
	x := h.Sum64() // whose last byte has hardly moved the high bits: mix them (murmur3's end)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// Ways returns every target that the rule may try, those of the split's arms first.
func (rule *Rule) Ways() []RuleTarget {
	if rule.Split == nil {
		return rule.Targets
	}
	var all []RuleTarget
	for i := range rule.Split.Arms {
		all = append(all, rule.Split.Arms[i].Targets...)
	}
	return append(all, rule.Targets...)
}
