package views

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/intake"
)

// Ownership is the answer to GET /v1/accounts, by domain.
type Ownership struct {
	Accounts []leadroute.Account `json:"accounts"`
	Total    int                 `json:"total"` // of which Accounts are the first, or those behind another one
}

func (a *API) accounts(r *http.Request) answer {
	limit := listed
	if v := r.URL.Query().Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxListed {
			return refuse(http.StatusBadRequest, "", fmt.Sprintf("limit=%q is no number from 1 to %d", v, maxListed), "write such a number, or leave it out")
		}
		limit = n
	}
	after := r.URL.Query().Get("after")
	out := Ownership{Accounts: []leadroute.Account{}}
	var domains []string
	for domain := range a.cfg.Accounts {
		if out.Total++; domain > after {
			domains = append(domains, domain)
		}
	}
	slices.Sort(domains)
	for _, domain := range domains {
		if len(out.Accounts) == limit {
			break
		}
		if acc := a.cfg.Account(domain); acc != nil {
			out.Accounts = append(out.Accounts, *acc)
		}
	}
	return answer{http.StatusOK, &out}
}

// Matched is the answer to GET /v1/accounts/match.
type Matched struct {
	// Account is the one that a lead would find; nil: none.
	Account *leadroute.Account `json:"account"`
	// Found says how, and which were passed over; nil: there is nothing to tell.
	Found *plan.Found `json:"found,omitempty"`
}

// matchAccount tells which account a lead finds that says what the query says: name is
// lead.company, domain that of its e-mail address, anything else the field of that name.
func (a *API) matchAccount(r *http.Request) answer {
	fields := map[string]string{}
	for name, values := range r.URL.Query() {
		switch name {
		case "name":
			name = "company"
		case "domain":
			name = "email_domain"
		}
		fields[name] = values[0]
	}
	if fields["company"] == "" && fields["email_domain"] == "" {
		return refuse(http.StatusBadRequest, "", "the query says neither a name nor a domain", "ask for ?name=Acme+Inc&country=US, or ?domain=acme.com")
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return refuse(http.StatusBadRequest, "", "the query cannot be read as a lead", "write it in UTF-8")
	}
	acc, found, looks := a.cfg.Match(&leadroute.Lead{Fields: raw})
	if !looks {
		return refuse(http.StatusConflict, "", "the policy in force looks no account up", "add an account_match block to it")
	}
	return answer{http.StatusOK, &Matched{acc, found}}
}

func noAccount(domain string) answer {
	return refuse(http.StatusNotFound, "", fmt.Sprintf("there is no account %q", domain), "check the domain with `leadroute accounts list`, or set it first")
}

func (a *API) account(r *http.Request) answer {
	domain, fault := intake.Domain(r.PathValue("domain"))
	if fault != nil {
		return refuse(http.StatusBadRequest, "", fault.Message, fault.Remedy)
	}
	if acc := a.cfg.Account(domain); acc != nil {
		return answer{http.StatusOK, acc}
	}
	return noAccount(domain)
}

// acceptedAccount is what a change of one account answers.
type acceptedAccount struct {
	Domain string `json:"domain"`
	Status string `json:"status"` // "accepted"
}

func (a *API) changeAccount(r *http.Request, domain string, m *leadroute.AccountMessage) answer {
	if bad := a.produce(r.Context(), leadroute.TopicAccounts, domain, m); bad != nil {
		return *bad
	}
	return answer{http.StatusAccepted, acceptedAccount{domain, "accepted"}}
}

func (a *API) putAccount(r *http.Request) answer {
	domain, fault := intake.Domain(r.PathValue("domain"))
	if fault != nil {
		return refuse(http.StatusBadRequest, "", fault.Message, fault.Remedy)
	}
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	raw, said := intake.WithKey(raw, "domain", domain)
	rows, faults := intake.Accounts().Read([]json.RawMessage{raw})
	if len(faults) > 0 {
		return faulty(faults, false)
	}
	if rows[0].Domain != domain {
		return refuse(http.StatusUnprocessableEntity, "/domain", fmt.Sprintf("the body is of account %q, the address of %q", said, domain),
			"make them the same, or leave the domain out of the body")
	}
	return a.changeAccount(r, domain, &leadroute.AccountMessage{Set: &rows[0]})
}

func (a *API) removeAccount(r *http.Request) answer {
	domain, fault := intake.Domain(r.PathValue("domain"))
	if fault != nil {
		return refuse(http.StatusBadRequest, "", fault.Message, fault.Remedy)
	}
	if settled(r.Context(), a.cfg.Settle, func() *leadroute.Account { return a.cfg.Account(domain) }) == nil {
		return noAccount(domain)
	}
	return a.changeAccount(r, domain, &leadroute.AccountMessage{Remove: &struct{}{}})
}

func (a *API) importAccounts(r *http.Request) answer {
	return importRows(a, r, intake.Accounts(), nil, func(ctx context.Context, acc *leadroute.Account) *answer {
		return a.produce(ctx, leadroute.TopicAccounts, acc.Domain, &leadroute.AccountMessage{Set: acc})
	})
}
