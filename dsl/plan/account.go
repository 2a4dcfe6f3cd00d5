package plan

import (
	"math"
	"strconv"
	"sync"

	"github.com/leadroute/leadroute"
)

// AccountMatch says how a lead finds its account.
type AccountMatch struct {
	// By are the ways, in order: domain, subsidiary_of, name.
	By            []string
	IgnoreDomains []string // free mail: never an account
	// Similarity is how alike names must be, above 0 and at most 1, and Confirm the fields
	// that must agree besides; of by = "name".
	Similarity float64
	Confirm    []string
	// TieBreak names the account's attributes that decide between several, in order.
	TieBreak []string

	once   sync.Once
	layout *Layout // of what is read of a lead
}

// The ways in which a lead finds its account.
const (
	ByDomain     = "domain"
	BySubsidiary = "subsidiary_of"
	ByName       = "name"
)

// Company is what a lead says of its company; what it does not say is empty.
type Company struct {
	Domain  string   // of its own, or of its e-mail address; lower case, no leading "www."
	Name    string   // as it is written
	Country string   // as it is written
	Confirm []string // of AccountMatch.Confirm, in that order
	Owner   string   // a rep's id
}

// Company reads what a lead says of its company. It is empty where the policy looks no
// account up, or the lead cannot be read.
func (p *Plan) Company(lead *leadroute.Lead) (c Company) {
	m := p.Accounts
	if m == nil {
		return c
	}
	m.once.Do(func() { m.layout = m.lay(p) })
	r, err := m.layout.Lead(lead, nil)
	if err != nil {
		return c
	}
	defer r.Free()
	c.Owner = r.Text("account.owner")
	c.Domain, c.Name, c.Country = domainKey(r.Text("email_domain")), r.Text("company"), r.Text("country")
	if len(m.Confirm) > 0 {
		c.Confirm = make([]string, len(m.Confirm))
		for i, name := range m.Confirm {
			c.Confirm[i] = r.written(name)
		}
	}
	return c
}

func (m *AccountMatch) lay(p *Plan) *Layout {
	l := NewLayout()
	for _, name := range append([]string{"email", "email_domain", "company", "country", "account.owner"}, m.Confirm...) {
		typ := TypeString
		if f := p.Field(name); f != nil {
			typ = f.Type
		}
		l.Slot(name, typ)
	}
	return l
}

// written is a text or number as a text, "" for what is neither or missing.
func (r *Record) written(name string) string {
	s, ok := r.layout.slots[name]
	switch {
	case ok && s.Type == TypeString:
		return r.strs[s.index]
	case ok && s.Type == TypeNumber && !math.IsNaN(r.nums[s.index]):
		return strconv.FormatFloat(r.nums[s.index], 'f', -1, 64)
	}
	return ""
}
