package plan

import (
	"time"

	"github.com/leadroute/leadroute"
)

// Destination is where assigned leads are delivered.
type Destination struct {
	Name    leadroute.DestinationID
	Primary bool     // its acknowledgement is what the SLA counts
	Webhook *Webhook // nil: Other
	Other   *Other   // nil: Webhook
	// Shape is how a delivery is written; nil: as the connector writes it by itself.
	Shape       *Shape
	When        Cond          // over the lead; which leads are delivered there
	Attempts    int           // at most, from 1; DefaultAttempts if the policy does not say
	BackoffMin  time.Duration // the first retry's upper bound; doubles per attempt
	BackoffMax  time.Duration // the cap of the doubling
	OnStatus    []StatusRange // the answers that are tried again; nil: the connector's own choice
	RatePerSec  float64       // 0: unlimited
	Concurrency int           // attempts in flight at once; DefaultConcurrency if the policy does not say
	Timeout     time.Duration // of one attempt
	CostPerCall float64       // in the policy's currency unit
	Batch       *Batch        // nil: one lead a call
	Breaker     *Breaker      // nil: none
	Alternate   *Alternate    // while the breaker is open; nil: none
}

// Defaults of a destination.
const (
	DefaultAttempts    = 8
	DefaultBackoffMin  = 500 * time.Millisecond
	DefaultBackoffMax  = time.Minute
	DefaultConcurrency = 16
	DefaultTimeout     = 15 * time.Second
)

// Webhook is a destination that takes a signed request.
type Webhook struct {
	URL  Secret
	Sign string // "standard-webhooks" or empty
	Key  Secret // whsec_...
}

// Other is a destination of another kind, with its settings by attribute.
type Other struct {
	Kind     string // salesforce, hubspot, dynamics, zoho or kafka
	Settings map[string]Secret
}

// StatusRange are the HTTP statuses from From to Until, both included.
type StatusRange struct{ From, Until int }

// Retries tells whether the policy wants an answer of that status tried again; said is
// false where it leaves that to the connector.
func (d *Destination) Retries(status int) (retry, said bool) {
	for _, r := range d.OnStatus {
		if r.From <= status && status <= r.Until {
			return true, true
		}
	}
	return false, d.OnStatus != nil
}

// Batch gathers deliveries into one call.
type Batch struct {
	Max     int
	MaxWait time.Duration
	Skip    []leadroute.Class // never wait for a batch
}

// Breaker stops calling a destination that keeps failing.
type Breaker struct {
	OpenAfter int           // failures one after the other
	Probe     time.Duration // how often an open breaker tries one call
}

// Alternate takes what the destination cannot: exactly one of the two is set.
type Alternate struct {
	Destination leadroute.DestinationID
	Channel     string
}
