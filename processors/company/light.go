package company

import _ "embed"

// The weights of words in a name, before it is known how common they are among the accounts.
const (
	rare       = 1.0  // says which company it is
	trade      = 0.55 // says what it does
	decoration = 0.25 // says nothing much
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
	return all
}()
