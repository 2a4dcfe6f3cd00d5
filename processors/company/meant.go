package company

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// dictionary knows which listed word somebody meant who made a slip.
type dictionary struct {
	words  []string // long ones, sorted
	near   map[string][]string
	normal map[string]string // what a listed word is in a normal form; "": a legal form
}

// listed are all words that are known without any account: common ones, their abbreviations,
// places, and the long legal forms.
var listed = func() *dictionary {
	d := &dictionary{near: map[string][]string{}, normal: map[string]string{}}
	for w := range common {
		d.normal[w] = w
	}
	for w := range places {
		d.normal[w] = w
	}
	maps.Copy(d.normal, spelled)
	for f := range forms {
		if !strings.Contains(f, " ") {
			d.normal[f] = formWord
		}
	}
	for w := range d.normal {
		if utf8.RuneCountInString(w) < longEnough {
			continue
		}
		d.words = append(d.words, w)
		slips(w, func(s string) { d.near[s] = append(d.near[s], w) })
	}
	slices.Sort(d.words)
	return d
}()

// longEnough is the length from which a word with a slip is still known.
const longEnough = 5

// formWord stands for a legal form that was not read as one, in the middle of a name or with
// a slip in it: it says nothing, and no account has it.
const formWord = "of"

// meant is the normal form of the listed word that text is with a slip or, at the end of a
// name, the beginning of; "": of none.
func (d *dictionary) meant(text string, last bool) (word string) {
	n := utf8.RuneCountInString(text)
	if last && n == 1 {
		return formWord
	}
	if last && n >= 2 && n <= 5 {
		for _, f := range shortForms {
			if n == 2 && strings.HasPrefix(f, text) || len(f) <= 4 && distance([]rune(text), []rune(f), 1) <= 1 {
				return formWord
			}
		}
	}
	best := 0.0
	if n >= longEnough-1 && n <= maxSlip {
		slips(text, func(s string) {
			for _, w := range d.near[s] {
				if l := alike(text, w); l > best || l == best && w < word {
					best, word = l, w
				}
			}
		})
	}
	if word == "" && last && n >= 3 {
		if i, _ := slices.BinarySearch(d.words, text); i < len(d.words) && strings.HasPrefix(d.words[i], text) {
			word = d.words[i]
		}
	}
	return d.normal[word]
}

var shortForms = []string{"inc", "corp", "ltd", "llc", "plc", "etf", "limited"}
