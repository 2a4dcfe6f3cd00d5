package leadroute

// TimerKind says what a timer is for.
type TimerKind string

// The timers of a lead.
const (
	TimerRetry  TimerKind = "retry"  // Name is the destination, N the attempt that is due
	TimerWake   TimerKind = "wake"   // Name is the queue; has no due time: the clock offers a queue's head at every tick
	TimerStep   TimerKind = "step"   // Name is the SLA step, N counts its firings
	TimerExpire TimerKind = "expire" // the lead's maximum age
	TimerAccept TimerKind = "accept" // the target's accept: the rep has not responded
	TimerAnswer TimerKind = "answer" // the class's respond_within
	TimerClaim  TimerKind = "claim"  // Name is the pool in which the lead is open to claim until Due, N the try
	TimerHold   TimerKind = "hold"   // an operator's hold is over
)

// Timer is a row of the compacted timers topic, keyed by Key; a tombstone cancels it.
// A due timer fires again and again (with back-off) until it is cancelled or replaced.
type Timer struct {
	Lead LeadID    `json:"lead"`
	Kind TimerKind `json:"kind"`
	Name string    `json:"name,omitempty"`
	Rev  int       `json:"rev"`
	N    int       `json:"n,omitempty"`
	Due  Millis    `json:"due,omitempty"`
	// Deadline orders the leads that wait in one queue, earliest first; Rank, and Order in its
	// stead, where the queue goes by priority or arrival: see Place.
	Deadline Millis `json:"deadline,omitempty"`
	Rank     int    `json:"rank,omitempty"`
	Order    Millis `json:"order,omitempty"`
	// Since is when the lead began to wait in the queue.
	Since Millis `json:"since,omitempty"`
}

// Place is where a waiting lead stands.
func (t *Timer) Place() Place {
	return Place{Lead: t.Lead, Queue: QueueID(t.Name), Rank: t.Rank, Order: t.Order, Deadline: t.Deadline}
}

// Key is "lead/kind/name": one lead has at most one timer of a kind and name.
func (t *Timer) Key() string { return string(t.Lead) + "/" + string(t.Kind) + "/" + t.Name }
