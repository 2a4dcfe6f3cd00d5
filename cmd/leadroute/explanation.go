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
		fmt.Fprintf(w, "%s sends this lead to %s, with priority %s%s%s.\n", ruleName(d), x.Target, d.Class, within(d), territory(d))
	}
	if x.Account != nil || x.Found != nil {
		fmt.Fprintln(w)
		writeFound(w, x.Account, x.Found)
	}
	if len(p.Classes) > 1 {
		section(w, "Priority", x.Priorities)
	}
	if len(x.Overrides) > 0 {
		section(w, "Overrides", x.Overrides)
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
		takes := target.Verdict == plan.Matched && dsl.TargetName(target.To) == x.Target
		taken = taken || takes
		fmt.Fprintf(t, "  %s\t%s\n", target.Source, targetWords(target, takes, taken))
	}
	_ = t.Flush()
	for _, c := range x.Candidates {
		writeCandidates(w, p, c)
	}
	writeShared(w, x.Shared)
	writeNearest(w, x.Nearest)
}

// thenWords say what becomes of the next lead of a person.
var thenWords = map[plan.DedupeThen]string{
	plan.SameOwner:  "is offered to the same rep first",
	plan.Drop:       "is dropped",
	plan.MergeEvent: "is merged into the first while that is open, else offered to the same rep first",
}

func writeShared(w io.Writer, s *shared) {
	if s == nil {
		return
	}
	fmt.Fprintln(w, "\nPeople and companies")
	if len(s.KnownBy) > 0 {
		fmt.Fprintf(w, "  known by lead.%s: the next lead of the person %s\n", strings.Join(s.KnownBy, ", lead."), thenWords[s.Then])
	}
	if s.Company != "" {
		fmt.Fprintf(w, "  of the company %s: unless it has an owner, its first assignment makes the rep that\n", s.Company)
	}
}

// mostReps is how many candidates of a pool are told to people.
const mostReps = 12

func writeCandidates(w io.Writer, p *plan.Plan, c candidates) {
	fmt.Fprintf(w, "\nReps of pool.%s, in the order in which a fresh rotation would pick\n", c.Pool)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range c.Reps[:min(len(c.Reps), mostReps)] {
		words := "next in turn"
		switch {
		case s.Passed != "":
			words = "passed over: " + passedWords(s.Passed)
			if s.Until > 0 {
				words += " until " + s.Until.Time().In(p.Zone).Format("Mon 2 Jan 15:04 MST")
			}
		case s.Claims:
			words = "may claim it"
		case s.Turn == 1:
			words = "takes it"
		}
		if s.Score != nil {
			words += fmt.Sprintf(", score %.3g", *s.Score)
		}
		if s.Even && s.Turn == 1 {
			words += ": one of the leads that are given out evenly"
		}
		fmt.Fprintf(t, "  %s\t%s\n", s.Rep, words)
	}
	_ = t.Flush()
	if more := len(c.Reps) - mostReps; more > 0 {
		fmt.Fprintf(w, "  and %d more (--json lists all)\n", more)
	}
}

// passedWords says in a sentence why the rep's own row refuses the lead.
func passedWords(reason string) string {
	words := map[string]string{
		"unfit": "does not fit the lead, as the pool requires", "too_few_present": "fewer members are there than min_present",
		"closed": "off shift", "off_shift": "off shift", "holiday": "on holiday", "out_of_office": "out of the office", "leaving": "leaving, takes no new lead", "paused": "paused by a step that took a lead away", "full": "as many open leads as the rep may hold", "pool_full": "as many open leads of this pool as the rep may hold",
		"heard_before": "had declined it before a restart",
		"per_hour":     "the cap per hour is reached", "per_day": "the cap per day is reached", "per_week": "the cap per week is reached",
		"pool_per_hour": "the pool's cap per hour is reached", "pool_per_day": "the pool's cap per day is reached", "pool_per_week": "the pool's cap per week is reached",
	}
	if w, ok := words[reason]; ok {
		return w
	}
	return reason
}

// writeNearest tells what would have sent the lead elsewhere.
func writeNearest(w io.Writer, near []plan.Nearest) {
	if len(near) == 0 {
		return
	}
	fmt.Fprintln(w, "\nThe nearest change that would have sent it elsewhere")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, n := range near {
		parts := make([]string, len(n.Changes))
		for i, c := range n.Changes {
			switch {
			case c.To == "":
				parts[i] = fmt.Sprintf("no lead.%s (is %s)", c.Field, c.From)
			case c.From == "":
				parts[i] = fmt.Sprintf("lead.%s = %s (is missing)", c.Field, c.To)
			default:
				parts[i] = fmt.Sprintf("lead.%s = %s (is %s)", c.Field, c.To, c.From)
			}
		}
		fmt.Fprintf(t, "  %s\t%s\t-> %s\n", n.Rule, strings.Join(parts, " and "), dsl.TargetName(n.Targets[0]))
	}
	_ = t.Flush()
}

// ruleName is rule.emea, override.quarter_end or territories.csv:812, and the arm of a split.
func ruleName(d plan.Decision) string {
	name := d.Rule
	if !strings.ContainsAny(name, ".") {
		name = "rule." + name
	}
	if d.Arm != "" {
		name += ", arm " + d.Arm + ","
	}
	return name
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
