package plan

import (
	"errors"
	"time"

	"github.com/leadroute/leadroute"
)

// Field is a declared field of the lead.
type Field struct {
	Name     string // dotted for nested ones: account.tier
	Type     string // string, number, bool, list
	Values   []string
	Min, Max *float64
	Required bool
	Default  any
	PII      bool
}

// Record is a lead laid out for the conditions.
type Record struct{}

// Record lays a lead and its account (nil: none) out for deciding.
func (p *Plan) Record(_ *leadroute.Lead, _ *leadroute.Account) (*Record, error) {
	return nil, errors.New("not built yet")
}

// Decide says where the lead goes at that time. It reads nothing but its arguments.
func (p *Plan) Decide(_ *Record, _ Live, _ time.Time) Decision { return Decision{} }
