package company

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// noise is one way in which people write a company's name otherwise than it stands in the
// books. ok is false where it does nothing to this name.
type noise struct {
	name string
	do   func(r *rand.Rand, name string) (noisy string, ok bool)
}

// noises were written before the matcher was tuned, and draw from a seed.
var noises = []noise{
	{"word order", wordOrder},
	{"abbreviation", abbreviate},
	{"ampersand", ampersand},
	{"legal form dropped", dropForm},
	{"legal form changed", changeForm},
	{"branch or town added", addPlace},
	{"typo", typo},
	{"accents", accents},
	{"punctuation", punctuate},
	{"case", otherCase},
	{"cut off", cutShort},
}

// noisy applies one kind of noise, in three of ten cases two, in one of ten three, in the
// order in which they happen to a name: what somebody says, then how it is written, then what
// a system does to it. It returns the kinds' names.
func noisy(r *rand.Rand, name string) (string, []string) {
	n := 1
	switch d := r.IntN(10); {
	case d == 9:
		n = 3
	case d >= 6:
		n = 2
	}
	chosen := r.Perm(len(noises))
	for len(chosen) > 0 {
		some := slices.Clone(chosen[:min(n, len(chosen))])
		slices.Sort(some)
		var kinds []string
		s := name
		for _, i := range some {
			if next, ok := noises[i].do(r, s); ok && next != s {
				s, kinds = next, append(kinds, noises[i].name)
			}
		}
		if len(kinds) > 0 {
			return s, kinds
		}
		chosen = chosen[len(some):]
	}
	return name, nil
}

const neighbours = "qwertyuiop asdfghjkl zxcvbnm"

// typo is one slip of the keyboard: a letter that is left out, doubled, swapped with the
// next, or its neighbour's; in any word, the legal form's too.
func typo(r *rand.Rand, name string) (string, bool) {
	s := []rune(name)
	var at []int
	for i := 1; i+1 < len(s); i++ { // people look at the first letter
		if unicode.IsLetter(s[i]) && unicode.IsLetter(s[i+1]) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return "", false
	}
	i := at[r.IntN(len(at))]
	switch r.IntN(4) {
	case 0:
		return string(slices.Delete(s, i, i+1)), true
	case 1:
		return string(slices.Insert(s, i, s[i])), true
	case 2:
		s[i], s[i+1] = s[i+1], s[i]
		return string(s), true
	}
	k := strings.IndexRune(neighbours, unicode.ToLower(s[i]))
	if k < 0 {
		return "", false
	}
	for _, d := range []int{1, -1} {
		if j := k + d; j >= 0 && j < len(neighbours) && neighbours[j] != ' ' {
			s[i] = rune(neighbours[j])
			return string(s), true
		}
	}
	return "", false
}

var endings = []string{
	", Incorporated", " Incorporated", ", Inc.", " Inc.", " Inc", " Corporation", " Corp.", " Corp", " Company", " Co.", ", Ltd.", " Ltd.", " Ltd",
	" Limited", " LLC", ", LLC", ", L.P.", " L.P.", " LP", " plc", " PLC", " N.V.", " NV", " S.A.", " SA", " AG", " SE", " AB", " A/S",
}

func ending(name string) (rest string, ok bool) {
	for _, e := range endings {
		if n := len(name) - len(e); n > 0 && strings.EqualFold(name[n:], e) {
			return strings.TrimRight(name[:n], ", "), true
		}
	}
	return name, false
}

func dropForm(_ *rand.Rand, name string) (string, bool) { return ending(name) }

func changeForm(r *rand.Rand, name string) (string, bool) {
	rest, ok := ending(name)
	return rest + endings[r.IntN(len(endings))], ok
}

var accented = map[rune]string{'a': "áàâäãå", 'e': "éèêë", 'i': "íìîï", 'o': "óòôöõø", 'u': "úùûü", 'n': "ñ", 'c': "ç"}

func accents(r *rand.Rand, name string) (string, bool) {
	s := []rune(name)
	n := 0
	for i, c := range s {
		if marks := []rune(accented[c]); len(marks) > 0 && r.IntN(4) == 0 {
			s[i] = marks[r.IntN(len(marks))]
			n++
		}
	}
	return string(s), n > 0
}

func otherCase(r *rand.Rand, name string) (string, bool) {
	if r.IntN(2) == 0 {
		return strings.ToUpper(name), true
	}
	return strings.ToLower(name), true
}

func ampersand(_ *rand.Rand, name string) (string, bool) {
	for _, p := range [][2]string{{" & ", " and "}, {" and ", " & "}} {
		if strings.Contains(name, p[0]) {
			return strings.Replace(name, p[0], p[1], 1), true
		}
	}
	return "", false
}

// wordOrder puts the last word first, behind a comma as lists do, or swaps two neighbours.
func wordOrder(r *rand.Rand, name string) (string, bool) {
	rest, _ := ending(name)
	tail := strings.TrimPrefix(name, rest)
	ws := strings.Fields(rest)
	if len(ws) < 2 {
		return "", false
	}
	if r.IntN(2) == 0 {
		return strings.Join(ws[1:], " ") + ", " + ws[0] + tail, true
	}
	i := r.IntN(len(ws) - 1)
	ws[i], ws[i+1] = ws[i+1], ws[i]
	return strings.Join(ws, " ") + tail, true
}

var abbreviations = [][2]string{
	{"International", "Intl"},
	{"International", "Int'l"},
	{"Manufacturing", "Mfg"},
	{"Technologies", "Tech"},
	{"Technology", "Tech"},
	{"Technologies", "Technology"},
	{"Pharmaceuticals", "Pharma"},
	{"Holdings", "Hldgs"},
	{"Group", "Grp"},
	{"Systems", "Sys"},
	{"Services", "Svcs"},
	{"Industries", "Ind"},
	{"Laboratories", "Labs"},
	{"National", "Natl"},
	{"Associates", "Assoc"},
	{"Management", "Mgmt"},
	{"Financial", "Fin"},
	{"Communications", "Comm"},
	{"Solutions", "Solution"},
	{"Resources", "Res"},
	{"Development", "Dev"},
	{"American", "Amer"},
	{"Energy", "Engy"},
	{"Acquisition", "Acq"},
	{"Biosciences", "Bio"},
	{"Brothers", "Bros"},
	{"Entertainment", "Ent"},
	{"Properties", "Prop"},
	{"Networks", "Network"},
	{"Medical", "Med"},
	{"Electronics", "Electronic"},
	{"Bancorp", "Bancorporation"},
}

func abbreviate(r *rand.Rand, name string) (string, bool) {
	for _, i := range r.Perm(len(abbreviations)) {
		ws := strings.Split(name, " ")
		for k, w := range ws {
			if p := abbreviations[i]; strings.TrimRight(w, ",.") == p[0] {
				ws[k] = p[1] + w[len(p[0]):]
				return strings.Join(ws, " "), true
			}
		}
	}
	return "", false
}

// towns are those of headquarters, read from the list of the S&P 500.
var towns = []string{"New York", "Chicago", "London", "Houston"}

func addPlace(r *rand.Rand, name string) (string, bool) {
	town := towns[r.IntN(len(towns))]
	country := []string{"USA", "UK", "Germany", "France", "India", "Canada", "Japan", "EMEA", "APAC", "North America", "Europe"}[r.IntN(11)]
	switch r.IntN(6) {
	case 0:
		return name + " - " + town, true
	case 1:
		return name + " (" + town + ")", true
	case 2:
		return name + ", " + town + " Branch", true
	case 3:
		return name + " " + town + " Office", true
	case 4:
		return name + " " + country, true
	}
	rest, _ := ending(name)
	return rest + " " + country + strings.TrimPrefix(name, rest), true
}

// cutShort is a column that was too narrow, or a last word that nobody says.
func cutShort(r *rand.Rand, name string) (string, bool) {
	rest, _ := ending(name)
	if ws := strings.Fields(rest); r.IntN(2) == 0 && len(ws) > 2 {
		return strings.Join(ws[:len(ws)-1], " "), true
	}
	s := []rune(name)
	if len(s) < 20 {
		return "", false
	}
	least := max(16, len(s)*6/10)
	return strings.TrimSpace(string(s[:least+r.IntN(len(s)-least)])), true
}

func punctuate(r *rand.Rand, name string) (string, bool) {
	switch r.IntN(3) {
	case 0:
		return strings.NewReplacer(",", "", ".", "").Replace(name), true
	case 1:
		return strings.ReplaceAll(name, " ", "  "), true
	}
	return strings.ReplaceAll(name, "-", " "), strings.Contains(name, "-")
}
