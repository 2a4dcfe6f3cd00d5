package dsl

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Scenario is a story on a virtual clock: who works, which leads arrive, and where each
// must be at which moment. Times are since Start.
type Scenario struct {
	Name     string
	File     string
	Line     int
	Start    time.Time
	Reps     []Actor
	Arrivals []Arrival
	Responds []Respond
	Claims   []Claim
	Holds    []Hold
	Moments  []Moment
}

// Actor is a rep of a scenario.
type Actor struct {
	Rep    leadroute.Rep
	Status leadroute.RepStatus
}

// Arrival is a lead that comes in.
type Arrival struct {
	Name string
	At   time.Duration
	Lead json.RawMessage // as the door lets it in
}

// Respond is the owner of a lead responding to it.
type Respond struct {
	At   time.Duration
	Lead string // an Arrival's name
}

// Claim is a rep claiming a lead.
type Claim struct {
	At   time.Duration
	Rep  leadroute.RepID
	Lead string // an Arrival's name
}

// Hold is an operator who holds a lead, until a time (0: until it is released), or lets it go on.
type Hold struct {
	At, Until time.Duration
	Lead      string // an Arrival's name
	Over      bool
}

// Moment is what must hold of one lead at one time; a nil member is not checked.
type Moment struct {
	At   time.Duration
	Line int
	Lead string // an Arrival's name
	// Owner is a rep's id, "" for nobody.
	Owner *string
	// Queue is where the lead waits, "" for nowhere.
	Queue *string
	// CRM is whom the primary destination shows as the owner, by the id there; "" for nobody.
	CRM *string
	// Notified are the channels that have been told by then; none of them: nobody was told.
	Notified *[]string
	// DuplicateOf is another Arrival's name, "" for a lead that is nobody's duplicate.
	DuplicateOf *string
	// Reason is why: of the notifications where Notified names some, else of the last move.
	Reason *string
}

// scenario "..." { ... } is played by leadroute test, through the decisions of run.
func scenarioBlock() *blockSpec {
	return &blockSpec{
		name: "scenario", labels: 1, freeName: true,
		attrs: words("start reps"),
		nested: []*blockSpec{
			{name: "arrive", labels: 1, freeName: true, attrs: words("at lead"), required: words("lead")},
			{name: "respond", attrs: words("at lead"), required: words("at")},
			{name: "claim", attrs: words("at rep lead"), required: words("at rep")},
			{name: "hold", attrs: words("at lead until"), required: words("at")},
			{name: "release", attrs: words("at lead"), required: words("at")},
			{name: "expect", attrs: words("at lead owner queue crm notified reason duplicate_of"), required: words("at")},
		},
		build: (*compiler).scenario,
	}
}

func (c *compiler) scenario(b *block) {
	s := Scenario{Name: b.name, File: b.rng.Filename, Line: b.rng.Start.Line, Start: DefaultAt(c.plan.Zone)}
	before := len(c.diags)
	if at, ok := c.instant(b.body, "start"); ok {
		s.Start = at
	}
	s.Reps = c.actors(b.body)
	for _, a := range b.blocks("arrive") {
		lead := c.admissible(c.testLead(a.body), a.body)
		s.Arrivals = append(s.Arrivals, Arrival{Name: a.name, At: c.offset(a.body, "at"), Lead: lead})
	}
	if len(s.Arrivals) == 0 && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "In a scenario a lead arrives: arrive \"the lead\" { lead = { score = 50 } }.")
	}
	for _, r := range b.blocks("respond") {
		s.Responds = append(s.Responds, Respond{At: c.offset(r.body, "at"), Lead: c.arrived(&s, r.body)})
	}
	for _, r := range b.blocks("claim") {
		rep, _ := c.actor(&s, r.body, "rep")
		s.Claims = append(s.Claims, Claim{At: c.offset(r.body, "at"), Rep: leadroute.RepID(rep), Lead: c.arrived(&s, r.body)})
	}
	for _, h := range b.blocks("hold") {
		s.Holds = append(s.Holds, Hold{At: c.offset(h.body, "at"), Lead: c.arrived(&s, h.body), Until: c.offset(h.body, "until")})
	}
	for _, h := range b.blocks("release") {
		s.Holds = append(s.Holds, Hold{At: c.offset(h.body, "at"), Lead: c.arrived(&s, h.body), Over: true})
	}
	for _, e := range b.blocks("expect") {
		s.Moments = append(s.Moments, c.moment(&s, e))
	}
	if len(s.Moments) == 0 && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "A scenario says what must come of it: expect { at = \"1s\", ... } with owner, queue, crm, notified, reason or duplicate_of.")
	}
	slices.SortStableFunc(s.Moments, func(a, b Moment) int { return cmp.Compare(a.At, b.At) })
	if len(c.diags) == before || !c.hasWithin(b.full) {
		c.scenarios = append(c.scenarios, s)
	}
}

// offset reads a time since the start, which may be none: "0s".
func (c *compiler) offset(b body, name string) time.Duration {
	s, ok := c.text(b, name)
	if !ok {
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil || d < 0 {
		c.report(invalidDuration, b.attr(name).Expr.Range(), `%q is no time since the start. Write a number and a unit, such as "0s", "30s" or "3m1s".`, s)
		return 0
	}
	return d
}

// arrived is the name of the lead that a block is about: the only one, or the one it names.
func (c *compiler) arrived(s *Scenario, b body) string {
	names := make([]string, len(s.Arrivals))
	for i, a := range s.Arrivals {
		names[i] = a.Name
	}
	said, ok := c.text(b, "lead")
	switch {
	case ok && !slices.Contains(names, said):
		c.report(unknownReference, b.attr("lead").Expr.Range(), "No lead %q arrives in this scenario.%s", said, didYouMean(said, names, inQuotes))
	case !ok && len(names) > 1:
		c.report(missingAttribute, b.rng, "Several leads arrive in this scenario; say which one is meant: lead = %q.", names[0])
	case !ok && len(names) == 1:
		return names[0]
	}
	return said
}

func (c *compiler) moment(s *Scenario, b *block) Moment {
	m := Moment{At: c.offset(b.body, "at"), Line: b.rng.Start.Line, Lead: c.arrived(s, b.body)}
	if id, ok := c.actor(s, b.body, "owner"); ok {
		m.Owner = &id
	}
	if b.attr("notified") != nil {
		names := c.refs(b.body, "notified", "channel")
		m.Notified = &names
	}
	if r, ok := c.text(b.body, "reason"); ok {
		m.Reason = &r
		c.reason(r, b.attr("reason").Expr.Range())
	}
	c.duplicateOf(s, b, &m)
	c.whereItIs(b, &m)
	if m.Owner == nil && m.Queue == nil && m.CRM == nil && m.Notified == nil && m.Reason == nil && m.DuplicateOf == nil && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "An expect block of a scenario says what must hold: owner, queue, crm, notified, reason or duplicate_of.")
	}
	return m
}

// whereItIs reads the queue in which the lead waits, and whom the CRM shows as its owner.
func (c *compiler) whereItIs(b *block, m *Moment) {
	if k, ok := c.value(b.body, "queue"); ok {
		m.Queue = new(string)
		if k.v != nil {
			*m.Queue, _ = c.blockNamed(k, "queue")
		}
	}
	if k, ok := c.value(b.body, "crm"); ok {
		m.CRM = new(string)
		switch v := k.v.(type) {
		case nil:
		case string:
			*m.CRM = v
		default:
			c.mistyped(k, b.body, "crm", "an owner's id in the CRM, in quotes, or null for nobody")
		}
	}
}

// duplicateOf reads the lead with which the person came first.
func (c *compiler) duplicateOf(s *Scenario, b *block, m *Moment) {
	k, ok := c.value(b.body, "duplicate_of")
	if !ok {
		return
	}
	switch v := k.v.(type) {
	case nil:
		m.DuplicateOf = new(string)
	case string:
		m.DuplicateOf = &v
		names := make([]string, len(s.Arrivals))
		for i, a := range s.Arrivals {
			names[i] = a.Name
		}
		if !slices.Contains(names, v) {
			c.report(unknownReference, k.rng, "No lead %q arrives in this scenario.%s", v, didYouMean(v, names, inQuotes))
		}
	default:
		c.mistyped(k, b.body, "duplicate_of", "the name of a lead that arrives, in quotes, or null for none")
	}
}

// actor reads a rep of the scenario: an id, a reference, or for an owner null, which is "".
func (c *compiler) actor(s *Scenario, b body, name string) (id string, ok bool) {
	k, ok := c.value(b, name)
	if !ok {
		return "", false
	}
	switch v := k.v.(type) {
	case nil:
		if name == "owner" {
			return "", true
		}
	case string:
		c.acts(s, v, k.rng)
		return v, true
	case ref:
		return c.blockNamed(k, "rep")
	}
	if name == "owner" {
		c.mistyped(k, b, name, "a rep's id in quotes, or null for nobody")
	} else {
		c.mistyped(k, b, name, "a rep's id in quotes")
	}
	return "", false
}

// acts reports a rep who is not on the floor.
func (c *compiler) acts(s *Scenario, id string, rng hcl.Range) {
	var names []string
	for i := range s.Reps {
		names = append(names, string(s.Reps[i].Rep.ID))
	}
	names = append(names, c.names("rep")...)
	if !slices.Contains(names, id) {
		c.report(unknownRep, rng, "No rep %q works in this scenario: name them in reps = { %s = {} }.%s", id, id, didYouMean(id, names, inQuotes))
	}
}

// reason reports one that nothing ever gives.
func (c *compiler) reason(r string, rng hcl.Range) {
	known := []string{"accept", "respond_within"}
	if p := c.plan.Dedupe; p != nil && len(p.Notify) > 0 {
		known = append(known, "merged")
	}
	for _, pool := range c.names("pool") {
		if p := c.plan.Pools[leadroute.PoolID(pool)]; p != nil && len(p.Notify) > 0 {
			known = append(known, "claim:"+pool, "claim:"+pool+"/gone")
		}
	}
	for _, class := range c.plan.Classes {
		for _, st := range class.Steps {
			known = append(known, "sla:"+string(class.Name)+"/"+st.Name)
		}
	}
	for _, q := range c.names("queue") {
		if def := c.plan.Queues[leadroute.QueueID(q)]; def != nil && def.AlertAfter > 0 {
			known = append(known, "queue:"+q+"/alert_after")
		}
	}
	if !slices.Contains(known, r) {
		c.report(unknownReason, rng, "Nothing in this policy happens because of %q. The reasons are %s.%s", r, quoteList(known), nearHint(r, known))
	}
}

// actors reads reps = { ana = { region = "EMEA", status = "away" } }.
func (c *compiler) actors(b body) []Actor {
	k, ok := c.value(b, "reps")
	if !ok {
		return nil
	}
	o, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, "reps is an object: reps = { ana = { region = \"EMEA\", status = \"available\" } }.")
		return nil
	}
	var out []Actor
	for _, it := range o.items {
		figures, ok := it.v.(*object)
		if !ok {
			c.report(wrongType, it.rng, "A rep is an object: { region = \"EMEA\", status = \"available\" }.")
			continue
		}
		a := Actor{Status: leadroute.StatusAvailable, Rep: leadroute.Rep{ID: leadroute.RepID(it.key)}}
		if i := slices.IndexFunc(c.plan.Reps, func(r leadroute.Rep) bool { return string(r.ID) == it.key }); i >= 0 {
			a.Rep = c.plan.Reps[i]
		}
		for _, f := range figures.items {
			c.figure(&a, f)
		}
		out = append(out, a)
	}
	return out
}

// figure reads one member of a rep's profile, or a column of the live rep table.
func (c *compiler) figure(a *Actor, f item) {
	text := func() string {
		s, ok := f.v.(string)
		if !ok {
			c.report(wrongType, f.rng, "%s of a rep is a text; this is %s.", f.key, kindOf(f.v))
		}
		return s
	}
	r := &a.Rep
	switch f.key {
	case "status":
		a.Status = leadroute.RepStatus(text())
		if !slices.Contains(statuses, a.Status) {
			c.report(invalidValue, f.rng, `A rep's status is "available", "busy", "away" or "off".`)
		}
	case "name":
		r.Name = text()
	case "email":
		r.Email = text()
	case "crm_id":
		r.CRMID = text()
	case "team":
		r.Team = text()
	case "region":
		r.Region = text()
	case "timezone":
		r.Timezone = text()
		if _, err := time.LoadLocation(r.Timezone); err != nil {
			c.report(invalidValue, f.rng, "There is no time zone %q. Write one such as \"Europe/Berlin\".", r.Timezone)
		}
	case "hours":
		r.Hours, _ = c.blockNamed(f.constant, "hours")
	case "started_on":
		r.StartedOn = text()
		if _, err := time.Parse(time.DateOnly, r.StartedOn); err != nil {
			c.report(invalidDate, f.rng, "%q is no day. Write one such as \"2026-01-14\".", r.StartedOn)
		}
	case "skills":
		r.Skills, _ = c.textList(f.constant, f.key)
	case "languages":
		r.Languages, _ = c.textList(f.constant, f.key)
	case "weight":
		w, ok := f.v.(float64)
		if !ok || w <= 0 {
			c.report(invalidValue, f.rng, "A weight is a number above zero.")
		}
		r.Weight = w
	case "shifts":
		r.Shifts = c.week(f.constant, f.key)
	case "holidays":
		r.Holidays = c.refsIn(f.constant, "calendar")
	case "away":
		r.Away = c.aways(f.constant)
	case "capacity":
		c.actorCaps(r, f)
	default:
		c.repColumn(r, f)
	}
}

func (c *compiler) actorCaps(r *leadroute.Rep, f item) {
	o, ok := f.v.(*object)
	if !ok {
		c.report(wrongType, f.rng, "capacity is an object: { open = 3, per_day = 10 }.")
		return
	}
	members := map[string]*int{"open": &r.Caps.Open, "per_hour": &r.Caps.PerHour, "per_day": &r.Caps.PerDay, "per_week": &r.Caps.PerWeek}
	for _, it := range o.items {
		n, isNumber := it.v.(float64)
		m := members[it.key]
		if m == nil || !isNumber || n < 1 || n != float64(int(n)) {
			c.report(invalidValue, it.keyRng, "capacity has open, per_hour, per_day and per_week, whole numbers from 1.")
			continue
		}
		*m = int(n)
	}
}

// repColumn reads a column of the live rep table: its type is what members_where and
// weight_by take it for.
func (c *compiler) repColumn(r *leadroute.Rep, f item) {
	v := c.plainValue(f.constant)
	use, read := c.repFields[f.key]
	typ := plan.TypeList
	switch v.(type) {
	case nil:
		return
	case string:
		typ = plan.TypeString
	case float64:
		typ = plan.TypeNumber
	case bool:
		typ = plan.TypeBool
	}
	switch {
	case read && use.typ != typ:
		c.report(wrongType, f.rng, "rep.%s is a %s at %s, and a %s here.", f.key, use.typ, at(use.where), typ)
	case !read:
		known := []string{"status", "capacity", "shifts", "holidays", "away"}
		for name := range plan.RepFields {
			known = append(known, name)
		}
		for name := range c.repFields {
			known = append(known, name)
		}
		slices.Sort(known)
		if near := nearest(f.key, known); near != "" {
			c.report(unreadColumn, f.keyRng, "Nothing in this policy reads rep.%s. Did you mean %q?", f.key, near)
		}
	}
	if r.Attrs == nil {
		r.Attrs = map[string]any{}
	}
	r.Attrs[f.key] = v
}

var statuses = []leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusBusy, leadroute.StatusAway, leadroute.StatusOff}
