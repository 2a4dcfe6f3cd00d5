package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
)

// validID says whether s may be a lead's id or a source's name.
func validID(s string) bool { return leadroute.LeadID(s).Valid() }

// identity is who a lead is about, as the sender said it.
type identity struct{ email, domain, phone string }

// deriveID is the id of a lead that came without one: an HMAC of e-mail, domain and
// source. Without an e-mail the phone stands in its place, so that two people of one
// company who gave no e-mail are two leads. ok is false if nothing is known of the lead.
func deriveID(key []byte, src leadroute.SourceID, who identity) (id leadroute.LeadID, ok bool) {
	email := strings.ToLower(strings.TrimSpace(who.email))
	domain := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(who.domain)), "www.")
	phone := ""
	if email == "" {
		phone = normalPhone(who.phone)
	}
	if email == "" && domain == "" && phone == "" {
		return "", false
	}
	if domain == "" {
		_, domain, _ = strings.Cut(email, "@")
	}
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{"lead/1", email, domain, phone, string(src)} {
		// The length goes first, so that no two lists of parts have the same bytes.
		mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return leadroute.LeadID(name(mac.Sum(nil)[:18])), true
}

// name is bytes as a name for paths, keys and command lines, where one that begins with "-"
// would be a flag.
func name(b []byte) string {
	s := base64.RawURLEncoding.EncodeToString(b)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "_" + rest
	}
	return s
}

// normalPhone keeps digits and a leading plus; 00 is a plus.
func normalPhone(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if c := s[i]; c >= '0' && c <= '9' || c == '+' && len(b) == 0 {
			b = append(b, c)
		}
	}
	if rest, ok := strings.CutPrefix(string(b), "00"); ok {
		return "+" + rest
	}
	return strings.TrimSuffix(string(b), "+") // a plus alone is no number
}

// newPosting returns a name for one request that no other request has: 96 random bits.
func newPosting() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return name(b[:])
}

// receipt names record i of a posting; it may stand for a lead id.
func receipt(posting string, i int) string { return posting + "-" + strconv.Itoa(i) }
