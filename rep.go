package leadroute

// RepStatus is what a rep says of themselves.
type RepStatus string

// The rep statuses; only StatusAvailable takes leads.
const (
	StatusAvailable RepStatus = "available"
	StatusBusy      RepStatus = "busy"
	StatusAway      RepStatus = "away"
	StatusOff       RepStatus = "off"
)

// DefaultOpenCap is the open cap of a rep without any cap, so that the table value stays bounded.
const DefaultOpenCap = 200

// Caps bound what one rep holds; 0 is "no such cap" (but see DefaultOpenCap).
type Caps struct {
	Open    int `json:"open,omitempty"`     // held claims at once
	PerHour int `json:"per_hour,omitempty"` // rolling
	PerDay  int `json:"per_day,omitempty"`  // calendar day in the rep's time zone
	PerWeek int `json:"per_week,omitempty"` // ISO week in the rep's time zone
}

// Rep is a rep's profile: what the HR feed or the policy says, not what the rep holds now.
type Rep struct {
	ID        RepID    `json:"id"`
	Email     string   `json:"email,omitempty"`
	CRMID     string   `json:"crm_id,omitempty"` // the owner id in the CRM; empty: the rep id is sent
	Name      string   `json:"name,omitempty"`
	Team      string   `json:"team,omitempty"`
	Region    string   `json:"region,omitempty"`
	Timezone  string   `json:"timezone,omitempty"` // IANA; empty: that of Hours, else UTC
	Hours     string   `json:"hours,omitempty"`    // name of an hours block; empty: always
	Skills    []string `json:"skills,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Weight    float64  `json:"weight,omitempty"` // for strategy weighted; 0 is 1
	// StartedOn is the day on which the rep joined, "2026-01-14": a pool's ramp counts from it.
	// Empty: long ago.
	StartedOn string `json:"started_on,omitempty"`
	Caps      Caps   `json:"caps,omitzero"`
	// Cost is how many of the places of Caps.Open one lead of a class takes; a class that is not
	// named takes one.
	Cost map[Class]int `json:"cost,omitempty"`
	// Shifts are the rep's own working hours in the rep's own time zone, beside Hours: where both
	// are there, both must be open. Empty: always.
	Shifts   Shifts   `json:"shifts,omitzero"`
	Holidays []string `json:"holidays,omitempty"` // names of the policy's calendars: days off, in the rep's own time zone
	Away     []Away   `json:"away,omitempty"`     // times out of the office; events may add others
	// Attrs are the further columns of the rep table that members_where may read:
	// strings, numbers, booleans, lists of strings.
	Attrs map[string]any `json:"attrs,omitempty"`
}

// CostOf is how many of the rep's own places a lead of the class takes.
func (r *Rep) CostOf(c Class) int { return max(r.Cost[c], 1) }

// RepMessage is one message in the reps' inbox, keyed by rep id. Exactly one member is set.
type RepMessage struct {
	Claim   *Claim     `json:"claim,omitempty"`
	Release *Release   `json:"release,omitempty"`
	Confirm *Confirm   `json:"confirm,omitempty"`
	Profile *Rep       `json:"profile,omitempty"`
	Status  *RepStatus `json:"status,omitempty"`
	// Until goes with a Status: from then on the rep is available again; 0: until told otherwise.
	Until  Millis      `json:"until,omitempty"`
	Remove *RepRemoval `json:"remove,omitempty"`
	Check  *Check      `json:"check,omitempty"`
	Pause  *Pause      `json:"pause,omitempty"`
	// SaidAt, of a Status, is when the rep had it by the clock of who says so: a status of
	// before the one in the row changes nothing. 0: when the message came.
	SaidAt Millis   `json:"said_at,omitempty"`
	Away   *RepAway `json:"away,omitempty"`
}

// RepAway changes when a rep is out of the office.
type RepAway struct {
	// Add are times that are new, or take the place of those that began at the same moment.
	Add []Away `json:"add,omitempty"`
	// Back ends what began by then, those of the profile included; 0: nothing ends.
	Back Millis `json:"back,omitempty"`
	// All takes what comes later back, too, as far as events said it.
	All bool `json:"all,omitempty"`
}

// Pause keeps leads from a rep for a while: an SLA step took one away.
type Pause struct {
	Until Millis `json:"until"`
}

// Release gives a claim back. Counted is true when the CRM had acknowledged the
// claim's revision, so that it still counts against per_hour, per_day and per_week.
type Release struct {
	Claim   ClaimID `json:"claim"`
	Counted bool    `json:"counted,omitempty"`
}

// Confirm is the ledger's word that it has committed this claim: a rep that does not
// hold it (a zombie's late write lost it) holds it again.
type Confirm struct {
	Claim Claim `json:"claim"`
}

// RepRemoval takes a rep out of the table; the leads on the desk move on.
type RepRemoval struct {
	Reason string `json:"reason,omitempty"`
	// Keep lets the rep finish what is on the desk: no lead comes, none moves on, and the row goes
	// with the last one.
	Keep bool `json:"keep,omitempty"`
	// At names the removal in the events; 0: none is told.
	At Millis `json:"at,omitempty"`
}
