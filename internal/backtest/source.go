package backtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Lead is a lead as it was recorded, with what became of it then where that is known.
type Lead struct {
	leadroute.Lead
	AssignedTo leadroute.RepID
	AssignedAt leadroute.Millis // 0: not known
	Rule       string
	// Account is the one that the lead's decision saw; nil: none.
	Account *leadroute.Account
}

// Logged is a lead of the decision log.
func Logged(e *leadroute.LatencyEvent) (Lead, error) {
	l := Lead{Rule: e.Rule}
	l.ID, l.Source, l.EmittedAt, l.ReceivedAt, l.Fields = e.Lead, e.Source, e.EmittedAt, e.ReceivedAt, e.Decision.Fields
	if len(e.Decision.Seen) > 0 {
		seen, err := leadroute.Decode[plan.Snapshot](e.Decision.Seen)
		if err != nil {
			return l, fmt.Errorf("what the decision about lead %s read: %w", e.Lead, err)
		}
		l.Account = seen.Account
	}
	return l, nil
}

// Source yields recorded leads, in any order, and io.EOF at the end.
type Source interface {
	Next() (Lead, error)
}

// Lines reads leads from JSON objects: lead fields, with id, received_at and, where they
// are known, assigned_to, assigned_at and rule. next yields one object at a time, and io.EOF at the end.
func Lines(next func() (json.RawMessage, error)) Source { return &lines{next: next} }

type lines struct {
	next    func() (json.RawMessage, error)
	read    int
	batch   []parsed
	at      int
	over    error
	skipped int
	why     string
}

type parsed struct {
	lead Lead
	err  error
}

// Skipped counts the lines that are no lead, and says what the first one lacks.
func (s *lines) Skipped() (int, string) { return s.skipped, s.why }

// Next skips what is no lead, and counts it.
func (s *lines) Next() (Lead, error) {
	for {
		for ; s.at < len(s.batch); s.at++ {
			p := &s.batch[s.at]
			if p.err == nil {
				s.at++
				return p.lead, nil
			}
			s.skipped++
			if s.why == "" {
				s.why = fmt.Sprintf("lead %d of the file: %s", s.read-len(s.batch)+s.at+1, p.err)
			}
		}
		if s.over != nil {
			return Lead{}, s.over
		}
		s.fill()
	}
}

// fill reads some lines and parses them on all processors.
func (s *lines) fill() {
	const size = 8 * batchSize
	raws := make([]json.RawMessage, 0, size)
	for len(raws) < size && s.over == nil {
		raw, err := s.next()
		if err != nil {
			s.over = err
			break
		}
		raws = append(raws, raw)
	}
	s.batch, s.at = make([]parsed, len(raws)), 0
	s.read += len(raws)
	var wg sync.WaitGroup
	part := len(raws)/runtime.GOMAXPROCS(0) + 1
	for from := 0; from < len(raws); from += part {
		wg.Go(func() {
			for i := from; i < min(from+part, len(raws)); i++ {
				s.batch[i].lead, s.batch[i].err = parse(raws[i])
			}
		})
	}
	wg.Wait()
}

func parse(raw json.RawMessage) (Lead, error) {
	var e struct {
		ID         leadroute.LeadID   `json:"id"`
		Source     leadroute.SourceID `json:"source"`
		ReceivedAt json.RawMessage    `json:"received_at"`
		EmittedAt  json.RawMessage    `json:"emitted_at"`
		AssignedTo leadroute.RepID    `json:"assigned_to"`
		AssignedAt json.RawMessage    `json:"assigned_at"`
		Rule       string             `json:"rule"`
	}
	if raw == nil {
		return Lead{}, errors.New("it is too long for a lead")
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return Lead{}, fmt.Errorf("it is no lead: %w", err)
	}
	l := Lead{AssignedTo: e.AssignedTo, Rule: e.Rule}
	l.ID, l.Source, l.Fields = e.ID, e.Source, raw
	var err error
	if l.ReceivedAt, err = instant(e.ReceivedAt); err != nil {
		return Lead{}, fmt.Errorf("received_at: %w", err)
	}
	if l.EmittedAt, err = instant(e.EmittedAt); err != nil {
		return Lead{}, fmt.Errorf("emitted_at: %w", err)
	}
	if l.AssignedAt, err = instant(e.AssignedAt); err != nil {
		return Lead{}, fmt.Errorf("assigned_at: %w", err)
	}
	if l.ReceivedAt == 0 {
		l.ReceivedAt = l.EmittedAt
	}
	if l.ReceivedAt == 0 {
		return Lead{}, errors.New(`it has no received_at; write one such as "2026-01-14T10:00:00Z"`)
	}
	return l, nil
}

func instant(raw json.RawMessage) (leadroute.Millis, error) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return 0, nil
	}
	var t time.Time
	if err := json.Unmarshal(raw, &t); err != nil {
		return 0, errors.New(`write a time such as "2026-01-14T10:00:00Z"`)
	}
	return leadroute.At(t), nil
}
