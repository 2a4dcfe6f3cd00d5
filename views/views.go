// Package views lets people and commands see and change what the router knows: the state
// and the trail of a lead, the board of the reps, the accounts. It reads copies and is
// behind by milliseconds; what it is told to change it puts into the log, where the stage
// that owns the row decides. Leads come in at the gateway, history is the sink's.
package views

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/queues"
)

// Config is where the API reads and writes. The functions must be safe for concurrent use.
type Config struct {
	// Lead reads a lead's row; ok is false if there is none. The error wraps
	// stream.ErrNotLocal if the row is another instance's, or nobody's just now.
	Lead func(id leadroute.LeadID) (s *ledger.State, ok bool, err error)
	// Trail reads a lead's steps from ClickHouse; none for a lead that is not known.
	Trail func(ctx context.Context, id leadroute.LeadID) ([]leadroute.LatencyEvent, error)
	// Decisions reads the events of a lead's decisions from ClickHouse, with what makes them again.
	Decisions func(ctx context.Context, id leadroute.LeadID) ([]leadroute.LatencyEvent, error)
	// Reps calls yield for each row, in any order, until it returns false; Accounts for the
	// domain of each, as there may be very many.
	Reps     func(yield func(key string, s *desk.State) bool)
	Accounts func(yield func(domain string) bool)
	Queues   func(yield func(key string, s *queues.State) bool)
	// Leads calls yield for each write of a lead's row, whatever instance has it, the last one
	// of a lead last; s is nil where it is gone.
	Leads func(ctx context.Context, yield func(id string, s *ledger.State) error) error
	// Where compiles a condition by the policy in force; one that is wrong is an ErrWhere.
	Where func(ctx context.Context, expr string) (*plan.Where, error)
	// Decide is what the plan in force says of a lead now.
	Decide func(l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error)
	// By is the name of the key that a request came with.
	By func(*http.Request) string
	// Plan is the policy in force, whose names reps may use; never nil.
	Plan func() *plan.Plan
	// Rep reads one row of Reps, nil if there is none. If it is not set, Reps is searched.
	Rep func(key string) *desk.State
	// Claimable lists the timers of the leads that are open to claim, the most urgent first, and
	// Member tells whether a rep is in a pool. If they are not set, none is.
	Claimable func(ctx context.Context) ([]leadroute.Timer, error)
	Member    func(leadroute.PoolID, *leadroute.Rep) bool
	// Account reads one row of Accounts, nil if there is none.
	Account func(domain string) *leadroute.Account
	// Match finds the account of a lead by the policy in force; looks is false where that looks none up.
	Match func(l *leadroute.Lead) (a *leadroute.Account, found *plan.Found, looks bool)
	// Produce sends one message and returns when every replica that must have it has it.
	Produce func(ctx context.Context, t leadroute.Topic, key string, v any) error

	// Now is the clock, time.Now if nil.
	Now func() time.Time
	// Timeout is how long a request waits for the log or for ClickHouse, 5s if zero.
	Timeout time.Duration
	// Settle is how long a request about a rep waits for a rep that has just been imported
	// to show in the table before it says that there is none, 1s if zero.
	Settle time.Duration
	Log    *slog.Logger // slog.Default() if nil
}

// Bounds of one request.
const (
	maxBody    = 8 << 20
	maxOne     = 64 << 10
	maxRows    = 10_000 // of one import
	maxFaults  = 100    // told of one import
	maxListed  = 100_000
	listed     = 1000 // unless asked otherwise
	inFlight   = 64   // messages of one import on their way at once
	lookAgain  = 20 * time.Millisecond
	retryAfter = "2"
)

// API serves the views.
type API struct{ cfg Config }

// New checks the configuration and starts nothing.
func New(cfg Config) (*API, error) {
	var missing []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"Lead", cfg.Lead != nil},
		{"Trail", cfg.Trail != nil},
		{"Decisions", cfg.Decisions != nil},
		{"Reps", cfg.Reps != nil},
		{"Accounts", cfg.Accounts != nil},
		{"Account", cfg.Account != nil},
		{"Match", cfg.Match != nil},
		{"Queues", cfg.Queues != nil},
		{"Leads", cfg.Leads != nil},
		{"Where", cfg.Where != nil},
		{"Decide", cfg.Decide != nil},
		{"By", cfg.By != nil},
		{"Plan", cfg.Plan != nil},
		{"Produce", cfg.Produce != nil},
	} {
		if !f.set {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return nil, errors.New("views: not set: " + strings.Join(missing, ", "))
	}
	if cfg.Timeout < 0 || cfg.Settle < 0 {
		return nil, fmt.Errorf("views: a timeout must not be negative (%v, %v)", cfg.Timeout, cfg.Settle)
	}
	if cfg.Claimable == nil || cfg.Member == nil {
		cfg.Claimable = func(context.Context) ([]leadroute.Timer, error) { return nil, nil }
		cfg.Member = func(leadroute.PoolID, *leadroute.Rep) bool { return false }
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Settle == 0 {
		cfg.Settle = time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Rep == nil {
		cfg.Rep = func(key string) (found *desk.State) {
			cfg.Reps(func(k string, s *desk.State) bool {
				if k == key {
					found = s
				}
				return found == nil
			})
			return found
		}
	}
	return &API{cfg}, nil
}

// Routes adds the API to mux, each route behind guard.
//
//	GET    /v1/leads/{id}?fields=true    state and trail of a lead; what the lead says only if asked for
//	GET    /v1/leads/{id}/decisions      all that makes the decisions about a lead again, its fields included
//	GET    /v1/claimable?rep=ana         the leads that are open to claim, to all or to one rep
//	POST   /v1/leads/reroute/preview     {"where","to","max"}: which open leads would move where
//	POST   /v1/leads/reroute             {"leads":[{"lead","rev"}],"to","reason"}: they move, if they are as they were
//	GET    /v1/reps?profiles=true        the board: who is there, why not, and what they hold
//	GET    /v1/reps/{id}                 one rep of it, with the profile
//	POST   /v1/reps?dry_run=true         an array of reps: set the profiles, of all or of none
//	PUT    /v1/reps/{id}                 one rep's profile
//	PATCH  /v1/reps/{id}                 some members of it (RFC 7396)
//	PUT    /v1/reps/{id}/status          {"status":"away","until":"14:00"}
//	PUT    /v1/reps/{id}/away            {"from":"2026-12-24","until":"2026-12-31","reason":"vacation"}, or an array
//	DELETE /v1/reps/{id}/away?all=true   back: what has begun is over, with all what comes later, too
//	DELETE /v1/reps/{id}?leads=          take a rep off the floor; leads=reassign lets the leads on the desk move on, leads=keep stay
//	GET    /v1/queues                    who waits where, for how long, who is next
//	GET    /v1/queues/{name}             one of them, with the first leads of its partitions
//	GET    /v1/accounts?limit=&after=    who owns which account, by domain; after= goes on behind one
//	POST   /v1/accounts?dry_run=true     an array of accounts, set all or none
//	GET    /v1/accounts/match?name=      which account a lead of that company finds, and how; also domain=, country=, ...
//	GET    /v1/accounts/{domain}         one account
//	PUT    /v1/accounts/{domain}         set it
//	DELETE /v1/accounts/{domain}         take it out
//
// A change answers 202 when the log has it; the tables follow within milliseconds.
func (a *API) Routes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	for pattern, h := range map[string]func(*http.Request) answer{
		"GET /v1/leads/{id}":             a.lead,
		"GET /v1/leads/{id}/decisions":   a.decisions,
		"GET /v1/claimable":              a.claimable,
		"GET /v1/reps":                   a.board,
		"POST /v1/reps":                  a.importReps,
		"PUT /v1/reps/{id}":              a.putRep,
		"GET /v1/reps/{id}":              a.getRep,
		"PATCH /v1/reps/{id}":            a.patchRep,
		"PUT /v1/reps/{id}/status":       a.putStatus,
		"PUT /v1/reps/{id}/away":         a.putAway,
		"DELETE /v1/reps/{id}/away":      a.endAway,
		"DELETE /v1/reps/{id}":           a.removeRep,
		"GET /v1/queues":                 a.queues,
		"GET /v1/queues/{name}":          a.queue,
		"GET /v1/accounts":               a.accounts,
		"POST /v1/accounts":              a.importAccounts,
		"GET /v1/accounts/match":         a.matchAccount,
		"GET /v1/accounts/{domain}":      a.account,
		"PUT /v1/accounts/{domain}":      a.putAccount,
		"DELETE /v1/accounts/{domain}":   a.removeAccount,
		"POST /v1/leads/reroute/preview": a.moves,
		"POST /v1/leads/reroute":         a.reroute,
	} {
		mux.Handle(pattern, guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			timeout := a.cfg.Timeout
			if strings.HasSuffix(pattern, "/preview") { // it reads a table
				timeout = max(timeout, scanTimeout)
			}
			ctx, cancel := context.WithTimeout(r.Context(), timeout)
			defer cancel()
			r = r.WithContext(ctx)
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			h(r).write(w)
		})))
	}
}

// produce puts one message into the log, or answers why not.
func (a *API) produce(ctx context.Context, t leadroute.Topic, key string, v any) *answer {
	err := a.cfg.Produce(ctx, t, key, v)
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.Canceled) { // the caller has hung up, or another row of the import failed first
		a.cfg.Log.Warn("change not written", "topic", t, "error", err)
	}
	return new(away("the log has not taken the change", "send the same again: what did arrive does no harm twice"))
}
