package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// writeFound tells people which account a lead found, how, and which it passed over.
func writeFound(w io.Writer, a *leadroute.Account, f *plan.Found) {
	switch {
	case a == nil:
		fmt.Fprintln(w, "No account is this company's.")
	case f == nil: // decided before it was told
		fmt.Fprintf(w, "The account %s.\n", accountWords(a))
	default:
		fmt.Fprintf(w, "The account %s, found by %s.\n", accountWords(a), foundWords(a, f))
	}
	if f == nil || len(f.Passed) == 0 {
		return
	}
	fmt.Fprintln(w, "\nAccounts of like names that it is not")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, p := range f.Passed {
		fmt.Fprintf(t, "  %s\t%s\t%.3f\t%s\n", p.Domain, dash(p.Name), p.Score, passedAccount(p.Why))
	}
	_ = t.Flush()
}

// accountWords is acme.com (Acme, Inc.) of ana.
func accountWords(a *leadroute.Account) string {
	s := a.Domain
	if a.Name != "" {
		s += " (" + a.Name + ")"
	}
	if a.Owner == "" {
		return s + ", which nobody owns"
	}
	return s + " of " + string(a.Owner)
}

func foundWords(a *leadroute.Account, f *plan.Found) string {
	switch f.By {
	case plan.BySubsidiary:
		return "its subsidiary " + f.Domain
	case plan.ByName:
		s := fmt.Sprintf("name (%.3f alike)", f.Score)
		if len(f.Confirmed) > 0 {
			s += ", confirmed by " + strings.Join(f.Confirmed, " and ")
		}
		switch f.Tie {
		case "":
		case plan.PassedConfirmed:
			s += ", ahead of others as alike because more fields agree"
		case plan.PassedOrder:
			s += ", ahead of others of its name because its domain comes first"
		default:
			s += ", ahead of others as alike by " + f.Tie
		}
		return s
	}
	if f.Domain != a.Domain {
		return "domain (" + f.Domain + ")"
	}
	return "domain"
}

func passedAccount(why string) string {
	switch why {
	case plan.PassedUnlike:
		return "less alike than similarity asks for"
	case plan.PassedUnconfirmed:
		return "no field of confirm agrees"
	case plan.PassedLess:
		return "another one is more alike"
	case plan.PassedConfirmed:
		return "fewer fields agree"
	case plan.PassedOrder:
		return "of the same name, and its domain comes later"
	case plan.PassedAmbiguous:
		return "another name is as alike, and nothing decides between them"
	}
	return "another one is ahead by " + why
}
