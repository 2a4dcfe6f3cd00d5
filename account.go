package leadroute

// Account is one row of the account-ownership table, keyed by Domain.
type Account struct {
	Domain string         `json:"domain"` // lower case, no leading "www."
	Name   string         `json:"name,omitempty"`
	Owner  RepID          `json:"owner,omitempty"`
	Attrs  map[string]any `json:"attrs,omitempty"` // tier, customer, open_deal, country, ...
	// Parent is the domain of the account whose subsidiary this one is.
	Parent string `json:"parent,omitempty"`
	// Aliases are other names of the company.
	Aliases []string `json:"aliases,omitempty"`
	// Claim says how Owner came to be it where a lead's assignment made them; nil: somebody
	// said so, or nobody is.
	Claim *Ownership `json:"claim,omitempty"`
}

// Claimed tells whether nothing is known of the account but the owner that a lead made.
func (a *Account) Claimed() bool {
	return a.Claim != nil && a.Name == "" && a.Parent == "" && len(a.Attrs)+len(a.Aliases) == 0
}

// AccountMessage is one message in the accounts' inbox, keyed by domain.
type AccountMessage struct {
	Set    *Account  `json:"set,omitempty"`
	Remove *struct{} `json:"remove,omitempty"`
	Own    *Own      `json:"own,omitempty"`
}
