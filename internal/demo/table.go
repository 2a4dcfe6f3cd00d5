package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report for people: the figures, what failed with examples, and
// the notes.
func (r *Report) WriteTable(w io.Writer) error {
	s := &r.Summary
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(group string, cells ...any) {
		var names, values strings.Builder
		for i := 0; i < len(cells); i += 2 {
			fmt.Fprintf(&names, "\t%v", cells[i])
			fmt.Fprintf(&values, "\t%v", cells[i+1])
		}
		fmt.Fprintf(t, "%s%s\t\n%s\t\n", group, names.String(), values.String())
	}
	row("leads", "sent", s.Leads.Sent, "accepted", s.Leads.Accepted, "rejected", s.Leads.Rejected, "duplicates", s.Leads.Duplicates)
	row("outcome", "delivered", s.Outcome.Delivered, "queued", s.Outcome.Queued, "dead lettered", s.Outcome.DeadLettered, "lost", s.Outcome.Lost)
	row("crm", "records", s.CRM.Records, "duplicate", s.CRM.DuplicateRecords, "bad signatures", s.CRM.BadSignatures, "wrong owner", s.CRM.WrongOwner)
	row("reps", "over capacity", s.Reps.OverCapacity)
	row("events", "produced", s.Events.Produced, "in clickhouse", s.Events.InClickHouse)
	row("run", "leads/s", fmt.Sprintf("%.0f", s.ThroughputPS), "cpu us/lead", fmt.Sprintf("%.0f", s.CPUMicrosLead),
		"rss MB", fmt.Sprintf("%.0f", s.RSSMB), "wall s", fmt.Sprintf("%.1f", s.WallS))
	for _, c := range slices.Sorted(maps.Keys(s.LatencyMS)) {
		l := s.LatencyMS[c]
		row(string(c), "p50 ms", fmt.Sprintf("%.1f", l.P50), "p95 ms", fmt.Sprintf("%.1f", l.P95),
			"p99 ms", fmt.Sprintf("%.1f", l.P99), "in SLA", fmt.Sprintf("%.2f%%", l.WithinSLAPct))
	}
	for _, stage := range slices.Sorted(maps.Keys(s.TableBytes)) {
		z := s.TableBytes[stage]
		row(string(stage)+" rows", "written", z.Writes, "p50 B", z.P50, "p99 B", z.P99, "max B", z.Max)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	for _, f := range Failures(s) {
		fmt.Fprintf(&b, "FAILED %s\n", f)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	for _, figure := range slices.Sorted(maps.Keys(r.Examples)) {
		for _, x := range r.Examples[figure] {
			fmt.Fprintf(&b, "  %s: %s\n", figure, x)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
