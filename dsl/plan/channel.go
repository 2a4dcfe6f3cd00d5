package plan

import "github.com/leadroute/leadroute"

// Channel is where people are told: by each of its ways.
type Channel struct {
	Name string
	Ways []Way
}

// Way is one way of a channel.
type Way struct {
	Kind string // slack, email, sms, pager or webhook
	// URL is where it is sent, of slack and pager; empty where To says who.
	URL Secret
	// To is the address or handle of the rep who is told; nil: Everybody.
	To func(*leadroute.Rep) string
	// Everybody are fixed addresses, whoever has the lead.
	Everybody []string
	Webhook   *Webhook // of kind webhook
	Shape     *Shape   // of kind webhook; nil: as it is
	When      Cond     // over the lead with its priority and territory decided
	// Words are the policy's own; nil: the usual ones.
	Words    *Wording
	Severity string // of kind pager: critical, error, warning or info; empty: error
	// Resolve, of kind pager: a lead has one incident, which ends when the rep acts.
	Resolve bool
	// RatePerSec bounds what is sent this way; 0: as the service likes it.
	RatePerSec float64
}

// Resolves tells whether some way of the channel wants to hear when the rep acts. A nil
// channel has no way.
func (c *Channel) Resolves() bool {
	for i := 0; c != nil && i < len(c.Ways); i++ {
		if c.Ways[i].Resolve {
			return true
		}
	}
	return false
}

// Applies tells whether a lead, as delivered, is told by this way; p is the way's plan.
func (w *Way) Applies(p *Plan, d *leadroute.Delivery) bool {
	if w.When.Always() {
		return true
	}
	r, err := p.Record(&leadroute.Lead{ID: d.Lead, Source: d.Source, EmittedAt: d.EmittedAt, ReceivedAt: d.ReceivedAt, Fields: d.Fields}, nil)
	if err != nil {
		return false
	}
	defer r.Free()
	r.decided(DecidedPriority, string(d.Class))
	r.decided(DecidedTerritory, d.Territory)
	return w.When.Holds(r)
}

// Channel returns the channel of that name, or nil.
func (p *Plan) Channel(name string) *Channel {
	for i := range p.Channels {
		if p.Channels[i].Name == name {
			return &p.Channels[i]
		}
	}
	return nil
}

// The ways.
const (
	WaySlack   = "slack"
	WayEmail   = "email"
	WaySMS     = "sms"
	WayPager   = "pager"
	WayWebhook = "webhook"
)
