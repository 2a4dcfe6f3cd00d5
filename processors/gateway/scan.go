package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deeply a lead may nest, so that whoever walks it later may recurse.
const maxDepth = 32

// syntax returns what is wrong with b as JSON text, nil if nothing is.
func syntax(b []byte) *Problem {
	const remedy = "send one complete JSON text in UTF-8"
	if !utf8.Valid(b) {
		return &Problem{Code: codeJSON, Message: "the body is not UTF-8", Remedy: remedy}
	}
	if json.Valid(b) {
		return nil
	}
	var v any
	var se *json.SyntaxError
	if err := json.Unmarshal(b, &v); errors.As(err, &se) {
		return &Problem{Code: codeJSON, Message: fmt.Sprintf("the JSON breaks at byte %d: %s", se.Offset, se.Error()), Remedy: remedy}
	}
	return &Problem{Code: codeJSON, Message: "the body is not JSON", Remedy: remedy}
}

// members calls f with each member of the object b, which must be valid JSON. The key
// is without quotes and escapes. It returns how deeply b nests.
func members(b []byte, f func(key, value []byte)) (depth int) {
	i := space(b, 0) + 1 // behind the brace
	depth = 1
	for {
		i = space(b, i)
		if b[i] == '}' {
			return depth
		}
		if b[i] == ',' {
			i++
			continue
		}
		end := skipString(b, i)
		key := b[i+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = unquote(b[i:end])
		}
		i = space(b, space(b, end)+1) // behind the colon
		end, d := skipValue(b, i)
		depth = max(depth, d+1)
		f(key, b[i:end])
		i = end
	}
}

// elements calls f with each element of the array b, which must be valid JSON.
func elements(b []byte, f func(value []byte)) {
	i := space(b, 0) + 1 // behind the bracket
	for {
		i = space(b, i)
		if b[i] == ']' {
			return
		}
		if b[i] == ',' {
			i++
			continue
		}
		end, _ := skipValue(b, i)
		f(b[i:end])
		i = end
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string that starts at i.
func skipString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns the index behind the value that starts at i and how deeply it nests.
func skipValue(b []byte, i int) (end, depth int) {
	switch b[i] {
	case '"':
		return skipString(b, i), 0
	case '{', '[':
		for open := 0; ; {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				open++
				depth = max(depth, open)
			case '}', ']':
				if open--; open == 0 {
					return i + 1, depth
				}
			}
			i++
		}
	}
	for i < len(b) && bytes.IndexByte([]byte(",]} \n\t\r"), b[i]) < 0 {
		i++
	}
	return i, 0
}

// unquote returns the text of a valid JSON string.
func unquote(b []byte) []byte {
	var s string
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	return []byte(s)
}

// text returns the text of value if it is a string; ok is false for any other value.
func text(value []byte) (s string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		return string(unquote(value)), true
	}
	return string(value[1 : len(value)-1]), true
}
