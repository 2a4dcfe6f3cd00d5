package gateway

import (
	"bytes"
	"fmt"
	"time"

	"github.com/leadroute/leadroute"
)

// record is one posted lead on its way through the door.
type record struct {
	lead     leadroute.Lead
	class    leadroute.Class
	slot     int // index of the class among those that have an inbox
	problems []Problem
	flight   *flight  // nil: taken before, or rejected
	seen     sighting // what the window said
}

// examine turns one posted JSON object into a lead with an id and a class, or into
// problems. raw has passed syntax. An error is a fault of ours.
func (g *Gateway) examine(raw []byte, src leadroute.SourceID, receipt string, at time.Time, chk Checker) (record, error) {
	raw = bytes.TrimSpace(raw)
	rec := record{lead: leadroute.Lead{Source: src, Receipt: receipt, ReceivedAt: leadroute.At(at)}}
	reject := func(code, pointer, message, remedy string) {
		rec.problems = append(rec.problems, Problem{code, pointer, message, remedy})
	}
	if len(raw) > g.cfg.MaxRecord {
		reject(codeTooLarge, "", fmt.Sprintf("the lead is larger than %d bytes", g.cfg.MaxRecord), "send a smaller lead")
		return rec, nil
	}
	if len(raw) == 0 || raw[0] != '{' {
		reject(codeType, "", "a lead must be a JSON object", "send one object; arrays and NDJSON go to /v1/leads/batch")
		return rec, nil
	}

	var env envelope
	if depth := members(raw, env.take); depth > maxDepth {
		reject(codeType, "", fmt.Sprintf("the lead nests deeper than %d levels", maxDepth), "flatten it")
		return rec, nil
	}
	rec.problems = env.problems
	if env.id != nil {
		rec.lead.ID = env.leadID(reject)
	}
	if env.emittedAt != nil {
		rec.lead.EmittedAt = env.emitted(reject, at.Add(g.cfg.FutureLimit), g.cfg.FutureLimit)
	}

	fields, problems, err := chk.Check(raw)
	if err != nil {
		return rec, fmt.Errorf("check a lead against plan %s: %w", chk.PlanID(), err)
	}
	if len(problems) > 0 {
		rec.problems = g.schemas.explain(append(rec.problems, problems...), raw, chk)
	}
	if fields == nil {
		fields = raw
	}
	rec.lead.Fields = fields

	if rec.lead.ID == "" && env.id == nil {
		id, ok := deriveID(g.cfg.IDKey, src, env.identity)
		if !ok && len(rec.problems) == 0 {
			reject(codeIdentity, "", "the lead has neither an id nor an e-mail, a domain or a phone",
				`send "email", "domain" or "phone", or an "id" of your own`)
		}
		rec.lead.ID = id
	}
	if len(rec.problems) > 0 {
		return rec, nil
	}
	rec.lead.Identities = chk.Identities(g.cfg.IDKey, &rec.lead)
	rec.class, _ = chk.ClassOf(&rec.lead, at)
	rec.slot = g.load.slot(rec.class)
	return rec, nil
}

// envelope is what the door itself reads of a lead.
type envelope struct {
	id, emittedAt []byte // raw values, nil: absent
	identity
	seen     uint8
	problems []Problem
}

func (e *envelope) take(key, value []byte) {
	var field *string
	var bit uint8
	switch string(key) {
	case "id":
		bit = 1
		if string(value) != "null" && string(value) != `""` {
			e.id = value
		}
	case "emitted_at":
		bit = 2
		if string(value) != "null" && string(value) != `""` {
			e.emittedAt = value
		}
	case "email":
		bit, field = 4, &e.email
	case "domain":
		bit, field = 8, &e.domain
	case "email_domain":
		bit = 16
		if e.seen&8 == 0 { // "domain" is the better word
			field = &e.domain
		}
	case "phone":
		bit, field = 32, &e.phone
	default:
		return
	}
	if e.seen&bit != 0 {
		e.problems = append(e.problems, Problem{codeTwice, "/" + string(key), "the member stands twice in the lead", "send it once"})
		return
	}
	e.seen |= bit
	if field == nil || string(value) == "null" {
		return
	}
	s, ok := text(value)
	if !ok {
		e.problems = append(e.problems, Problem{codeSchema, "/" + string(key), "must be a string", "send it in quotes, or leave it out"})
		return
	}
	*field = s
}

type rejecter func(code, pointer, message, remedy string)

func (e *envelope) leadID(reject rejecter) leadroute.LeadID {
	if s, ok := text(e.id); ok && validID(s) {
		return leadroute.LeadID(s)
	}
	reject(codeID, "/id", "an id is a string of 1 to 64 characters of A-Z a-z 0-9 _ -",
		"send such an id without personal data in it, or none: one is derived from e-mail, domain and source")
	return ""
}

func (e *envelope) emitted(reject rejecter, latest time.Time, limit time.Duration) leadroute.Millis {
	s, ok := text(e.emittedAt)
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case !ok || err != nil:
		reject(codeEmittedAt, "/emitted_at", "must be an RFC 3339 time with a zone", `send it like "2026-01-14T10:00:00Z", or leave it out`)
	case t.Year() < 1970:
		reject(codeEmittedAt, "/emitted_at", "lies before 1970", "set the sender's clock, or leave it out")
	case t.After(latest):
		reject(codeEmittedAt, "/emitted_at", fmt.Sprintf("lies more than %s in the future", limit), "set the sender's clock, or leave it out")
	default:
		return leadroute.At(t)
	}
	return 0
}
