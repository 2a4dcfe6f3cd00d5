package company

import "unicode/utf8"

// The lengths, in letters, of the words in which a slip of the keyboard is looked for: a
// shorter word with another letter is another word. In the shortest only two that changed
// places, or one that is doubled, are a slip.
const (
	minSlip = 4
	maxSlip = 24
)

// slips are the spellings under which a word is filed, so that one with a slip meets it: the
// word, and the word without each of its letters. yield is called with each.
func slips(word string, yield func(string)) {
	yield(word)
	n := utf8.RuneCountInString(word)
	if n < minSlip || n > maxSlip {
		return
	}
	var buf [4 * maxSlip]byte
	for i, r := range word {
		if last, _ := utf8.DecodeLastRuneInString(word[:i]); i > 0 && last == r {
			continue // the same as without the letter before
		}
		yield(string(append(append(buf[:0], word[:i]...), word[i+utf8.RuneLen(r):]...)))
	}
}

// alike is how alike two words are, from 0 to 1, for words that are one slip apart (a letter
// more, less, another one, or two that changed places), or two slips in a long word; else 0.
// It is the better of Jaro and Winkler's measure and the half of the slips a letter: the
// former alone thinks little of a slip at the beginning of a word.
func alike(a, b string) float64 {
	if a == b {
		return 1
	}
	var bufA, bufB [maxSlip]rune
	x, y := runes(a, bufA[:0]), runes(b, bufB[:0])
	if x == nil || y == nil || min(len(x), len(y)) < minSlip {
		return 0
	}
	most := 1
	if min(len(x), len(y)) >= longWord {
		most = 2
	}
	d := distance(x, y, most)
	if d > most {
		return 0
	}
	slips := float64(d)
	if d == 1 && sameLetters(x, y) {
		slips = lightSlip
	} else if max(len(x), len(y)) <= minSlip {
		return 0
	}
	like := 1 - slips/float64(2*max(len(x), len(y))+1)
	if max(len(x), len(y)) > shortWord {
		like = max(like, jaroWinkler(x, y))
	}
	if x[0] != y[0] {
		like -= otherHead
	}
	return like
}

const (
	shortWord = 6    // up to this length, in letters, a slip counts in full
	longWord  = 9    // from this length a word may have two slips
	lightSlip = 0.6  // is what two letters that changed places count, or one that is doubled
	otherHead = 0.05 // is taken off where the first letter differs: people look at that
)

// sameLetters tells of two words that are one slip apart whether the slip is two letters that
// changed places, or a letter once more beside itself: then it is hardly another word.
func sameLetters(a, b []rune) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) > len(b) {
		return i > 0 && a[i] == a[i-1] || i+1 < len(a) && a[i] == a[i+1]
	}
	return i+1 < len(b) && a[i] == b[i+1] && a[i+1] == b[i]
}

// runes appends a word's letters to buf; nil where there are more than maxSlip.
func runes(s string, buf []rune) []rune {
	for _, r := range s {
		if len(buf) == maxSlip {
			return nil
		}
		buf = append(buf, r)
	}
	return buf
}

// distance counts the slips between two words of at most maxSlip letters, or says most+1
// where there are more.
func distance(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	var rows [3][maxSlip + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j-1]+cost, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func jaroWinkler(a, b []rune) float64 {
	var usedA, usedB [maxSlip]bool
	window := max(max(len(a), len(b))/2-1, 0)
	m := 0
	for i, r := range a {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if !usedB[j] && b[j] == r {
				usedA[i], usedB[j] = true, true
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	swapped, j := 0, 0
	for i := range a {
		if !usedA[i] {
			continue
		}
		for !usedB[j] {
			j++
		}
		if a[i] != b[j] {
			swapped++
		}
		j++
	}
	f := float64(m)
	jaro := (f/float64(len(a)) + f/float64(len(b)) + (f-float64(swapped)/2)/f) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}
