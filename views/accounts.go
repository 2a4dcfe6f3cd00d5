package views

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// Ownership is the answer to GET /v1/accounts, by domain.
type Ownership struct {
	Accounts []leadroute.Account `json:"accounts"`
	Total    int                 `json:"total"` // of which Accounts are the first
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
	out := Ownership{Accounts: []leadroute.Account{}}
	a.cfg.Accounts(func(_ string, acc *leadroute.Account) bool {
		out.Accounts = append(out.Accounts, *acc)
		return true
	})
	slices.SortFunc(out.Accounts, func(x, y leadroute.Account) int { return cmp.Compare(x.Domain, y.Domain) })
	out.Total = len(out.Accounts)
	out.Accounts = out.Accounts[:min(limit, out.Total)]
	return answer{http.StatusOK, &out}
}

func (a *API) importAccounts(r *http.Request) answer {
	return importRows(a, r, intake.Accounts(), func(ctx context.Context, acc *leadroute.Account) *answer {
		return a.produce(ctx, leadroute.TopicAccounts, acc.Domain, &leadroute.AccountMessage{Set: acc})
	})
}
