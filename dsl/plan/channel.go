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
}

// The ways.
const (
	WaySlack   = "slack"
	WayEmail   = "email"
	WaySMS     = "sms"
	WayPager   = "pager"
	WayWebhook = "webhook"
)
