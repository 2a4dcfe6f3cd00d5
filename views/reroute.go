package views

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Bounds of a reroute.
const (
	maxMoves    = 10_000 // shown, or sent on, at once
	moves       = 1000   // unless asked otherwise
	maxMatches  = 200_000
	scanTimeout = 2 * time.Minute
	maxReason   = 200
)

// Reroute asks which open leads would move where.
type Reroute struct {
	Where string `json:"where"`        // a condition of the language
	To    string `json:"to,omitempty"` // pool.x, queue.x or rep.x; empty: as the plan in force decides
	Max   int    `json:"max,omitempty"`
}

// Moves is the answer: the oldest leads first.
type Moves struct {
	Moves []Move `json:"moves"`
	Left  int    `json:"left"` // that would move, too, beyond max
	// Stay are those that match and would come where they are, Held those that are held, and
	// Nobody those that the plan in force gives to nobody.
	Stay   int `json:"stay"`
	Held   int `json:"held"`
	Nobody int `json:"nobody"`
}

// Move is what would become of one lead.
type Move struct {
	Lead  leadroute.LeadID `json:"lead"`
	Rev   int              `json:"rev"`
	Class leadroute.Class  `json:"class,omitempty"`
	From  string           `json:"from"`
	To    string           `json:"to"`
	Why   string           `json:"why"` // the rule, or that it was asked for
	Since leadroute.Millis `json:"since"`
}

// Moving asks for leads to be moved, as they were shown: one that has moved since stays.
type Moving struct {
	Leads  []Moved `json:"leads"`
	To     string  `json:"to,omitempty"`
	Reason string  `json:"reason"`
}

// Moved is a lead as it was shown.
type Moved struct {
	Lead leadroute.LeadID `json:"lead"`
	Rev  int              `json:"rev"`
}

// Sent is how many leads were asked to move.
type Sent struct {
	Sent int `json:"sent"`
}

// ErrWhere is a condition that is wrong; its text says all that is.
type ErrWhere struct{ Text string }

func (e *ErrWhere) Error() string { return e.Text }

// moves answers which leads would move. The table is read from the log, row by row: what is
// remembered is those that match.
func (a *API) moves(r *http.Request) answer {
	raw, bad := body(r, maxOne)
	if bad != nil {
		return *bad
	}
	var ask Reroute
	if err := json.Unmarshal(raw, &ask); err != nil {
		return refuse(http.StatusBadRequest, "", "the body is not such a request", `send {"where":"lead.region == \"EMEA\""}`)
	}
	goal, refused := a.goal(ask.To)
	if refused != nil {
		return *refused
	}
	if ask.Max == 0 {
		ask.Max = moves
	}
	if ask.Max < 0 || ask.Max > maxMoves {
		return refuse(http.StatusUnprocessableEntity, "/max", fmt.Sprintf("max is from 1 to %d", maxMoves), "ask again for the rest")
	}
	where, err := a.cfg.Where(r.Context(), ask.Where)
	if wrong, ok := errors.AsType[*ErrWhere](err); ok {
		return refuse(http.StatusUnprocessableEntity, "/where", wrong.Text, "")
	} else if err != nil {
		a.cfg.Log.Warn("the policy in force was not read", "error", err)
		return away("the policy in force cannot be read now", "ask again in a moment")
	}
	found, err := a.find(r.Context(), where, goal)
	switch {
	case errors.Is(err, errMany):
		return refuse(http.StatusUnprocessableEntity, "/where", fmt.Sprintf("more than %d leads match", maxMatches), "narrow the condition")
	case err != nil:
		a.cfg.Log.Warn("the ledger's table was not read", "error", err)
		return away("the leads cannot be read now", "ask again in a moment")
	}
	out := found.count()
	if len(out.Moves) > ask.Max {
		out.Left = len(out.Moves) - ask.Max
		out.Moves = out.Moves[:ask.Max]
	}
	return answer{http.StatusOK, out}
}

// goal reads pool.x, queue.x or rep.x of the plan in force, nil for none.
func (a *API) goal(to string) (*leadroute.Goal, *answer) {
	if to == "" {
		return nil, nil
	}
	p := a.cfg.Plan()
	kind, name, _ := strings.Cut(to, ".")
	g := &leadroute.Goal{}
	var known bool
	switch kind {
	case "pool":
		g.Pool = leadroute.PoolID(name)
		known = p.Pools[g.Pool] != nil
	case "queue":
		g.Queue = leadroute.QueueID(name)
		known = p.Queues[g.Queue] != nil
	case "rep":
		g.Rep = leadroute.RepID(name)
		known = a.cfg.Rep(name) != nil
	default:
		return nil, new(refuse(http.StatusUnprocessableEntity, "/to", fmt.Sprintf("%q is no place for a lead", to), "write pool.name, queue.name or rep.name"))
	}
	if !known {
		return nil, new(refuse(http.StatusUnprocessableEntity, "/to", fmt.Sprintf("there is no %s %q", kind, name), "name one of the policy in force, or a rep of the board"))
	}
	return g, nil
}

// matches are the leads that match, by id.
type matches map[string]match

type match struct {
	Move
	stays verdict
}

type verdict uint8

const (
	goes verdict = iota
	stays
	isHeld
	noRule
)

var errMany = errors.New("too many leads match")

func (a *API) find(ctx context.Context, where *plan.Where, goal *leadroute.Goal) (matches, error) {
	now, found := leadroute.At(time.Now()), matches{}
	return found, a.cfg.Leads(ctx, func(id string, s *ledger.State) error {
		delete(found, id) // a later row counts
		if s == nil || !s.Open() || s.Phase == ledger.Asking {
			return nil
		}
		lead := s.Lead(leadroute.LeadID(id))
		if ok, err := where.Holds(lead, s.Route(now)); err != nil || !ok {
			return nil //nolint:nilerr // its fields are no object: nothing is known of it
		}
		if len(found) >= maxMatches {
			return errMany
		}
		found[id] = a.match(lead, s, goal, now)
		return nil
	})
}

// match is what would become of a lead.
func (a *API) match(lead *leadroute.Lead, s *ledger.State, goal *leadroute.Goal, now leadroute.Millis) match {
	m := match{Move: Move{Lead: lead.ID, Rev: s.Rev, Class: s.Class, From: standsAt(s), Since: lead.Since(), Why: "as asked"}}
	if s.Held != nil {
		m.stays = isHeld
		return m
	}
	if goal != nil {
		m.To = targetName(&plan.Target{Pool: goal.Pool, Queue: goal.Queue, Rep: goal.Rep})
		if s.Owner() != "" && (s.Owner() == goal.Rep || goal.Pool != "" && s.Claim.Pool == goal.Pool) || goal.Queue != "" && s.Queue == goal.Queue {
			m.stays = stays
		}
		return m
	}
	d, err := a.cfg.Decide(lead, now)
	if err != nil || d.Rule == "" {
		m.stays = noRule
		return m
	}
	m.Why = "rule " + d.Rule
	names := make([]string, len(d.Targets))
	for i := range d.Targets {
		names[i] = targetName(&d.Targets[i])
	}
	m.To = strings.Join(names, ", ")
	had := s.Targets
	if s.Named != nil {
		had = s.Named
	}
	if d.Rule == s.Rule && d.Class == s.Class && slices.EqualFunc(d.Targets, had, func(a, b plan.Target) bool { return targetName(&a) == targetName(&b) }) {
		m.stays = stays
	}
	return m
}

// standsAt is where a lead stands.
func standsAt(s *ledger.State) string {
	switch {
	case s.Owner() != "" && s.Claim.Pool != "":
		return "rep." + string(s.Owner()) + " (pool." + string(s.Claim.Pool) + ")"
	case s.Owner() != "":
		return "rep." + string(s.Owner())
	case s.Queue != "":
		return "queue." + string(s.Queue)
	case s.Target >= 0 && s.Target < len(s.Targets):
		return "offered to " + targetName(&s.Targets[s.Target])
	}
	return string(s.Phase)
}

func targetName(t *plan.Target) string {
	switch {
	case t.Pool != "":
		return "pool." + string(t.Pool)
	case t.Queue != "":
		return "queue." + string(t.Queue)
	}
	return "rep." + string(t.Rep)
}

// count sorts what was found, the oldest leads first.
func (f matches) count() *Moves {
	out := &Moves{Moves: []Move{}}
	for _, m := range f {
		switch m.stays {
		case goes:
			out.Moves = append(out.Moves, m.Move)
		case stays:
			out.Stay++
		case isHeld:
			out.Held++
		case noRule:
			out.Nobody++
		}
	}
	slices.SortFunc(out.Moves, func(a, b Move) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Lead, b.Lead)) })
	return out
}

// reroute asks the ledger to move leads. Each names its revision, so that asking twice moves
// nothing twice.
func (a *API) reroute(r *http.Request) answer {
	raw, bad := body(r, maxBody)
	if bad != nil {
		return *bad
	}
	var ask Moving
	if err := json.Unmarshal(raw, &ask); err != nil {
		return refuse(http.StatusBadRequest, "", "the body is not such a request", `send {"leads":[{"lead":"L-1","rev":1}],"reason":"a new territory plan"}`)
	}
	goal, refused := a.goal(ask.To)
	switch {
	case refused != nil:
		return *refused
	case len(ask.Leads) == 0 || len(ask.Leads) > maxMoves:
		return refuse(http.StatusUnprocessableEntity, "/leads", fmt.Sprintf("from 1 to %d leads are moved at once", maxMoves), "send the rest after them")
	case strings.TrimSpace(ask.Reason) == "" || len(ask.Reason) > maxReason || strings.ContainsAny(ask.Reason, "\r\n"):
		return refuse(http.StatusUnprocessableEntity, "/reason", fmt.Sprintf("must be one line of at most %d bytes", maxReason), "say why the leads are moved; it is kept with each of them")
	}
	for i, l := range ask.Leads {
		if !l.Lead.Valid() || l.Rev < 1 {
			return refuse(http.StatusUnprocessableEntity, fmt.Sprintf("/leads/%d", i), "names no lead and its revision", "send what the preview showed")
		}
	}
	by, current := a.cfg.By(r), a.cfg.Plan().ID
	failed := writeAll(r.Context(), len(ask.Leads), func(ctx context.Context, i int) *answer {
		l := &ask.Leads[i]
		return a.produce(ctx, leadroute.TopicLedger, string(l.Lead), &leadroute.LedgerMessage{Revise: &leadroute.Revise{
			Rev: l.Rev, Reason: strings.TrimSpace(ask.Reason), By: cmp.Or(by, "operator"), Plan: current, To: goal,
		}})
	})
	if failed != nil {
		return *failed
	}
	return answer{http.StatusAccepted, &Sent{len(ask.Leads)}}
}
