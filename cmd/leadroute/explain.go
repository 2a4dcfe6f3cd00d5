package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/policytest"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/internal/person"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/pools"
)

type explainOptions struct {
	API         *apiOptions
	Policy      string // or the id of a lead that was decided
	Lead, Leads string
	At          string
	Busy        []string
	Reps        string
	Accounts    string
	Full        bool
	JSON        bool
	In          io.Reader
	Out, Err    io.Writer
	Now         time.Time
}

func newExplain() *cobra.Command {
	opts := explainOptions{API: &apiOptions{}}
	cmd := &cobra.Command{
		Use:   "explain POLICY --lead FILE | explain ID",
		Short: "Say where a lead goes, or why one went where it did",
		Long: `Say where a lead goes, and why: every rule up to the one that matched, and for each that
did not, the field's value and what the rule needs. The lead is a JSON object of lead
fields, as the door takes it; - reads it from standard input.

With --leads, FILE holds many leads: NDJSON, a JSON array, or objects one after the other.
Each is decided at its own received_at, and is told on a line of JSON: id, rule, priority,
territory and target; with --full the whole explanation.

Without a file, ID is a lead that the running router has decided: the decision is taken again
by the policy of then, with what the tables showed then, compared byte by byte with what was
said, and explained, with every step that the lead took since.

The time is --at, else the lead's received_at, else now. Everybody is staffed and free,
but for those named by --busy. With --reps, a file as reps import takes it, pools that
pick their members by condition list them, too: who is next, and why others are passed over.
With --accounts, a file as accounts import takes it, the lead finds its account there, by
domain, subsidiary or name, and it is told how, and which accounts of like names it is not.

Exit code: 0 if the lead was decided, 1 if the policy has errors, the door would reject it, or
a logged decision comes out otherwise.`,
		Example: "  echo '{\"region\":\"EMEA\",\"score\":42}' | leadroute explain examples/demo.hcl --lead - --busy pool.emea\n" +
			"  leadroute explain examples/demo.hcl --leads leads.ndjson\n" +
			"  leadroute explain L-4711",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.In, opts.Out, opts.Err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			opts.Now = time.Now()
			if opts.Lead == "" && opts.Leads == "" {
				if _, err := os.Stat(opts.Policy); err == nil {
					return fmt.Errorf("which lead? leadroute explain %s --lead FILE, or - for standard input", opts.Policy)
				}
				return explainLogged(cmd.Context(), opts)
			}
			return explain(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Lead, "lead", "", "file with one lead; - is standard input")
	cmd.Flags().StringVar(&opts.Leads, "leads", "", "file with many leads; - is standard input")
	cmd.Flags().StringVar(&opts.Reps, "reps", "", "file with the reps of the live table, as reps import takes it")
	cmd.Flags().StringVar(&opts.Accounts, "accounts", "", "file with the accounts of the live table, as accounts import takes it")
	cmd.Flags().BoolVar(&opts.Full, "full", false, "with --leads, the whole explanation of each lead")
	cmd.Flags().StringVar(&opts.At, "at", "", "decide as of this time, such as 2026-01-14T10:00:00Z")
	cmd.Flags().StringSliceVar(&opts.Busy, "busy", nil, "nobody is free here: pool.NAME or rep.NAME")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	cmd.MarkFlagsMutuallyExclusive("lead", "leads")
	opts.API.bind(cmd)
	return cmd
}

func explain(ctx context.Context, opts explainOptions) error {
	policy, err := loadPlan(opts.Err, opts.Policy)
	if err != nil {
		return err
	}
	e := explanations{plan: policy.Plan, opts: opts}
	if opts.At != "" {
		if e.at, err = time.Parse(time.RFC3339, opts.At); err != nil {
			return fmt.Errorf("--at: write a time such as 2026-01-14T10:00:00Z: %w", err)
		}
	}
	said, err := busy(policy.Plan, opts.Busy)
	if err != nil {
		return err
	}
	e.live = policytest.Live(policy.Plan, said, e.at)
	if e.roster, err = roster(policy.Plan, said, opts); err != nil {
		return err
	}
	if e.book, err = accountBook(opts); err != nil {
		return err
	}
	if opts.Leads != "" {
		return e.lines(ctx)
	}
	in, closeIn, err := openIn(opts.Lead, opts.In)
	if err != nil {
		return err
	}
	defer closeIn()
	raw, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the lead: %w", err)
	}
	return e.one(raw)
}

func openIn(name string, stdin io.Reader) (io.Reader, func(), error) {
	if name == "-" {
		return stdin, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}

func busy(p *plan.Plan, names []string) (dsl.Situation, error) {
	s := dsl.Situation{Available: map[leadroute.PoolID]int{}, Status: map[leadroute.RepID]leadroute.RepStatus{}}
	for _, name := range names {
		kind, id, _ := strings.Cut(name, ".")
		switch {
		case kind == "pool" && p.Pools[leadroute.PoolID(id)] != nil:
			s.Available[leadroute.PoolID(id)] = 0
		case kind == "rep" && id != "":
			s.Status[leadroute.RepID(id)] = leadroute.StatusBusy
		default:
			return s, fmt.Errorf("--busy %s: write pool.NAME with a pool of the policy, or rep.NAME", name)
		}
	}
	return s, nil
}

// explanations explains leads under one plan.
type explanations struct {
	plan   *plan.Plan
	live   *policytest.Staffing
	roster *pools.Roster
	book   *company.Book
	at     time.Time
	opts   explainOptions
}

// explained is what is told of one lead.
type explained struct {
	Line int        `json:"line,omitempty"` // place in the file, from 1
	ID   string     `json:"id"`
	At   *time.Time `json:"at,omitempty"`
	// Rule is nil when no rule took the lead.
	Rule      *string             `json:"rule"`
	Priority  string              `json:"priority,omitempty"`
	Territory string              `json:"territory,omitempty"`
	Target    string              `json:"target,omitempty"` // pool.emea: the first with somebody free
	Rejected  []plan.FieldProblem `json:"rejected,omitempty"`
	Error     string              `json:"error,omitempty"`
	*way
}

// way is how the decision came about.
type way struct {
	plan.Explanation
	// Account is the one that the lead found, and Found how, and what it passed over.
	Account *leadroute.Account `json:"account,omitempty"`
	Found   *plan.Found        `json:"found,omitempty"`
	Shared  *shared            `json:"shared,omitempty"`
	// Candidates are the members of each pool among the targets.
	Candidates []candidates `json:"candidates,omitempty"`
	// Nearest says what would have sent the lead to a rule that passed it over.
	Nearest []plan.Nearest `json:"nearest,omitempty"`
}

// shared is what the lead has in common with others, whose rep may be its owner.
type shared struct {
	KnownBy []string        `json:"known_by,omitempty"` // the fields that tell the person
	Then    plan.DedupeThen `json:"then,omitempty"`     // what becomes of the next lead of the person
	Company string          `json:"company,omitempty"`  // the key of the company that its first assignment claims
}

func sharedOf(p *plan.Plan, l *leadroute.Lead, accounts ledger.Accounts) *shared {
	var s shared
	if s.KnownBy = person.KnownBy(p, l); len(s.KnownBy) > 0 {
		s.Then = p.Dedupe.Then
	}
	if account, _, claims := ledger.AccountOf(p, l, accounts); account == nil || account.Owner == "" {
		s.Company = claims
	}
	if s.Company == "" && len(s.KnownBy) == 0 {
		return nil
	}
	return &s
}

type candidates struct {
	Pool leadroute.PoolID `json:"pool"`
	Reps []pools.Standing `json:"reps"`
}

// errRejected says that the door would not let the lead in.
var errRejected = errors.New("the door would reject this lead")

func (e *explanations) explain(raw []byte) (explained, error) {
	var out explained
	fields, problems, err := e.plan.Check(raw)
	if err != nil {
		return out, err
	}
	if len(problems) > 0 {
		out.Rejected = problems
		return out, errRejected
	}
	var envelope struct {
		ID         string `json:"id"`
		ReceivedAt string `json:"received_at"`
	}
	if err := json.Unmarshal(fields, &envelope); err != nil {
		return out, fmt.Errorf("read the lead: %w", err)
	}
	at := e.opts.Now
	if t, err := time.Parse(time.RFC3339, envelope.ReceivedAt); err == nil {
		at = t
	}
	if !e.at.IsZero() {
		at = e.at
	}
	lead := leadroute.Lead{ID: leadroute.LeadID(envelope.ID), ReceivedAt: leadroute.At(at), Fields: fields}
	account, found := e.book.Find(e.plan, &lead)
	record, err := e.plan.Record(&lead, account)
	if err != nil {
		return out, err
	}
	defer record.Free()
	out.ID, out.At = envelope.ID, &at
	if e.opts.Leads != "" && !e.opts.Full {
		out.decided(e.plan.Decide(record, e.live, at), e.live)
		return out, nil
	}
	out.way = &way{Explanation: e.plan.Explain(record, e.live, at), Account: account, Found: found}
	d := out.Decision
	out.decided(d, e.live)
	for _, t := range d.Targets {
		pool := e.plan.Pools[t.Pool]
		if pool == nil {
			continue
		}
		offer := leadroute.Offer{Lead: lead.ID, Class: d.Class, Strategy: string(t.Strategy), About: pool.About(&lead, account, d.Territory)}
		if reps := e.roster.Standings(e.plan, pool, nil, &offer, leadroute.At(at)); len(reps) > 0 {
			out.Candidates = append(out.Candidates, candidates{t.Pool, reps})
		}
	}
	out.Shared = sharedOf(e.plan, &lead, e.book)
	out.Nearest = e.plan.Nearest(record, e.live, at)
	return out, nil
}

func (x *explained) decided(d plan.Decision, live *policytest.Staffing) {
	if d.Rule != "" {
		x.Rule = &d.Rule
	}
	x.Priority, x.Territory = string(d.Class), d.Territory
	x.Target = dsl.TargetName(live.First(d.Targets))
}

// roster is the rep table as far as it is known here: the policy's rep blocks and the file.
func roster(p *plan.Plan, said dsl.Situation, opts explainOptions) (*pools.Roster, error) {
	reps := p.Reps
	if opts.Reps != "" {
		_, rows, err := readRows(importOptions{File: opts.Reps, In: opts.In, Err: opts.Err}, intake.Reps(intake.KnownOf(p)))
		if err != nil {
			return nil, fmt.Errorf("--reps: %w", err)
		}
		reps = append(slices.Clone(reps), rows...)
	}
	r := pools.NewRoster()
	for _, rep := range reps {
		status := leadroute.StatusAvailable
		if s, ok := said.Status[rep.ID]; ok {
			status = s
		}
		r.Update(rep.ID, &desk.State{Profile: rep, Status: status})
	}
	return r, nil
}

// accountBook is the account table as far as it is known here: the file.
func accountBook(opts explainOptions) (*company.Book, error) {
	rows := map[string]*leadroute.Account{}
	book := &company.Book{Row: func(domain string) *leadroute.Account { return rows[domain] }, Names: company.NewIndex()}
	if opts.Accounts == "" {
		return book, nil
	}
	_, accounts, err := readRows(importOptions{File: opts.Accounts, In: opts.In, Err: opts.Err}, intake.Accounts())
	if err != nil {
		return nil, fmt.Errorf("--accounts: %w", err)
	}
	for i := range accounts {
		a := &accounts[i]
		rows[a.Domain] = a
		book.Names.Set(a.Domain, append([]string{a.Name}, a.Aliases...)...)
	}
	return book, nil
}

func (e *explanations) one(raw []byte) error {
	x, err := e.explain(raw)
	switch {
	case errors.Is(err, errRejected) && !e.opts.JSON:
		fmt.Fprintln(e.opts.Out, "The door would reject this lead:")
		for _, p := range x.Rejected {
			fmt.Fprintf(e.opts.Out, "  %s: %s; %s\n", p.Pointer, p.Message, p.Remedy)
		}
		return exit(1)
	case err != nil && !errors.Is(err, errRejected):
		return err
	case e.opts.JSON:
		enc := json.NewEncoder(e.opts.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if wrong := enc.Encode(x); wrong != nil {
			return wrong
		}
		if err != nil {
			return exit(1)
		}
		return nil
	}
	writeExplanation(e.opts.Out, e.plan, x)
	return nil
}

// lines explains a lead a line; a line that is no lead is told on its own line.
func (e *explanations) lines(ctx context.Context) error {
	in, closeIn, err := openIn(e.opts.Leads, e.opts.In)
	if err != nil {
		return err
	}
	defer closeIn()
	out := bufio.NewWriter(e.opts.Out)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	leads := newLeadReader(in, e.opts.Leads)
	bad := false
	for n := 1; ctx.Err() == nil; n++ {
		raw, err := leads.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		x, err := e.explain(raw)
		x.Line = n
		if err != nil {
			bad, x.Error = true, err.Error()
		}
		if err := enc.Encode(x); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the decisions: %w", err)
	}
	if bad {
		return exit(1)
	}
	return ctx.Err()
}
