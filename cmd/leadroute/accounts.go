package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

type accountsOptions struct {
	API      *apiOptions
	Limit    int
	JSON     bool
	Out, Err io.Writer
}

func newAccounts() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accounts",
		Short: "See and change who owns which account, on a running router",
	}
	opts := accountsOptions{API: &apiOptions{}}
	opts.API.bind(cmd)
	cmd.AddCommand(newImport(opts.API, "/v1/accounts", "account", "accounts and their owners",
		`Set accounts: a lead is matched to one by its domain. An account is replaced as a whole.

Fields: domain, name, owner (the id of a rep).`,
		"  leadroute accounts import accounts.csv\n  leadroute accounts import --dry-run accounts.csv",
		intake.Accounts))
	list := &cobra.Command{
		Use: "list", Short: "List the accounts, by domain", Args: cobra.NoArgs,
		Example: "  leadroute accounts list --limit 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return listAccounts(cmd.Context(), opts)
		},
	}
	list.Flags().IntVar(&opts.Limit, "limit", 1000, "at most so many")
	list.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	cmd.AddCommand(list)
	return cmd
}

// claimedBy says which lead made the owner; "-" where somebody said who it is.
func claimedBy(c *leadroute.Ownership) string {
	if c == nil {
		return "-"
	}
	by := fmt.Sprintf("lead %s, %s", c.Lead, c.At.Time().Format(time.DateTime))
	if c.Instead != "" {
		by += ", instead of " + string(c.Instead)
	}
	return by
}

func listAccounts(ctx context.Context, opts accountsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var all views.Ownership
	if err := api.Do(ctx, http.MethodGet, "/v1/accounts?limit="+strconv.Itoa(opts.Limit), nil, &all); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, all)
	}
	if len(all.Accounts) == 0 {
		fmt.Fprintln(opts.Err, "no accounts: import some with `leadroute accounts import FILE`")
		return nil
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DOMAIN\tNAME\tOWNER\tCLAIMED BY\tATTRIBUTES")
	for _, a := range all.Accounts {
		attrs := "-"
		if len(a.Attrs) > 0 {
			b, err := json.Marshal(a.Attrs)
			if err != nil {
				return err
			}
			attrs = string(b)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Domain, dash(a.Name), dash(string(a.Owner)), claimedBy(a.Claim), attrs)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(all.Accounts) < all.Total {
		fmt.Fprintf(opts.Err, "%d of %d: raise --limit to see more\n", len(all.Accounts), all.Total)
	}
	return nil
}
