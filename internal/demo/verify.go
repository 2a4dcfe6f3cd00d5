package demo

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/crmsim"
	"github.com/leadroute/leadroute/internal/loadgen"
)

// State is where the ledger says a lead is.
type State string

// The final states. StateOpen is every state that is not final: deciding, offered,
// being delivered.
const (
	StateDelivered    State = "delivered"
	StateQueued       State = "queued"
	StateDeadLettered State = "dead_lettered"
	StateOpen         State = "open"
)

// Final is the ledger's last word on one lead. Owner and Revision may be empty where
// the ledger has kept no more than a stub; the log's assignments stand in for them.
type Final struct {
	State    State
	Owner    leadroute.RepID
	Revision int
}

// Evidence is everything that a verdict rests on.
type Evidence struct {
	Generator *loadgen.Generator
	Tally     *loadgen.Tally
	// Judge knows who may own whom; nil: the policy is not the demo's, and owners are
	// compared with the ledger alone.
	Judge *loadgen.Judge

	Records []crmsim.Record // as of the end
	CRM     crmsim.Stats

	Ledger map[leadroute.LeadID]Final
	Log    *Log
	// InClickHouse is the number of distinct events that ClickHouse answers.
	InClickHouse int

	// SLA is each class's deliver_within; nil: SeedSLA. A class without one is always within.
	SLA   map[leadroute.Class]time.Duration
	Usage Usage // of the run; zero Wall: until the last acknowledgement
}

// SeedSLA are the classes of the sample policies.
var SeedSLA = map[leadroute.Class]time.Duration{"P0": time.Minute, "P1": 5 * time.Minute, "P2": 30 * time.Minute}

// Report is a summary and what it takes to look into it.
type Report struct {
	Summary Summary
	// Examples are up to ten lead ids, each with what is wrong, by the name of the figure.
	Examples map[string][]string
	// Notes are oddities that are no failure by themselves.
	Notes []string
}

const maxExamples = 10

func (r *Report) example(figure string, lead leadroute.LeadID, format string, args ...any) {
	if len(r.Examples[figure]) < maxExamples {
		r.Examples[figure] = append(r.Examples[figure], fmt.Sprintf("%s: "+format, append([]any{lead}, args...)...))
	}
}

func (r *Report) note(n int, format string, args ...any) {
	if n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d "+format, append([]any{n}, args...)...))
	}
}

// Verify compares. It does not judge: see Failures.
func Verify(e *Evidence) *Report {
	r := &Report{Examples: make(map[string][]string)}
	t := e.Tally.Totals()
	r.Summary.Leads = Leads{Sent: t.Sent, Accepted: t.Accepted, Rejected: t.Rejected, Duplicates: t.Duplicates}
	r.Summary.CRM = CRM{Records: e.CRM.Records, DuplicateRecords: e.CRM.DuplicateRecords, BadSignatures: e.CRM.BadSignatures}
	r.Summary.Reps.OverCapacity = e.CRM.OverCapacity
	r.Summary.Events = Events{Produced: e.Log.Events, InClickHouse: e.InClickHouse}
	r.Summary.TableBytes = e.Log.Tables

	records := make(map[leadroute.LeadID]*crmsim.Record, len(e.Records))
	for i := range e.Records {
		records[e.Records[i].Lead] = &e.Records[i]
	}
	acked := e.Tally.Acknowledged()
	outcomes(e, r, acked, records)
	owners(e, r)
	latencies(e, r, acked, records)
	misjudged(e, r, acked)
	r.note(t.Unanswered, "leads were never answered")
	r.note(e.CRM.Altered, "deliveries came again with other data than before")
	r.note(e.CRM.Malformed, "deliveries had no lead id or no revision")
	if e.Log.Trimmed > 0 {
		r.note(int(e.Log.Trimmed), "events were dropped from the log by retention before they were counted")
	}
	return r
}

// outcomes sorts every acknowledged lead. The CRM's record proves a delivery, the
// topic proves a dead letter; the ledger's word alone proves only that a lead waits.
func outcomes(e *Evidence, r *Report, acked map[leadroute.LeadID]loadgen.Acknowledged, records map[leadroute.LeadID]*crmsim.Record) {
	o := &r.Summary.Outcome
	for _, id := range sortedIDs(acked) {
		rec, f := records[id], e.Ledger[id]
		_, dead := e.Log.DeadLetters[id]
		arrived := rec != nil && rec.FirstAck != 0
		switch {
		case f.State == StateQueued:
			o.Queued++
		case f.State == StateDeadLettered && dead:
			o.DeadLettered++
		case arrived && (f.State == StateDelivered || f.State == ""): // "": the ledger has let it go after its window
			o.Delivered++
		default:
			o.Lost++
			r.example("lost", id, "lead %d, ledger %q revision %d, CRM record %v acknowledged %v, dead letter %v",
				acked[id].Index, cmp.Or(f.State, "nothing"), f.Revision, rec != nil, arrived, dead)
		}
	}
}

// owners checks every record of the CRM, acknowledged at the door or not.
func owners(e *Evidence, r *Report) {
	strangers := 0
	for i := range e.Records {
		rec := &e.Records[i]
		f := e.Ledger[rec.Lead]
		if f.State == StateQueued || f.State == StateDeadLettered {
			continue // the CRM still has the owner before, or the queue's
		}
		want, revision := f.Owner, f.Revision
		if want == "" {
			a := e.Log.Assigned[rec.Lead]
			want, revision = a.Rep, a.Revision
		}
		var wrong string
		switch {
		case want != rec.Owner:
			wrong = fmt.Sprintf("the CRM says %q, the ledger %q", rec.Owner, want)
		case revision != 0 && revision != rec.Revision:
			wrong = fmt.Sprintf("the CRM has revision %d, the ledger %d", rec.Revision, revision)
		case e.Judge != nil && rec.Owner != "":
			i, ok := e.Generator.Find(rec.Person)
			if !ok {
				strangers++
				break
			}
			if truth := e.Generator.Truth(i); !e.Judge.Allows(truth, rec.Owner) && !claimed(e, truth, rec.Owner) {
				wrong = fmt.Sprintf("%q may not own a lead with region %q, account owner %q, big %v", rec.Owner, truth.Region, truth.Owner, truth.Big)
			} else if id := e.Judge.CRMID(rec.Owner); id != rec.OwnerCRM {
				wrong = fmt.Sprintf("%q is %q in the CRM, not %q", rec.Owner, id, rec.OwnerCRM)
			}
		}
		if wrong != "" {
			r.Summary.CRM.WrongOwner++
			r.example("wrong_owner", rec.Lead, "%s", wrong)
		}
	}
	r.note(strangers, "CRM records are of people whom the generator never made")
}

// claimed tells whether the rep may own the lead's company: by another lead of a company
// that nobody named an owner for, which came first.
func claimed(e *Evidence, t loadgen.Truth, rep leadroute.RepID) bool {
	return t.Owner == "" && slices.ContainsFunc(e.Generator.Company(t.Domain), func(other loadgen.Truth) bool { return e.Judge.Allows(other, rep) })
}

// latencies fills in percentiles per class, throughput and cost.
func latencies(e *Evidence, r *Report, acked map[leadroute.LeadID]loadgen.Acknowledged, records map[leadroute.LeadID]*crmsim.Record) {
	type class struct {
		hist          *hdrhistogram.Histogram // microseconds
		leads, within int64
	}
	classes := make(map[leadroute.Class]*class)
	sla := e.SLA
	if sla == nil {
		sla = SeedSLA
	}
	last := e.Tally.Started.UnixMicro()
	for id, a := range acked {
		rec := records[id]
		name := a.Class
		if rec != nil && rec.Priority != "" {
			name = rec.Priority
		}
		if name == "" {
			name = e.Generator.Truth(a.Index).Class
		}
		c := classes[name]
		if c == nil {
			c = &class{hist: hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)}
			classes[name] = c
		}
		c.leads++
		if rec == nil || rec.OwnedAck == 0 {
			continue // never there, so never within
		}
		last = max(last, rec.OwnedAck)
		// The CRM may have it before the sender has read its 2xx.
		us := min(max(rec.OwnedAck-a.At, 0), c.hist.HighestTrackableValue())
		_ = c.hist.RecordValue(us) // cannot fail: the value is in range
		if limit := sla[name]; limit == 0 || time.Duration(us)*time.Microsecond <= limit {
			c.within++
		}
	}
	r.Summary.LatencyMS = make(map[leadroute.Class]Latency, len(classes))
	for name, c := range classes {
		q := func(p float64) float64 { return round(float64(c.hist.ValueAtQuantile(p))/1000, 3) }
		r.Summary.LatencyMS[name] = Latency{P50: q(50), P95: q(95), P99: q(99), WithinSLAPct: round(100*float64(c.within)/float64(c.leads), 3)}
	}
	n := float64(len(acked))
	if seconds := float64(last-e.Tally.Started.UnixMicro()) / 1e6; seconds > 0 {
		r.Summary.ThroughputPS = round(n/seconds, 1)
		r.Summary.WallS = round(seconds, 3)
	}
	if e.Usage.Wall > 0 {
		r.Summary.WallS = round(e.Usage.Wall.Seconds(), 3)
	}
	if n > 0 {
		r.Summary.CPUMicrosLead = round(float64(e.Usage.CPU.Microseconds())/n, 1)
	}
	r.Summary.RSSMB = round(float64(e.Usage.RSS)/(1<<20), 1)
}

// misjudged notes where the door and the labels disagree. It is no failure by itself:
// another policy has another schema.
func misjudged(e *Evidence, r *Report, acked map[leadroute.LeadID]loadgen.Acknowledged) {
	refused, taken, split, misclassed := 0, 0, 0, 0
	ids := make(map[string]leadroute.LeadID, len(acked))
	for i := range e.Tally.Results {
		res, it := &e.Tally.Results[i], e.Generator.Item(i, nil)
		good := it.Label == loadgen.Valid || it.Label == loadgen.Duplicate
		switch {
		case res.Status == loadgen.Unanswered:
		case good && res.Status == loadgen.Rejected:
			refused++
			r.example("valid_rejected", leadroute.LeadID(fmt.Sprintf("lead %d", i)), "%s", res.Code)
		case !good && res.Status != loadgen.Rejected:
			taken++
			r.example("broken_accepted", res.ID, "lead %d, %s", i, it.Flaw)
		case good:
			person := e.Generator.Truth(i).Person
			if other, ok := ids[person]; ok && other != res.ID {
				split++
				r.example("two_ids", res.ID, "lead %d is the person of %s", i, other)
			}
			ids[person] = res.ID
		}
	}
	for i := range e.Records {
		if at, ok := e.Generator.Find(e.Records[i].Person); ok && e.Judge != nil {
			if want := e.Generator.Truth(at).Class; e.Records[i].Priority != want {
				misclassed++
				r.example("wrong_class", e.Records[i].Lead, "delivered as %s, want %s", e.Records[i].Priority, want)
			}
		}
	}
	r.note(refused, "valid leads were rejected")
	r.note(taken, "broken leads were accepted")
	r.note(split, "duplicates were answered with another lead id than their original")
	r.note(misclassed, "leads were delivered in another class than the sample policies mean")
}

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

func sortedIDs[V any](m map[leadroute.LeadID]V) []leadroute.LeadID {
	return slices.Sorted(maps.Keys(m))
}
