package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leadroute/leadroute"
)

// Keys maps the SHA-256 of each API key to the source that sends with it. A key is
// never kept in clear; it is found by its hash, so that the time a look-up takes says
// nothing about the keys.
type Keys map[[sha256.Size]byte]leadroute.SourceID

// hashedPrefix marks a key that is given as its SHA-256, in hex.
const hashedPrefix = "sha256:"

// ParseKeys reads "web=secret,crm=secret2". A source may have several keys (to change
// one without a gap), a key has one source. "web=sha256:HEX" gives the key's hash in
// its stead. Errors never show a key.
func ParseKeys(s string) (Keys, error) {
	keys := Keys{}
	for i, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		src, key, ok := strings.Cut(part, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("API key %d: want SOURCE=SECRET", i+1)
		}
		if !validID(src) {
			return nil, fmt.Errorf("API key %d: a source's name has 1 to 64 characters of A-Z a-z 0-9 _ -", i+1)
		}
		h := sha256.Sum256([]byte(key))
		if hexed, ok := strings.CutPrefix(key, hashedPrefix); ok {
			b, err := hex.DecodeString(hexed)
			if err != nil || len(b) != sha256.Size {
				return nil, fmt.Errorf("API key %d of %s: sha256: wants 64 hexadecimal digits", i+1, src)
			}
			h = [sha256.Size]byte(b)
		}
		if other, taken := keys[h]; taken && other != leadroute.SourceID(src) {
			return nil, fmt.Errorf("sources %s and %s have the same API key: give each its own", other, src)
		}
		keys[h] = leadroute.SourceID(src)
	}
	if len(keys) == 0 {
		return nil, errors.New("no API keys given: want SOURCE=SECRET, or several with commas between")
	}
	return keys, nil
}

// Source names the sender of a request by its key: "Authorization: Bearer KEY", or
// Basic with the key as the user. The password is not looked at.
func (k Keys) Source(r *http.Request) (leadroute.SourceID, bool) {
	const bearer = "Bearer "
	h := r.Header.Get("Authorization")
	var key string
	if len(h) > len(bearer) && strings.EqualFold(h[:len(bearer)], bearer) {
		key = strings.TrimSpace(h[len(bearer):])
	} else if user, _, ok := r.BasicAuth(); ok {
		key = user
	}
	if key == "" {
		return "", false
	}
	src, ok := k[sha256.Sum256([]byte(key))]
	return src, ok
}

// Require lets only requests with a known key through to next; others get 401.
func (k Keys) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := k.Source(r); !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="leadroute"`)
			write(w, refuse(errUnauthorized))
			return
		}
		next.ServeHTTP(w, r)
	})
}
