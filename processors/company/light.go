package company

import (
	_ "embed"
	"strings"
	"unicode"
)

// The weights of words in a name. That of a rare word falls as more accounts have it.
const (
	rare       = 1.0  // says which company it is
	trade      = 0.55 // says what it does
	decoration = 0.25 // says nothing much
	particle   = 0.1  // says nothing
)

// weightOf is the weight of a word by itself.
func weightOf(word string) float64 {
	if w, ok := common[word]; ok {
		return w
	}
	return rare
}

//go:embed decoration.txt
var decorationList string

//go:embed trade.txt
var tradeList string

// common are words that many companies' names share, in the form that Normal gives them.
var common = func() map[string]float64 {
	all := map[string]float64{}
	for w := range set(decorationList) {
		all[w] = decoration
	}
	for w := range set(tradeList) {
		all[w] = trade
	}
	for w := range set(particleList) {
		all[w] = particle
	}
	return all
}()

//go:embed places.txt
var placeList string

// places are towns, states and countries. Behind a company's name they say which of its
// offices somebody works at.
var places = set(placeList)

//go:embed particles.txt
var particleList string

// particles say nothing wherever they stand; legal forms in the middle of a name are among them.
var particles = set(particleList)

// level says how much a word tells.
type level uint8

const (
	tells  level = iota // which company it is
	trades              // what it does
	adorns              // nothing much
	joins               // nothing
)

// kind is what is known of a word by itself.
type kind uint8

const (
	isTrade kind = 1 << iota
	isDecoration
	isPlace
	isNumeral
	isParticle
	isFirst // of several that are numbered
)

func kindOf(text string) (k kind) {
	switch weightOf(text) {
	case trade:
		k = isTrade
	case decoration:
		k = isDecoration
	}
	if places[text] {
		k |= isPlace
	}
	if numeral(text) {
		k |= isNumeral
	}
	if text == "i" || text == "1" {
		k |= isFirst
	}
	if particles[text] {
		k |= isParticle
	}
	return k
}

// levels tells how much each word of a name tells, of which kind returns the kinds. A place
// at the end of a name that has a word of its own is decoration; what is decoration at the end
// tells more before another word: American Tower is not Tower.
func levels(n int, kindAt func(int) kind) (ls [maxWords]level) {
	own, last := -1, -1 // the first word that is no place and tells, the last that tells anything
	for i := range n {
		k := kindAt(i)
		switch {
		case k&isTrade != 0:
			ls[i] = trades
		case k&isParticle != 0:
			ls[i] = joins
			continue
		case k&isDecoration != 0:
			ls[i] = adorns
			continue
		case k&isPlace == 0 && own < 0:
			own = i
		}
		if k&isPlace == 0 {
			last = i
		}
	}
	for i := range n {
		switch k := kindAt(i); {
		case own >= 0 && i > last && k&isPlace != 0:
			ls[i] = adorns
		case i < last && ls[i] == adorns:
			ls[i] = trades
		}
	}
	return ls
}

// numeral tells of a word that numbers things: two names that differ in it are of two
// companies, or funds.
func numeral(w string) bool {
	if strings.ContainsFunc(w, unicode.IsDigit) {
		return true
	}
	return romans[w]
}

var romans = set("i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx")
