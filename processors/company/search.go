package company

import (
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Hit is an account whose name is like the one that was looked for.
type Hit struct {
	Domain string
	Score  float64 // from 0 to 1
	Exact  bool    // the same words in the same order
}

// Search returns the accounts with a name that is at least that much like the one given, the
// most alike first and then by domain; an account counts with its best name.
func (x *Index) Search(n Name, least float64) []Hit {
	if len(n.Words) == 0 {
		return nil
	}
	q, _ := queries.Get().(*query)
	if q == nil {
		q = &query{}
	}
	defer queries.Put(q)
	x.mu.RLock()
	defer x.mu.RUnlock()
	q.read(x, n)
	q.find(false)
	hits := q.hits(least)
	if len(hits) == 0 || hits[0].Score < sure {
		q.widen()
		q.find(true)
		hits = q.hits(least)
	}
	return hits
}

// sure is the score from which nothing better is looked for.
const sure = 0.99

var queries sync.Pool

// query is one search.
type query struct {
	x      *Index
	words  []asked
	norm   float64 // square sum of the weights
	core   float64 // of those that tell the company
	light  float64 // of those that say nothing much
	cores  int     // rare words
	form   uint8
	joined string // of the rare words
	found  []uint32
	scored []scored
}

// asked is one word that is looked for.
type asked struct {
	text   string
	level  level
	kind   kind
	weight float64
	as     []spelling // the words of the index that it may be
	known  bool       // as[0] is the word itself
}

type spelling struct {
	id    uint32
	alike float64
}

type scored struct {
	account uint32
	score   float64
	exact   bool
}

func (q *query) read(x *Index, n Name) {
	q.x, q.form, q.norm, q.core, q.light, q.cores = x, formID(n.Form), 0, 0, 0, 0
	q.found, q.scored = q.found[:0], q.scored[:0]
	words := n.Words[:min(len(n.Words), maxWords)]
	q.words = slices.Grow(q.words[:0], len(words))[:len(words)]
	for i, text := range words {
		a := &q.words[i]
		id, known := x.find(text)
		if !known && (i > 0 || len(text) >= longWord) { // no company's word: maybe a common one with a slip, or cut off
			if meant := listed.meant(text, i == len(words)-1); meant != "" {
				text = meant
				id, known = x.find(text)
			}
		}
		a.text, a.kind, a.as, a.known = text, kindOf(text), a.as[:0], known
		if known {
			a.as = append(a.as, spelling{id, 1})
		}
	}
	ls := levels(len(words), func(i int) kind { return q.words[i].kind })
	var joined strings.Builder
	for i := range q.words {
		a, w := &q.words[i], &word{}
		if a.known {
			w = &x.words[a.as[0].id]
		}
		a.level = ls[i]
		a.weight = x.weight(w, a.level)
		q.norm += a.weight * a.weight
		if a.level >= adorns {
			q.light += a.weight * a.weight
		}
		if a.level == tells {
			q.cores++
			q.core += a.weight * a.weight
			joined.WriteString(a.text)
		}
	}
	q.joined = joined.String()
}

// widen adds to each rare word those of the index that it may be with a slip, and to the
// last one those that it may be the beginning of.
func (q *query) widen() {
	for i := range q.words {
		a := &q.words[i]
		if a.level != tells && a.known || a.kind&isNumeral != 0 || utf8.RuneCountInString(a.text) < minSlip-1 {
			continue
		}
		from := len(a.as)
		slips(a.text, func(s string) {
			q.x.near.each(hashOf(s), func(id uint32) bool { return a.may(q.x, id, alike) })
		})
		if b := beginning(a.text + "."); b != "" && i == len(q.words)-1 && i > 0 {
			q.x.near.each(hashOf(b), func(id uint32) bool { return a.may(q.x, id, begins) })
		}
		if len(a.as) >= from+manyNear { // it may be anything
			a.as = a.as[:from]
			continue
		}
		as := a.as[from:]
		slices.SortFunc(as, func(s, t spelling) int {
			switch {
			case s.alike > t.alike:
				return -1
			case s.alike < t.alike:
				return 1
			}
			return strings.Compare(q.x.words[s.id].text, q.x.words[t.id].text)
		})
		a.as = a.as[:min(len(a.as), from+maxNear)]
	}
}

// may adds a word of the index, if like says so.
func (a *asked) may(x *Index, id uint32, like func(a, b string) float64) bool {
	if slices.ContainsFunc(a.as, func(s spelling) bool { return s.id == id }) {
		return true
	}
	if l := like(a.text, x.words[id].text); l > 0 {
		a.as = append(a.as, spelling{id, l})
	}
	return len(a.as) < manyNear+1
}

// begins is how much a word that was cut off is like the whole one.

func begins(cut, whole string) float64 {
	if !strings.HasPrefix(whole, cut) {
		return 0
	}
	return 0.9 + 0.1*float64(len(cut))/float64(len(whole))
}

// find gathers the names that may be meant: of the same words, or of the same rare words, or
// of rare words that are the same when written together; wide with the other spellings.
func (q *query) find(wide bool) {
	q.found = q.found[:0]
	q.combine(allWords, func(*asked) bool { return true }, wide)
	least := joins
	for i := range q.words {
		least = min(least, q.words[i].level)
	}
	q.combine(coreWords, func(a *asked) bool { return a.level == least }, wide)
	if q.joined != "" {
		q.take(hashOf(q.joined))
	}
	slices.Sort(q.found)
	q.found = slices.Compact(q.found)
	q.scored = q.scored[:0]
	for _, i := range q.found {
		q.score(&q.x.names[i])
	}
}

// combine takes the names of each set that the chosen words may be.
func (q *query) combine(of uint64, chosen func(*asked) bool, wide bool) {
	var words [maxWords]*asked
	n := 0
	for i := range q.words {
		a := &q.words[i]
		if !chosen(a) {
			continue
		}
		if len(a.as) == 0 { // nobody has it, in whatever spelling
			if of == allWords {
				return
			}
			continue
		}
		words[n] = a
		n++
	}
	if n == 0 {
		return
	}
	tries := 0
	var pick [maxWords]int // which spelling of each word
	try := func() {
		if tries++; tries > maxTries {
			return
		}
		var ids [maxWords]uint32
		sum := uint64(0)
		for i := range n {
			ids[i] = words[i].as[pick[i]].id
			if !slices.Contains(ids[:i], ids[i]) {
				sum += mix(ids[i])
			}
		}
		q.take(setHash(sum, of))
	}
	try()
	if !wide {
		return
	}
	for i := range n { // first one word that is spelled otherwise, then two
		for pick[i] = 1; pick[i] < len(words[i].as); pick[i]++ {
			try()
		}
		pick[i] = 0
	}
	for i := range n {
		for pick[i] = 1; pick[i] < len(words[i].as); pick[i]++ {
			for j := range i {
				for pick[j] = 1; pick[j] < len(words[j].as); pick[j]++ {
					try()
				}
				pick[j] = 0
			}
		}
		pick[i] = 0
	}
}

// take gathers the names filed under a hash, unless there are so many that it says nothing.
func (q *query) take(hash uint32) {
	if !q.x.sets.crowded(hash) {
		q.x.sets.each(hash, func(i uint32) bool { q.found = append(q.found, i); return true })
	}
}

// score compares a name of the index with the one that is looked for: the cosine of their
// words, each with its weight, where a word that is spelled otherwise counts for less.
func (q *query) score(m *named) {
	x, ids := q.x, q.x.of(m)
	ls := x.levels(ids)
	var c comparison
	var weights [maxWords]float64
	for k, id := range ids {
		w := &x.words[id]
		weights[k] = x.weight(w, ls[k])
		c.norm += weights[k] * weights[k]
		if ls[k] == tells {
			c.cores++
			c.core += weights[k] * weights[k]
		}
	}
	used := c.align(q, ids, &weights)
	exact := c.ordered && c.matched == len(q.words) && c.matched == len(ids) && c.sum > q.norm+c.more-1e-9
	if q.cores != c.cores && q.cores > 0 && c.cores > 0 && q.joined == x.together(ids, ls) {
		c.sum += together * (math.Sqrt(q.core*c.core) - c.coreSum)
	}
	if c.mine == 0 && c.ordered && q.norm-q.light >= enough {
		for k := c.last + 1; k < len(ids); k++ {
			if !used[k] {
				c.norm -= weights[k] * weights[k] * leftOut
			}
		}
	}
	score := min(1, c.sum/math.Sqrt((q.norm+c.more)*c.norm))
	if !exact {
		for k, id := range ids {
			if !used[k] {
				odd := oddKind(x.words[id].kind)
				c.theirs |= odd
				c.inner = c.inner || odd != 0 && k > 0 && k < c.top
			}
		}
		score = c.fine(score)
	}
	if q.form != 0 && m.form != 0 && q.form != m.form {
		score -= otherForm
	}
	q.scored = append(q.scored, scored{m.account, score, exact})
}

const (
	enough      = 1.25  // is what words must weigh of which it is enough to say the first ones
	leftOut     = 0.5   // of the weight of words is taken off that were left out at the end
	shortened   = 0.9   // is how alike a word and what is short for it are
	together    = 0.97  // is how alike words are that differ in where they are parted
	otherNumber = 0.8   // of the score is left where a number differs
	otherWord   = 0.04  // is taken off where each name has a word that the other has not, or one has it inside
	otherOrder  = 0.01  // is taken off where the words stand in another order
	otherForm   = 0.005 // is taken off where the legal form is another
)

// comparison is that of two names.
type comparison struct {
	norm, core         float64 // square sums of the other name's weights: of all words, of those that tell
	cores              int
	sum, coreSum       float64
	more               float64 // that the asked name's words weigh
	inner              bool    // an odd word stands between others
	matched, last, top int
	ordered            bool
	mine, theirs       odd // words that the other name has not
}

// odd is what kinds of words a name has that the other has not.
type odd uint8

const (
	oddWord odd = 1 << iota
	oddPlace
	oddNumber
)

func oddKind(k kind) odd {
	switch {
	case k&isFirst != 0: // the first of several is often not numbered
		return 0
	case k&isNumeral != 0:
		return oddNumber
	case k&isPlace != 0:
		return oddPlace
	case k&isParticle != 0:
		return 0
	}
	return oddWord
}

// align finds for each word the one of the other name that it is, and tells which are used.
func (c *comparison) align(q *query, ids []uint32, weights *[maxWords]float64) (used [maxWords]bool) {
	c.last, c.ordered = -1, true
	odd := false // a word before is
	for i := range q.words {
		a := &q.words[i]
		best, at := 0.0, -1
		for k, id := range ids {
			if used[k] {
				continue
			}
			for _, s := range a.as {
				if s.id == id && s.alike > best {
					best, at = s.alike, k
				}
			}
		}
		if next := c.last + 1; at < 0 && i > 1 && i == len(q.words)-1 && a.kind&isNumeral == 0 && next < len(ids) && !used[next] {
			if best = begins(a.text, q.x.words[ids[next]].text); best > 0 {
				at = next
			}
		}
		if at < 0 && !a.known || at < 0 && a.level == trades {
			if k := q.x.abbreviated(a.text, ids, &used); k >= 0 {
				used[k] = true
				c.more += weights[k]*weights[k] - a.weight*a.weight
				c.sum += weights[k] * weights[k] * shortened
				c.matched++
				continue
			}
		}
		if at < 0 {
			c.mine |= oddKind(a.kind)
			odd = odd || c.matched > 0 && oddKind(a.kind) != 0
			continue
		}
		c.inner = c.inner || odd
		c.top = max(c.top, at)
		used[at] = true
		c.matched++
		c.ordered = c.ordered && at > c.last
		c.last = at
		w := max(a.weight, weights[at]) // one word, that may stand elsewhere in the two names
		c.more += w*w - a.weight*a.weight
		c.norm += w*w - weights[at]*weights[at]
		weights[at] = w
		c.sum += w * w * best
		if a.level == tells {
			c.coreSum += w * w * best
		}
	}
	return used
}

// abbreviated finds among the words that are not used yet a common one that text is short
// for: its beginning, or some of its letters in order with the first and the last; -1: none.
func (x *Index) abbreviated(text string, ids []uint32, used *[maxWords]bool) int {
	if len(text) < 3 {
		return -1
	}
	for k, id := range ids {
		w := &x.words[id]
		if !used[k] && w.kind&(isTrade|isDecoration) != 0 && len(w.text) > len(text)+1 && w.text[0] == text[0] && within(text, w.text) &&
			(strings.HasPrefix(w.text, text) || len(text) > 3 && w.text[len(w.text)-1] == text[len(text)-1]) {
			return k
		}
	}
	return -1
}

// within tells whether the letters of part stand in whole, in that order.
func within(part, whole string) bool {
	for i := range len(whole) {
		if part != "" && whole[i] == part[0] {
			part = part[1:]
		}
	}
	return part == ""
}

// fine takes off the score what the words alone do not show.
func (c *comparison) fine(score float64) float64 {
	if (c.mine|c.theirs)&oddNumber != 0 {
		score *= otherNumber
	}
	if c.inner || c.mine&c.theirs&(oddWord|oddPlace) != 0 {
		score -= otherWord
	}
	if !c.ordered {
		score -= otherOrder
	}
	return score
}

func (q *query) hits(least float64) (hits []Hit) {
	q.scored = slices.DeleteFunc(q.scored, func(s scored) bool { return s.score < least })
	slices.SortFunc(q.scored, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return strings.Compare(q.x.accounts[a.account].domain, q.x.accounts[b.account].domain)
	})
	for _, s := range q.scored {
		domain := q.x.accounts[s.account].domain
		if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Domain == domain }) {
			hits = append(hits, Hit{domain, s.score, s.exact})
		}
	}
	return hits
}
