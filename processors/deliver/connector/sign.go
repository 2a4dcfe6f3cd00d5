package connector

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Signer signs messages as Standard Webhooks says, once per key.
type Signer struct{ keys [][]byte }

var errKey = errors.New(`the signing key must be "whsec_" and the base64 of 24 to 64 random bytes (several, separated by blanks, while you rotate)`)

// NewSigner reads "whsec_..." keys separated by blanks: with two, a receiver that knows
// either one accepts, so that a key can be rotated without a gap.
func NewSigner(keys string) (*Signer, error) {
	s := &Signer{}
	for k := range strings.FieldsSeq(keys) {
		text, ok := strings.CutPrefix(k, "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, errKey // never the key's text
		}
		s.keys = append(s.keys, key)
	}
	if len(s.keys) == 0 {
		return nil, errKey
	}
	return s, nil
}

// Sign returns the webhook-signature header: "v1,BASE64" per key, separated by blanks.
func (s *Signer) Sign(id string, at time.Time, body []byte) string {
	head := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	var b []byte
	for _, key := range s.keys {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		m := hmac.New(sha256.New, key)
		m.Write([]byte(head))
		m.Write(body)
		b = base64.StdEncoding.AppendEncode(append(b, "v1,"...), m.Sum(nil))
	}
	return string(b)
}

// Verify tells whether one of the signatures, separated by blanks, is right under one of the keys.
func (s *Signer) Verify(id string, at time.Time, body []byte, signatures string) bool {
	right := false
	for ours := range strings.FieldsSeq(s.Sign(id, at, body)) {
		for theirs := range strings.FieldsSeq(signatures) {
			right = hmac.Equal([]byte(ours), []byte(theirs)) || right
		}
	}
	return right
}
