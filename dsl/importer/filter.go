package importer

import (
	"fmt"
	"strconv"
	"strings"
)

// filterParser reads Salesforce's filter logic, 1 AND (2 OR NOT 3), and writes a condition.
// NOT is moved down to the criteria, which alone know their opposite. AND binds more
// strongly than OR, as in the language.
type filterParser struct {
	tokens []string
	leaf   func(n int, negated bool) (string, error)
}

func filterTokens(s string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(strings.ToUpper(s)))
}

func (f *filterParser) parse() (string, error) {
	cond, _, err := f.or(false)
	if err == nil && len(f.tokens) > 0 {
		err = fmt.Errorf("its filter has %q where nothing was expected", f.tokens[0])
	}
	return cond, err
}

func (f *filterParser) take(token string) bool {
	if len(f.tokens) > 0 && f.tokens[0] == token {
		f.tokens = f.tokens[1:]
		return true
	}
	return false
}

// or and and return the condition, and whether it is one operand that needs no parentheses.
func (f *filterParser) or(negated bool) (string, bool, error) {
	return f.chain("OR", negated, f.and)
}

func (f *filterParser) and(negated bool) (string, bool, error) {
	return f.chain("AND", negated, f.not)
}

func (f *filterParser) chain(word string, negated bool, operand func(bool) (string, bool, error)) (string, bool, error) {
	first, single, err := operand(negated)
	if err != nil {
		return "", false, err
	}
	parts := []string{first}
	for f.take(word) {
		next, alone, err := operand(negated)
		if err != nil {
			return "", false, err
		}
		if !alone {
			next = "(" + next + ")"
		}
		parts = append(parts, next)
	}
	if len(parts) == 1 {
		return first, single, nil
	}
	if !single {
		parts[0] = "(" + first + ")"
	}
	sign := " && "
	if (word == "OR") != negated { // De Morgan: under NOT the two change places
		sign = " || "
	}
	return strings.Join(parts, sign), false, nil
}

func (f *filterParser) not(negated bool) (string, bool, error) {
	switch {
	case f.take("NOT"):
		return f.not(!negated)
	case f.take("("):
		cond, single, err := f.or(negated)
		if err == nil && !f.take(")") {
			err = fmt.Errorf("its filter lacks a )")
		}
		return cond, single, err
	case len(f.tokens) == 0:
		return "", false, fmt.Errorf("its filter ends too early")
	}
	n, err := strconv.Atoi(f.tokens[0])
	if err != nil {
		return "", false, fmt.Errorf("its filter has %q where a criterion's number was expected", f.tokens[0])
	}
	f.tokens = f.tokens[1:]
	cond, err := f.leaf(n, negated)
	return cond, true, err
}
