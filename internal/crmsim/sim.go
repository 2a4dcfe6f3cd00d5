// Package crmsim is a CRM to deliver to: it takes signed webhooks, misbehaves at seeded
// rates as real ones do, keeps a record per lead with its owner and revision, and lets
// its reps respond to their leads and close them. It is a witness: it counts what it
// saw, from the wire alone, and never asks the product. What ought to have come is for
// loadgen to know, and for demo to compare.
package crmsim

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-json"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/leadroute/leadroute"
)

// Options of a simulator.
type Options struct {
	// Secret signs the webhooks: "whsec_" and 24 to 64 bytes in base64.
	Secret string
	// Seed decides which requests meet a fault. A request's fate depends on its webhook
	// id and on how often that id came, not on the order of requests.
	Seed   uint64
	Faults Faults
}

// Sim is the simulated CRM. It is safe for concurrent use. It keeps everything in
// memory, for as long as it lives.
type Sim struct {
	hook *standardwebhooks.Webhook
	seed uint64

	mu      sync.Mutex
	faults  Faults
	records map[leadroute.LeadID]*record
	calls   map[string]*call // by webhook id
	persons map[string]int   // records by normalised e-mail address
	caps    map[leadroute.RepID]int
	pools   map[leadroute.PoolID]int
	words   map[string]string
	counts  Counts
	applied func(Applied)
}

// record is the CRM's row of one lead.
type record struct {
	person   string
	priority leadroute.Class
	current  *Applied // the highest revision applied
	history  []*Applied
	firstAck int64
	ownedAck int64
}

// call is what the CRM remembers of one webhook id.
type call struct {
	first *Applied // what it stood for when it was committed first; nil: never
	sum   uint64   // of the data that came with it
	tries uint32
}

// Counts are what the CRM counted since its start.
type Counts struct {
	Requests      int `json:"requests"`
	BadSignatures int `json:"bad_signatures"` // missing, wrong, or more than 5 minutes off
	Malformed     int `json:"malformed"`      // signed, but not a lead with an id and a revision
	Applied       int `json:"applied"`        // created or updated a record
	Repeated      int `json:"repeated"`       // a webhook id that was applied before: acknowledged, no effect
	Stale         int `json:"stale"`          // a revision below the record's: acknowledged, no effect
	// Conflicts are requests that would make one (lead, revision) happen twice: under a
	// second webhook id, or under the same one with another lead, revision or owner.
	Conflicts int `json:"conflicts"`
	// Altered are repeats of a webhook id whose data differ in anything else.
	Altered int `json:"altered"`
	Closed  int `json:"closed"` // by reps

	Throttled int `json:"throttled"` // answered 429
	Failed    int `json:"failed"`    // answered 500
	Hung      int `json:"hung"`      // committed, then not answered
	Dropped   int `json:"dropped"`   // committed, then the connection was dropped
}

// New returns a simulator that listens nowhere yet.
func New(o Options) (*Sim, error) {
	if !strings.HasPrefix(o.Secret, "whsec_") {
		return nil, errors.New(`crm simulator: the signing secret does not begin with "whsec_"`)
	}
	hook, err := standardwebhooks.NewWebhook(o.Secret)
	if err != nil {
		return nil, errors.New("crm simulator: the signing secret is not base64 after its prefix")
	}
	if err := o.Faults.check(); err != nil {
		return nil, fmt.Errorf("crm simulator: %w", err)
	}
	return &Sim{
		hook: hook, seed: o.Seed, faults: o.Faults,
		records: make(map[leadroute.LeadID]*record),
		calls:   make(map[string]*call),
		persons: make(map[string]int),
		words:   make(map[string]string),
	}, nil
}

// SetFaults replaces the rates from now on.
func (s *Sim) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	return nil
}

// SetCaps says how many open leads each rep may have; a rep not named may have any number.
func (s *Sim) SetCaps(caps map[leadroute.RepID]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caps = maps.Clone(caps)
}

// SetPoolCaps says how many open leads that came through a pool each of its reps may
// have; a pool not named sets no limit.
func (s *Sim) SetPoolCaps(caps map[leadroute.PoolID]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools = maps.Clone(caps)
}

// webhook is the body of a delivery, as far as a CRM cares.
type webhook struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

type webhookData struct {
	ID       leadroute.LeadID  `json:"id"`
	Revision int               `json:"revision"`
	Owner    leadroute.RepID   `json:"owner"`
	OwnerCRM string            `json:"owner_crm_id"`
	Priority leadroute.Class   `json:"priority"`
	Queue    leadroute.QueueID `json:"queue"`
	Pool     leadroute.PoolID  `json:"pool"`
	Lead     struct {
		Email string `json:"email"`
	} `json:"lead"`
}

// verdict is what became of one verified request.
type verdict string

const (
	verdictApplied  verdict = "applied"
	verdictRepeated verdict = "repeated"
	verdictStale    verdict = "stale"
	verdictConflict verdict = "conflict"
)

// commit judges one request and applies it if it is news. The caller holds s.mu.
func (s *Sim) commit(id string, c *call, d *webhookData, sum uint64, now int64) verdict {
	a := &Applied{
		Lead: d.ID, WebhookID: id, Revision: d.Revision, At: now,
		Owner: leadroute.RepID(s.word(string(d.Owner))), OwnerCRM: s.word(d.OwnerCRM), Queue: leadroute.QueueID(s.word(string(d.Queue))),
		Pool: leadroute.PoolID(s.word(string(d.Pool))),
	}
	if c.first != nil {
		if !c.first.same(a) {
			s.counts.Conflicts++
			return verdictConflict
		}
		if c.sum != sum {
			s.counts.Altered++
		}
		s.counts.Repeated++
		return verdictRepeated
	}
	c.first, c.sum = a, sum
	r := s.records[d.ID]
	if r == nil {
		r = &record{person: normalise(d.Lead.Email)}
		s.records[d.ID] = r
		if r.person != "" {
			s.persons[r.person]++
		}
	}
	if r.current != nil {
		switch {
		case d.Revision < r.current.Revision:
			s.counts.Stale++
			return verdictStale
		case d.Revision == r.current.Revision && r.current.same(a) && strings.HasPrefix(id, string(d.ID)+"/"+strconv.Itoa(d.Revision)+"/"): // brought anew, after an older one
			s.counts.Repeated++
			return verdictRepeated
		case d.Revision == r.current.Revision:
			s.counts.Conflicts++
			return verdictConflict
		}
		if r.current.End == "" {
			r.current.EndedAt, r.current.End = now, EndSuperseded
		}
	}
	r.current, r.priority = a, leadroute.Class(s.word(string(d.Priority)))
	r.history = append(r.history, a)
	s.counts.Applied++
	if s.applied != nil && a.Owner != "" {
		s.applied(*a)
	}
	return verdictApplied
}

// word keeps one copy of a word that many leads share.
func (s *Sim) word(w string) string {
	if kept, ok := s.words[w]; ok {
		return kept
	}
	s.words[w] = w
	return w
}

// acknowledged notes that the record's current state is about to be answered with 2xx.
// The caller holds s.mu.
func (s *Sim) acknowledged(lead leadroute.LeadID, now int64) {
	r := s.records[lead]
	if r == nil || r.current == nil {
		return
	}
	if r.firstAck == 0 {
		r.firstAck = now
	}
	if r.ownedAck == 0 && r.current.Owner != "" {
		r.ownedAck = now
	}
}

// close marks a revision closed by its rep; false: it is no longer the record's, or was
// closed before.
func (s *Sim) close(lead leadroute.LeadID, revision int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.openLocked(lead, revision) {
		return false
	}
	a := s.records[lead].current
	a.EndedAt, a.End = time.Now().UnixMicro(), EndClosed
	s.counts.Closed++
	return true
}

// open tells whether this revision is the record's and not closed.
func (s *Sim) open(lead leadroute.LeadID, revision int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked(lead, revision)
}

func (s *Sim) openLocked(lead leadroute.LeadID, revision int) bool {
	r := s.records[lead]
	return r != nil && r.current != nil && r.current.Revision == revision && r.current.End == ""
}

// follow calls f with every owned revision: those open now, and each as it is applied.
// f is called under the simulator's lock and must not call it.
func (s *Sim) follow(f func(Applied)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = f
	for _, r := range s.records {
		if r.current != nil && r.current.Owner != "" && r.current.End == "" {
			f(*r.current)
		}
	}
}

func normalise(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
