package views

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/queues"
)

// Queues is the answer to GET /v1/queues: those of the policy in force, then those where
// leads of policies before wait.
type Queues struct {
	Queues []Queue `json:"queues"`
}

// Queue is one queue, of all partitions together. It is behind by some seconds.
type Queue struct {
	Name        leadroute.QueueID `json:"name"`
	Description string            `json:"description,omitempty"`
	// Gone: the policy in force does not have it.
	Gone    bool               `json:"gone,omitempty"`
	Order   plan.QueueOrder    `json:"order,omitempty"`
	Waiting int                `json:"waiting"`
	Oldest  *Waiting           `json:"oldest,omitempty"`
	Next    *Waiting           `json:"next,omitempty"` // who is offered first by the order
	Alert   *Alert             `json:"alert,omitempty"`
	CRMID   string             `json:"crm_id,omitempty"`
	DrainTo []leadroute.PoolID `json:"drain_to,omitempty"` // empty: the targets of each lead's rule
	MaxWait string             `json:"max_wait,omitempty"`
	Then    *plan.Target       `json:"then,omitempty"`
	// Heads are the first ones of the partitions, of one queue alone; first the next one.
	Heads []leadroute.Place `json:"heads,omitempty"`
}

// Waiting is a lead that waits.
type Waiting struct {
	Lead     leadroute.LeadID `json:"lead"`
	Since    leadroute.Millis `json:"since,omitempty"`
	Deadline leadroute.Millis `json:"deadline,omitempty"`
}

// Alert is when somebody is told that the oldest lead still waits.
type Alert struct {
	After    string           `json:"after"`
	Channels []string         `json:"channels"`
	Standing bool             `json:"standing"` // somebody was told, and it is not over
	ToldAt   leadroute.Millis `json:"told_at,omitempty"`
}

func (a *API) queues(*http.Request) answer {
	return answer{http.StatusOK, &Queues{a.queueList("")}}
}

func (a *API) queue(r *http.Request) answer {
	name := leadroute.QueueID(r.PathValue("name"))
	for _, q := range a.queueList(name) {
		if q.Name == name {
			return answer{http.StatusOK, &q}
		}
	}
	return refuse(http.StatusNotFound, "", "no queue of this name is declared, and no lead waits in one", "GET /v1/queues lists them")
}

// queueList is every queue; of the named one with its heads.
func (a *API) queueList(full leadroute.QueueID) []Queue {
	p, now := a.cfg.Plan(), leadroute.At(time.Now())
	rows := map[leadroute.QueueID]*queues.State{}
	a.cfg.Queues(func(key string, s *queues.State) bool {
		if s = s.Lately(now); len(s.Parts) > 0 || p.Queues[leadroute.QueueID(key)] != nil {
			rows[leadroute.QueueID(key)] = s
		}
		return true
	})
	for name := range p.Queues {
		if rows[name] == nil {
			rows[name] = &queues.State{}
		}
	}
	list := []Queue{}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		list = append(list, queueOf(name, p.Queues[name], rows[name], name == full))
	}
	slices.SortStableFunc(list, func(x, y Queue) int {
		return cmp.Compare(map[bool]int{true: 1}[x.Gone], map[bool]int{true: 1}[y.Gone])
	})
	return list
}

func queueOf(name leadroute.QueueID, def *plan.Queue, s *queues.State, full bool) Queue {
	q := Queue{Name: name, Gone: def == nil, Waiting: s.Waiting()}
	if o := s.Oldest(); o != nil {
		q.Oldest = &Waiting{Lead: o.Oldest, Since: o.Since}
	}
	if n := s.Next(); n != nil {
		q.Next = &Waiting{Lead: n.Lead, Deadline: n.Deadline}
	}
	if full {
		for i := range s.Parts {
			if h := s.Parts[i].Next; h != nil {
				q.Heads = append(q.Heads, *h)
			}
		}
		slices.SortFunc(q.Heads, leadroute.Place.Compare)
	}
	if def == nil {
		return q
	}
	q.Description, q.Order, q.CRMID, q.DrainTo, q.Then = def.Description, def.Order, def.CRMID, def.DrainTo, def.Then
	if def.MaxWait > 0 {
		q.MaxWait = span(def.MaxWait)
	}
	if def.AlertAfter > 0 {
		q.Alert = &Alert{After: span(def.AlertAfter), Channels: def.Alert}
		if s.Told != nil && len(s.Parts) > 0 {
			q.Alert.Standing, q.Alert.ToldAt = true, s.Told.At
		}
	}
	return q
}

// span writes a duration as an author does: "30m", not "30m0s".
func span(d time.Duration) string {
	s := d.String()
	if short, ok := strings.CutSuffix(s, "m0s"); ok {
		s = short + "m"
	}
	if short, ok := strings.CutSuffix(s, "h0m"); ok {
		s = short + "h"
	}
	return s
}
