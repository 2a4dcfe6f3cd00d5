// Package person makes the identities of a lead: keyed hashes of the fields by which the
// policy knows a person again, written alike however the sender wrote them. Without the
// key nobody learns from a hash who it is. What is done with them is the ledger's and the
// identities' business.
package person

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Identities are the hashes of the lead's fields that dedupe.by names, sorted, each once.
// A field that is missing, or is no address or number, makes none.
func Identities(p *plan.Plan, key []byte, l *leadroute.Lead) []string {
	if p.Dedupe == nil || p.Dedupe.Layout == nil {
		return nil
	}
	r, err := p.Dedupe.Layout.Lead(l, nil)
	if err != nil {
		return nil // the door has refused it, or will
	}
	defer r.Free()
	var all []string
	for _, field := range p.Dedupe.By {
		if v := value(r, field); v != "" {
			all = append(all, hash(key, KindOf(field), v))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// KnownBy are the fields that make the lead's identities.
func KnownBy(p *plan.Plan, l *leadroute.Lead) []string {
	if p.Dedupe == nil || p.Dedupe.Layout == nil {
		return nil
	}
	r, err := p.Dedupe.Layout.Lead(l, nil)
	if err != nil {
		return nil
	}
	defer r.Free()
	return slices.DeleteFunc(slices.Clone(p.Dedupe.By), func(field string) bool { return value(r, field) == "" })
}

func value(r *plan.Record, field string) string {
	return Normal(KindOf(field), r.Text(field), r.Text(plan.CountryField))
}

// Kind is what a field holds: two fields of one kind may hold the same address or number.
type Kind string

// The kinds of fields. What is none of the others is a name of the author's own, and is
// compared with itself alone.
const (
	Email Kind = "email"
	Phone Kind = "phone"
)

// KindOf is the kind of a field by the last word of its name: work_email is an e-mail,
// mobile and phone_number are phones.
func KindOf(field string) Kind {
	name := field[strings.LastIndexByte(field, '.')+1:]
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_number"), "_address")
	switch name[strings.LastIndexByte(name, '_')+1:] {
	case "email", "mail":
		return Email
	case "phone", "mobile", "telephone":
		return Phone
	}
	return Kind("field " + field)
}

// Normal is the one way of writing a value, "" for one that tells nobody from another.
// country is where a number without one is dialled, as two letters.
//
// An address is folded and trimmed, no more: what stands before its @ belongs to the
// server, and to all but a few a plus or a dot makes another mailbox.
func Normal(kind Kind, v, country string) string {
	switch kind {
	case Phone:
		n, err := phonenumbers.Parse(norm.NFKC.String(v), strings.ToUpper(strings.TrimSpace(country)))
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return ""
		}
		return phonenumbers.Format(n, phonenumbers.E164)
	case Email:
		v = text(v)
		local, domain, ok := strings.Cut(v, "@")
		if !ok || local == "" || domain == "" || strings.ContainsAny(v, " \t\n") {
			return ""
		}
		return local + "@" + strings.TrimSuffix(domain, ".")
	default:
		return text(v)
	}
}

// text is NFKC, lower case, trimmed. The lower case may bring a letter that composes.
func text(v string) string {
	lower := cases.Lower(language.Und)
	return strings.TrimSpace(norm.NFKC.String(lower.String(norm.NFKC.String(v))))
}

// hash is 144 bits: nobody meets another by chance.
func hash(key []byte, kind Kind, v string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{"identity/1", string(kind), v} {
		// The length goes first, so that no two lists of parts have the same bytes.
		mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}
