package company

import (
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/leadroute/leadroute/internal/mutant"
)

// Index finds accounts by names that are not quite theirs. It holds what it needs and no
// more: the words of all names, and for each name under which hashes it is filed. What it
// says depends on the names in it, and not on the order in which they came.
//
// It is safe for concurrent use; readers do not wait for each other.
type Index struct {
	mu       sync.RWMutex
	words    []word
	byText   chains // hash of its text to a word
	near     chains // hash of a word's slips, and of its beginning, to the word
	names    []named
	pieces   []uint32 // the words of the names, one name after the other
	sets     chains   // hash of a set of words to a name
	accounts []account
	byDomain chains // hash of the domain to an account
	idle     idle
	count    int // of names
}

// word is a word that occurs in some name.
type word struct {
	text  string
	names uint32 // that have it
	kind  kind
}

// named is one name of an account.
type named struct {
	account uint32
	next    uint32 // name of the same account, from 1
	at      uint32 // in pieces
	n       uint8
	form    uint8
}

type account struct {
	domain string
	first  uint32 // name, from 1
}

// idle are the places that were given back.
type idle struct {
	words, names, accounts []uint32
	pieces                 [maxWords + 1][]uint32 // by length
}

// maxWords bounds the words of a name; what comes behind says little.
const maxWords = 12

// Bounds of one search: what more names than this share says too little.
const (
	maxAlike = 48 // names that share a set of words
	maxNear  = 8  // spellings of a word, of manyNear
	manyNear = 64
	maxTries = 40 // sets of words
)

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{sets: chains{most: maxAlike}, near: chains{most: manyNear}} }

func hashOf(s string) uint32 {
	h := xxhash.Sum64String(s)
	return uint32(h ^ h>>32) //nolint:gosec // folded
}

// Set files an account under its names, in place of those before; without any it is taken out.
func (x *Index) Set(domain string, names ...string) {
	forms := make([]Name, 0, len(names))
	for _, name := range names {
		if n := Normal(name); len(n.Words) > 0 {
			n.Words = n.Words[:min(len(n.Words), maxWords)]
			forms = append(forms, n)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	a, known := x.account(domain)
	switch {
	case known && x.same(a, forms):
		return
	case known && !mutant.On("company-keeps-old-names"):
		x.drop(a)
	case len(forms) == 0:
		return
	}
	if len(forms) == 0 {
		x.byDomain.remove(hashOf(domain), a)
		x.accounts[a] = account{}
		x.idle.accounts = append(x.idle.accounts, a)
		return
	}
	if !known {
		a = slot(&x.accounts, &x.idle.accounts)
		x.accounts[a] = account{domain: domain}
		x.byDomain.add(hashOf(domain), a)
	}
	for _, n := range forms {
		x.file(a, n)
	}
}

// slot is the index of an element that is free.
func slot[T any](all *[]T, idle *[]uint32) uint32 {
	if n := len(*idle); n > 0 {
		i := (*idle)[n-1]
		*idle = (*idle)[:n-1]
		return i
	}
	var zero T
	*all = append(*all, zero)
	return uint32(len(*all) - 1) //nolint:gosec // 2^32 names are not met
}

func (x *Index) account(domain string) (found uint32, ok bool) {
	x.byDomain.each(hashOf(domain), func(a uint32) bool {
		if x.accounts[a].domain == domain {
			found, ok = a, true
		}
		return !ok
	})
	return found, ok
}

// same tells whether the account is filed under just these names.
func (x *Index) same(a uint32, forms []Name) bool {
	i := x.accounts[a].first
	for _, n := range slices.Backward(forms) { // the last filed is the first
		if i == 0 {
			return false
		}
		m := &x.names[i-1]
		if int(m.n) != len(n.Words) || m.form != formID(n.Form) {
			return false
		}
		for k, id := range x.of(m) {
			if x.words[id].text != n.Words[k] {
				return false
			}
		}
		i = m.next
	}
	return i == 0
}

// file adds one name.
func (x *Index) file(a uint32, n Name) {
	i := slot(&x.names, &x.idle.names)
	m := named{account: a, next: x.accounts[a].first, n: uint8(len(n.Words)), form: formID(n.Form)} //nolint:gosec // at most maxWords
	if at := x.idle.pieces[m.n]; len(at) > 0 {
		m.at, x.idle.pieces[m.n] = at[len(at)-1], at[:len(at)-1]
	} else {
		m.at = uint32(len(x.pieces)) //nolint:gosec // 2^32 words are not met
		x.pieces = append(x.pieces, make([]uint32, m.n)...)
	}
	for k, text := range n.Words {
		x.pieces[m.at+uint32(k)] = x.word(text)
	}
	x.names[i], x.accounts[a].first = m, i+1
	x.count++
	x.filed(&m, func(h uint32) { x.sets.add(h, i) })
}

// drop takes all names of an account out.
func (x *Index) drop(a uint32) {
	for i := x.accounts[a].first; i != 0; {
		m := x.names[i-1]
		x.filed(&m, func(h uint32) { x.sets.remove(h, i-1) })
		for _, id := range x.of(&m) {
			x.forget(id)
		}
		x.idle.pieces[m.n] = append(x.idle.pieces[m.n], m.at)
		x.names[i-1] = named{}
		x.idle.names = append(x.idle.names, i-1)
		x.count--
		i = m.next
	}
	x.accounts[a].first = 0
}

// find returns the id of a word.
func (x *Index) find(text string) (found uint32, ok bool) {
	x.byText.each(hashOf(text), func(id uint32) bool {
		if x.words[id].text == text {
			found, ok = id, true
		}
		return !ok
	})
	return found, ok
}

// word counts a word once more, and files a new one.
func (x *Index) word(text string) uint32 {
	id, ok := x.find(text)
	if !ok {
		id = slot(&x.words, &x.idle.words)
		x.words[id] = word{text: strings.Clone(text), kind: kindOf(text)}
		x.byText.add(hashOf(text), id)
		x.nearby(&x.words[id], func(h uint32) { x.near.add(h, id) })
	}
	x.words[id].names++
	return id
}

// forget counts a word once less, and takes one out that no name has any more.
func (x *Index) forget(id uint32) {
	w := &x.words[id]
	if w.names--; w.names > 0 {
		return
	}
	x.byText.remove(hashOf(w.text), id)
	x.nearby(w, func(h uint32) { x.near.remove(h, id) })
	*w = word{}
	x.idle.words = append(x.idle.words, id)
}

// nearby yields the hashes under which a word with a slip, or cut off, is found.
func (x *Index) nearby(w *word, yield func(uint32)) {
	if w.kind&isNumeral != 0 || utf8.RuneCountInString(w.text) < minSlip {
		return
	}
	slips(w.text, func(s string) { yield(hashOf(s)) })
	if b := beginning(w.text); b != "" && b != w.text {
		yield(hashOf(b))
	}
}

// beginning is the start of a word as it is filed, "" of a word that is too short.
func beginning(text string) string {
	n := 0
	for i := range text {
		if n++; n > cutAt {
			return "^" + text[:i]
		}
	}
	return ""
}

// cutAt is how many letters of a word must be left for it to be known.
const cutAt = 5

// mix spreads a word's id, so that the sum over a set of words is a hash of it.
func mix(id uint32) uint64 {
	z := (uint64(id) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// The kinds of sets, so that those of one kind meet only their like.
const (
	allWords  = 0x51
	coreWords = 0xc3
)

func setHash(sum, of uint64) uint32 {
	z := (sum ^ of) * 0x9e3779b97f4a7c15
	return uint32(z>>32) ^ uint32(z) //nolint:gosec // folded
}

// filed yields the hashes under which a name is filed: all its words, those that say which
// company it is, without the last of several, and written as one word.
func (x *Index) filed(m *named, yield func(uint32)) {
	ids := x.of(m)
	ls := x.levels(ids)
	least := joins
	for k := range ids {
		least = min(least, ls[k])
	}
	var all, core, last uint64
	n := 0
	for k, id := range ids {
		if slices.Contains(ids[:k], id) {
			continue
		}
		all += mix(id)
		if ls[k] == least {
			last = mix(id)
			core += last
			n++
		}
	}
	yield(setHash(all, allWords))
	yield(setHash(core, coreWords))
	if n >= 2 {
		yield(setHash(core-last, coreWords)) // of a name that was cut off
	}
	if text := x.together(ids, ls); text != "" {
		yield(hashOf(text))
	}
}

// of are the words of a name.
func (x *Index) of(m *named) []uint32 { return x.pieces[m.at : m.at+uint32(m.n)] }

func (x *Index) levels(ids []uint32) [maxWords]level {
	return levels(len(ids), func(i int) kind { return x.words[ids[i]].kind })
}

// together is the words that tell the company, as one.
func (x *Index) together(ids []uint32, ls [maxWords]level) string {
	var b [maxName]byte
	text := b[:0]
	for k, id := range ids {
		if ls[k] == tells {
			text = append(text, x.words[id].text...)
		}
	}
	return string(text)
}

// formID numbers the legal forms; 0: none.
func formID(form string) uint8 { return formIDs[form] }

var formIDs = func() map[string]uint8 {
	var all []string
	for _, f := range forms {
		all = append(all, f)
	}
	for f := range headForms {
		all = append(all, f)
	}
	slices.Sort(all)
	ids := map[string]uint8{}
	for i, f := range slices.Compact(all) {
		ids[f] = uint8(i + 1) //nolint:gosec // some 80
	}
	return ids
}()

// Len is how many names are in it.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.count
}

// weight is what a word counts in a comparison.
func (x *Index) weight(w *word, l level) float64 {
	switch l {
	case trades:
		return trade
	case adorns:
		return decoration
	case joins:
		return particle
	case tells:
	}
	return rarity(w.names, x.count)
}

// rarity falls from 1 for a word that only a few names have to 0.4 for one that most have.
func rarity(names uint32, of int) float64 {
	const few, least = 3, 0.4
	if names <= few || of <= few {
		return rare
	}
	all := math.Log(float64(max(of, 1000)))
	return max(least, rare-(math.Log(float64(names))-math.Log(few))/all)
}
