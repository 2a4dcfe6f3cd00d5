package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// writeExplanation tells a decision to people: one sentence, then the way to it.
func writeExplanation(w io.Writer, p *plan.Plan, x explained) {
	d := x.Decision
	if d.Rule == "" {
		fmt.Fprintf(w, "No rule takes this lead (priority %s): it goes to the dead letters.\n", d.Class)
	} else {
		fmt.Fprintf(w, "rule.%s sends this lead to %s, with priority %s%s%s.\n", d.Rule, x.AssignedTo, d.Class, within(d), territory(d))
	}
	if len(p.Classes) > 1 {
		section(w, "Priority", x.Priorities)
	}
	if len(x.Territories) > 0 {
		section(w, "Territory", x.Territories)
	}
	section(w, "Rules", x.Rules)
	if len(x.Targets) == 0 {
		return
	}
	fmt.Fprintln(w, "\nTargets")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	taken := false
	for _, target := range x.Targets {
		takes := target.Verdict == plan.Matched && dsl.TargetName(target.To) == x.AssignedTo
		taken = taken || takes
		fmt.Fprintf(t, "  %s\t%s\n", target.Source, targetWords(target, takes, taken))
	}
	_ = t.Flush()
}

func within(d plan.Decision) string {
	if d.DeliverWithin == 0 {
		return ""
	}
	span := d.DeliverWithin.String()
	if short, ok := strings.CutSuffix(span, "m0s"); ok {
		span = short + "m"
	}
	return fmt.Sprintf(" (in the CRM within %s)", span)
}

func territory(d plan.Decision) string {
	if d.Territory == "" {
		return ""
	}
	return ", territory " + d.Territory
}

func section(w io.Writer, title string, traces []plan.Trace) {
	fmt.Fprintf(w, "\n%s\n", title)
	writeTraces(w, "  ", traces)
}

func writeTraces(w io.Writer, indent string, traces []plan.Trace) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, tr := range traces {
		words := reasons(tr.Because, tr.Verdict)
		if tr.When == "" && tr.Verdict == plan.Matched {
			words = "takes every lead"
		}
		fmt.Fprintf(t, "%s%s\t%s\t%s\n", indent, tr.Name, tr.Verdict, words)
	}
	_ = t.Flush()
}

func targetWords(t plan.TargetTrace, takes, taken bool) string {
	switch {
	case takes:
		return "takes it"
	case t.Verdict == plan.Matched && taken:
		return "next, if that one cannot"
	case t.Verdict == plan.Matched:
		return "nobody free"
	case t.Verdict == plan.Nobody:
		return "names nobody for this lead"
	case t.Verdict == plan.Repeated:
		return "tried already"
	default:
		return string(t.Verdict) + "  " + reasons(t.Because, t.Verdict)
	}
}

// reasons says why, atom by atom: lead.arr = 40000, needs > 100000.
func reasons(because []plan.Reason, v plan.Verdict) string {
	parts := make([]string, 0, len(because))
	for _, b := range because {
		parts = append(parts, reason(b, v))
	}
	return strings.Join(parts, "; ")
}

func reason(b plan.Reason, v plan.Verdict) string {
	needs := b.Needs
	if b.Not {
		needs = "not " + needs
	}
	switch {
	case v == plan.Matched && b.Actual == "present":
		return b.Subject + " is there"
	case v == plan.Matched:
		return fmt.Sprintf("%s = %s (%s)", b.Subject, b.Actual, needs)
	case b.Actual == "" || b.Actual == "missing":
		return fmt.Sprintf("%s is missing, needs %s", b.Subject, needs)
	case b.Actual == "present":
		return fmt.Sprintf("%s is there, needs %s", b.Subject, needs)
	default:
		return fmt.Sprintf("%s = %s, needs %s", b.Subject, b.Actual, needs)
	}
}
