package plan

// Found says how a lead's account was found, or why none was.
type Found struct {
	By string `json:"by,omitempty"` // domain, subsidiary_of or name; empty: none was found
	// Domain is the domain by which it was found: the lead's, or the part of it that has an account.
	Domain string `json:"domain,omitempty"`
	// Score is how alike the names are, from 0 to 1, and Confirmed the fields that agree besides.
	Score     float64  `json:"score,omitempty"`
	Confirmed []string `json:"confirmed,omitempty"`
	// Tie is what decided between several that are as alike: an attribute of tie_break,
	// "confirmed" (more fields agree) or "domain" (the first in their order); empty: there was one.
	Tie string `json:"tie,omitempty"`
	// Passed are the accounts of like names that were not taken, the most alike first, a few of them.
	Passed []PassedOver `json:"passed,omitempty"`
}

// PassedOver is an account that a lead's name is like, and that is not the lead's.
type PassedOver struct {
	Domain string  `json:"domain"`
	Name   string  `json:"name,omitempty"`
	Score  float64 `json:"score"`
	Why    string  `json:"why"` // one of the constants below, or an attribute of tie_break in which another one is better
}

// Why an account was passed over.
const (
	PassedUnlike      = "unlike"      // less alike than similarity asks for
	PassedUnconfirmed = "unconfirmed" // no field of confirm agrees
	PassedLess        = "less_alike"  // than the one that was taken
	PassedConfirmed   = "confirmed"   // fewer fields agree than of the one that was taken
	PassedOrder       = "domain"      // nothing decided but the order of their domains
	PassedAmbiguous   = "ambiguous"   // another name is as alike, and nothing decides between the two
)
