package person

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		kind             Kind
		v, country, want string
	}{
		{Email, " Ana@Example.COM ", "", "ana@example.com"},
		{Email, "ａｎａ＠example.com", "", "ana@example.com"},
		{Email, "ana@example.com.", "", "ana@example.com"},
		{Email, "ana+news@example.com", "", "ana+news@example.com"},
		{Email, "a.na@gmail.com", "", "a.na@gmail.com"},
		{Email, "no address", "", ""},
		{Email, "@example.com", "", ""},
		{Email, "two words@example.com", "", ""},
		{Phone, "030 901820", "DE", "+4930901820"},
		{Phone, "030 901820", "de", "+4930901820"},
		{Phone, "0049 (30) 90 18 20", "DE", "+4930901820"},
		{Phone, "+49 30 901820", "", "+4930901820"},
		{Phone, "+４９ 30 901820", "", "+4930901820"},
		{Phone, "030 901820", "", ""},
		{Phone, "030 901820", "Germany", ""},
		{Phone, "0000000000", "US", ""},
		{Phone, "call me", "DE", ""},
		{"field customer", " ＡＢ-12 ", "", "ab-12"},
		{"field customer", "  ", "", ""},
	} {
		if got := Normal(c.kind, c.v, c.country); got != c.want {
			t.Errorf("Normal(%s, %q, %q) = %q, want %q", c.kind, c.v, c.country, got, c.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for field, want := range map[string]Kind{
		"email": Email, "work_email": Email, "contact.email_address": Email, "email_domain": "field email_domain",
		"phone": Phone, "mobile": Phone, "mobile_phone": Phone, "contact.phone_number": Phone, "phone_brand": "field phone_brand",
		"customer": "field customer", "number": "field number",
	} {
		if got := KindOf(field); got != want {
			t.Errorf("KindOf(%s) = %s, want %s", field, got, want)
		}
	}
}

// TestIdentities: one person is known however the lead is written, by any of the fields and
// by none of another kind; a hash says nothing without the key.
func TestIdentities(t *testing.T) {
	p := &plan.Plan{Dedupe: plan.NewDedupe([]string{"email", "phone", "mobile", "customer"}, 24*time.Hour, plan.Drop)}
	of := func(p *plan.Plan, key, fields string) []string {
		return Identities(p, []byte(key), &leadroute.Lead{Fields: []byte(fields)})
	}
	first := of(p, "key", `{"email":"ana@example.com","phone":"030 901820","country":"DE"}`)
	if len(first) != 2 || !slices.IsSorted(first) || len(first[0]) != 24 || strings.Contains(strings.Join(first, ""), "ana") {
		t.Fatalf("Identities = %q, want two sorted hashes of 24 characters", first)
	}
	for _, c := range []struct {
		key, fields  string
		same, others int
	}{
		{"key", `{"email":"ANA@example.com"}`, 1, 0},
		{"key", `{"mobile":"+4930901820"}`, 1, 0},
		{"key", `{"phone":"+4930901820","mobile":"+49 30 901820"}`, 1, 0},
		{"key", `{"email":"ben@example.com","phone":"+4930901820"}`, 1, 1},
		{"key", `{"customer":"ana@example.com"}`, 0, 1},
		{"key", `{"email":7,"phone":"none"}`, 0, 0},
		{"key", `{}`, 0, 0},
		{"other key", `{"email":"ana@example.com"}`, 0, 1},
	} {
		got := of(p, c.key, c.fields)
		same := 0
		for _, id := range got {
			if slices.Contains(first, id) {
				same++
			}
		}
		if same != c.same || len(got)-same != c.others {
			t.Errorf("Identities(%s, %s) = %q: %d known, %d new; want %d and %d", c.key, c.fields, got, same, len(got)-same, c.same, c.others)
		}
	}
	if got := of(&plan.Plan{}, "key", `{"email":"ana@example.com"}`); got != nil {
		t.Errorf("Identities without dedupe = %q, want none", got)
	}
}

func BenchmarkIdentities(b *testing.B) {
	p := &plan.Plan{Dedupe: plan.NewDedupe([]string{"email", "phone"}, 24*time.Hour, plan.Drop)}
	l := &leadroute.Lead{Fields: []byte(`{"email":"ana@example.com","phone":"030 901820","country":"DE","company":"Example"}`)}
	for b.Loop() {
		if len(Identities(p, []byte("key"), l)) != 2 {
			b.Fatal("not two")
		}
	}
}
