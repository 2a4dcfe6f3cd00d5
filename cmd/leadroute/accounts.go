package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

type accountsOptions struct {
	API      *apiOptions
	Limit    int
	After    string
	JSON     bool
	Out, Err io.Writer

	Domain string // of show, set and remove
	// What set changes: an empty text or list takes the member out; what is not named in Changed stays.
	Name, Owner, Parent string
	Aliases             []string
	Attrs               []string // name=value
	Changed             func(flag string) bool
	// What match asks for.
	Country, Phone, PostalCode string
	Fields                     []string // name=value
}

func newAccounts() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accounts",
		Short: "See and change who owns which account, on a running router",
	}
	opts := accountsOptions{API: &apiOptions{}}
	opts.API.bind(cmd)
	sub := func(c *cobra.Command, run func(context.Context, accountsOptions) error) *cobra.Command {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.Domain = args[0]
			}
			opts.Out, opts.Err, opts.Changed = c.OutOrStdout(), c.ErrOrStderr(), c.Flags().Changed
			return run(c.Context(), opts)
		}
		cmd.AddCommand(c)
		return c
	}
	cmd.AddCommand(newImport(opts.API, "/v1/accounts", "account", "accounts and their owners",
		`Set accounts: a lead is matched to one by its domain, its subsidiary's or its company's name, as the policy's
account_match says. An account is replaced as a whole.

Fields: domain, name, owner (the id of a rep), parent (the domain of the account whose subsidiary it is), aliases
(other names). country, phone and postal_code are attributes that may confirm a match by name.`,
		"  leadroute accounts import accounts.csv\n  leadroute accounts import --dry-run accounts.csv",
		intake.Accounts))

	list := sub(&cobra.Command{
		Use: "list", Short: "List the accounts, by domain", Args: cobra.NoArgs,
		Example: "  leadroute accounts list --limit 20",
	}, listAccounts)
	list.Flags().IntVar(&opts.Limit, "limit", 1000, "at most so many")
	list.Flags().StringVar(&opts.After, "after", "", "go on behind this domain")
	show := sub(&cobra.Command{
		Use: "show DOMAIN", Short: "Show one account", Args: cobra.ExactArgs(1),
		Example: "  leadroute accounts show acme.com",
	}, showAccount)
	set := sub(&cobra.Command{
		Use: "set DOMAIN", Short: "Make an account, or change what is said of one", Args: cobra.ExactArgs(1),
		Long: `Make an account, or change one: what no flag names stays as it is, and an empty value takes it out. A lead
that is on its way already is not decided again.`,
		Example: "  leadroute accounts set acme.com --name 'Acme Rockets' --owner ana --attr tier=gold\n  leadroute accounts set acme.com --attr tier=",
	}, setAccount)
	set.Flags().StringVar(&opts.Name, "name", "", "the company's name")
	set.Flags().StringVar(&opts.Owner, "owner", "", "the id of the rep who owns it")
	set.Flags().StringVar(&opts.Parent, "parent", "", "the domain of the account whose subsidiary it is")
	set.Flags().StringSliceVar(&opts.Aliases, "alias", nil, "another name; all of them together replace those of before")
	set.Flags().StringArrayVar(&opts.Attrs, "attr", nil, "an attribute, name=value; a number, true and false are read as such")
	sub(&cobra.Command{
		Use: "remove DOMAIN", Short: "Take an account out", Args: cobra.ExactArgs(1),
		Example: "  leadroute accounts remove acme.com",
	}, removeAccount)
	match := sub(&cobra.Command{
		Use: "match", Short: "Say which account a lead of a company finds, and why not others", Args: cobra.NoArgs,
		Long: `Say which account a lead finds by the policy in force, as if it came now with that company, domain and fields.

Exit code: 0 if it finds one, 1 if not.`,
		Example: "  leadroute accounts match --name 'Acme Rockets' --country US\n  leadroute accounts match --domain eu.acme.com",
	}, matchAccount)
	match.Flags().StringVar(&opts.Name, "name", "", "lead.company")
	match.Flags().StringVar(&opts.Domain, "domain", "", "the domain of the lead's e-mail address")
	match.Flags().StringVar(&opts.Country, "country", "", "lead.country")
	match.Flags().StringVar(&opts.Phone, "phone", "", "lead.phone")
	match.Flags().StringVar(&opts.PostalCode, "postal-code", "", "lead.postal_code")
	match.Flags().StringArrayVar(&opts.Fields, "field", nil, "any other field that confirms, name=value")
	for _, c := range []*cobra.Command{list, show, match} {
		c.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	}
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

func (o *accountsOptions) path() string { return "/v1/accounts/" + url.PathEscape(o.Domain) }

func showAccount(ctx context.Context, opts accountsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var a leadroute.Account
	if err := api.Do(ctx, http.MethodGet, opts.path(), nil, &a); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, a)
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "domain\t%s\nname\t%s\nowner\t%s\n", a.Domain, dash(a.Name), dash(string(a.Owner)))
	if a.Claim != nil {
		fmt.Fprintf(w, "claimed by\t%s\n", claimedBy(a.Claim))
	}
	if a.Parent != "" {
		fmt.Fprintf(w, "parent\t%s\n", a.Parent)
	}
	for _, alias := range a.Aliases {
		fmt.Fprintf(w, "alias\t%s\n", alias)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Attrs)) {
		v, err := json.Marshal(a.Attrs[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", name, v)
	}
	return w.Flush()
}

func setAccount(ctx context.Context, opts accountsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var a leadroute.Account
	var problem *apiclient.ProblemError
	if err := api.Do(ctx, http.MethodGet, opts.path(), nil, &a); err != nil && (!errors.As(err, &problem) || problem.Status != http.StatusNotFound) {
		return err
	}
	for flag, change := range map[string]func(){
		"name": func() { a.Name = opts.Name }, "owner": func() { a.Owner = leadroute.RepID(opts.Owner) },
		"parent": func() { a.Parent = opts.Parent }, "alias": func() { a.Aliases = slices.DeleteFunc(opts.Aliases, func(s string) bool { return s == "" }) },
	} {
		if opts.Changed(flag) {
			change()
		}
	}
	for _, attr := range opts.Attrs {
		name, value, ok := strings.Cut(attr, "=")
		if !ok || name == "" {
			return fmt.Errorf("--attr %s: write name=value, such as tier=gold", attr)
		}
		if value == "" {
			delete(a.Attrs, name)
			continue
		}
		if a.Attrs == nil {
			a.Attrs = map[string]any{}
		}
		a.Attrs[name] = intake.Attr(value)
	}
	a.Domain = ""
	if err := api.Do(ctx, http.MethodPut, opts.path(), a, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is set\n", opts.Domain)
	return err
}

func removeAccount(ctx context.Context, opts accountsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if err := api.Do(ctx, http.MethodDelete, opts.path(), nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is taken out\n", opts.Domain)
	return err
}

func matchAccount(ctx context.Context, opts accountsOptions) error {
	q := url.Values{}
	for name, value := range map[string]string{"name": opts.Name, "domain": opts.Domain, "country": opts.Country, "phone": opts.Phone, "postal_code": opts.PostalCode} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, field := range opts.Fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return fmt.Errorf("--field %s: write name=value, such as city=Berlin", field)
		}
		q.Set(name, value)
	}
	if opts.Name == "" && opts.Domain == "" {
		return errors.New("which company? give --name or --domain")
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var m views.Matched
	if err := api.Do(ctx, http.MethodGet, "/v1/accounts/match?"+q.Encode(), nil, &m); err != nil {
		return err
	}
	if opts.JSON {
		if err := printJSON(opts.Out, m); err != nil {
			return err
		}
	} else {
		writeFound(opts.Out, m.Account, m.Found)
	}
	if m.Account == nil {
		return exit(1)
	}
	return nil
}

func listAccounts(ctx context.Context, opts accountsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var all views.Ownership
	if err := api.Do(ctx, http.MethodGet, "/v1/accounts?limit="+strconv.Itoa(opts.Limit)+"&after="+url.QueryEscape(opts.After), nil, &all); err != nil {
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
		fmt.Fprintf(opts.Err, "%d of %d: raise --limit, or go on with --after\n", len(all.Accounts), all.Total)
	}
	return nil
}
