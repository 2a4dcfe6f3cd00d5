// Package demo judges a run: it holds what was sent (loadgen) against what arrived
// (crmsim), what the ledger says in the end, and what the log and the analytics engine
// hold, and makes the summary of it. It starts nothing and asks nobody: the command
// gathers the evidence and hands it in. Whether a run was good is decided here alone.
package demo

import (
	"encoding/json"
	"fmt"

	"github.com/leadroute/leadroute"
)

// Summary is what a run shows, and on the wire the JSON object of `leadroute demo --json`.
type Summary struct {
	Leads   Leads   `json:"leads"`
	Outcome Outcome `json:"outcome"`
	CRM     CRM     `json:"crm"`
	Reps    Reps    `json:"reps"`
	Events  Events  `json:"events"`
	// LatencyMS is from the door's 2xx to the CRM's first acknowledgement with an owner.
	LatencyMS     map[leadroute.Class]Latency `json:"latency_ms"`
	ThroughputPS  float64                     `json:"throughput_per_s"` // acknowledged leads, from the first sent to the last that the CRM acknowledged
	CPUMicrosLead float64                     `json:"cpu_us_per_lead"`
	RSSMB         float64                     `json:"rss_mb"`
	WallS         float64                     `json:"wall_s"`
	// TableBytes are the sizes of the rows that the stages wrote.
	TableBytes map[leadroute.Topic]Sizes `json:"table_bytes,omitempty"`
}

// Leads count what the door said. Accepted are distinct lead ids.
type Leads struct {
	Sent       int `json:"sent"`
	Accepted   int `json:"accepted"`
	Rejected   int `json:"rejected"`
	Duplicates int `json:"duplicates"`
}

// Outcome counts what became of the accepted leads; it adds up to Leads.Accepted.
type Outcome struct {
	Delivered    int `json:"delivered"`     // the CRM has it, and acknowledged it
	Queued       int `json:"queued"`        // visibly waiting
	DeadLettered int `json:"dead_lettered"` // in the dead letters, with a reason
	Lost         int `json:"lost"`          // none of these
}

// CRM counts what the CRM holds.
type CRM struct {
	Records          int `json:"records"`
	DuplicateRecords int `json:"duplicate_records"`
	BadSignatures    int `json:"bad_signatures"`
	WrongOwner       int `json:"wrong_owner"`
}

// Reps counts what the reps suffered.
type Reps struct {
	OverCapacity int `json:"over_capacity"`
}

// Events are distinct latency events: in the log, and in ClickHouse.
type Events struct {
	Produced     int `json:"produced"`
	InClickHouse int `json:"in_clickhouse"`
}

// Latency of one class, in milliseconds. WithinSLAPct is of all accepted leads of the
// class: one that never arrived is not within.
type Latency struct {
	P50          float64 `json:"p50"`
	P95          float64 `json:"p95"`
	P99          float64 `json:"p99"`
	WithinSLAPct float64 `json:"within_sla_pct"`
}

// JSON is the summary on one line.
func (s *Summary) JSON() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the summary: %w", err)
	}
	return b, nil
}

// Failures says what must not be, each with the figure's name first; none: the run was good.
func Failures(s *Summary) []string {
	var out []string
	for _, c := range []struct {
		name string
		n    int
		what string
	}{
		{"lost", s.Outcome.Lost, "accepted leads are neither delivered, nor waiting, nor in the dead letters"},
		{"duplicate_records", s.CRM.DuplicateRecords, "CRM records too many for one person, or one revision under two names"},
		{"bad_signatures", s.CRM.BadSignatures, "deliveries were not signed as they must"},
		{"wrong_owner", s.CRM.WrongOwner, "CRM records have another owner than the ledger, or one whom the policy's intent forbids"},
		{"over_capacity", s.Reps.OverCapacity, "leads came to a desk that was full"},
	} {
		if c.n != 0 {
			out = append(out, fmt.Sprintf("%s: %d %s", c.name, c.n, c.what))
		}
	}
	if s.Events.Produced != s.Events.InClickHouse {
		out = append(out, fmt.Sprintf("events: %d distinct in the log, %d in ClickHouse", s.Events.Produced, s.Events.InClickHouse))
	}
	// A run in which nothing happened proves nothing.
	if s.Leads.Sent > 0 && s.Leads.Accepted == 0 {
		out = append(out, fmt.Sprintf("accepted: none of %d leads", s.Leads.Sent))
	}
	if s.Leads.Accepted > 0 && s.Events.Produced == 0 {
		out = append(out, fmt.Sprintf("events: none for %d accepted leads", s.Leads.Accepted))
	}
	return out
}
