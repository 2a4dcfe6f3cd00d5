package plan

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
}

// ByDomain is the one way that accounts are found today.
const ByDomain = "domain"
