package plan

import "strings"

// Field is a declared field of the lead.
type Field struct {
	Name        string // dotted for nested ones: account.tier
	Type        string // TypeString, TypeNumber, TypeBool, TypeList
	Values      []string
	Min, Max    *float64
	Required    bool
	Default     any // string, float64, bool or []string; nil: none
	PII         bool
	Description string
	// Derived fields are filled at the door when the sender left them out.
	Derived bool
	// Blank are texts that senders write for nothing, besides ""; what has one is missing.
	Blank []string
	// Envelope fields are there without being declared.
	Envelope bool
}

// Envelope lists the fields that every lead has, whether or not the policy declares them.
func Envelope() []Field {
	var fields []Field
	for name := range strings.FieldsSeq("id source email email_domain first_name last_name name company phone title country " +
		"tags score priority_hint source_url scraped_at emitted_at received_at consent") {
		f := Field{Name: name, Type: TypeString, Envelope: true}
		switch name {
		case "tags":
			f.Type = TypeList
		case "score":
			f.Type = TypeNumber
		case "email", "first_name", "last_name", "name", "phone":
			f.PII = true
		}
		fields = append(fields, f)
	}
	return fields
}

// Field returns the field of that name, or nil.
func (p *Plan) Field(name string) *Field {
	for i := range p.Fields {
		if p.Fields[i].Name == name {
			return &p.Fields[i]
		}
	}
	return nil
}

// DomainOf is the domain of an e-mail address, lower case, without a leading "www." or
// a trailing dot; "" when there is none.
func DomainOf(email string) string {
	_, domain, ok := strings.Cut(strings.TrimRight(strings.TrimSpace(email), ">"), "@")
	if !ok {
		return ""
	}
	return domainKey(domain)
}

// domainKey is the one form of a domain.
func domainKey(domain string) string {
	d := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(domain), "."))
	return strings.TrimPrefix(d, "www.")
}
