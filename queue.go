package leadroute

// QueueAlert says how a queue stood when its oldest lead had waited for too long.
type QueueAlert struct {
	Queue   QueueID `json:"queue"`
	Waiting int     `json:"waiting"`
	Since   Millis  `json:"since"` // when the oldest lead began to wait
	// After is how long that may be, in milliseconds.
	After int64 `json:"after_ms"`
}

// QueueMessage is one message in the queues' inbox, keyed by queue.
type QueueMessage struct {
	Seen *QueueSeen `json:"seen,omitempty"`
}

// QueueSeen is what the clock of one partition sees of a queue, said again and again while
// leads wait there, and once when none does any more.
type QueueSeen struct {
	Partition int32  `json:"partition"`
	Waiting   int    `json:"waiting"`
	Since     Millis `json:"since,omitempty"` // when the oldest lead began to wait
	Oldest    LeadID `json:"oldest,omitempty"`
	Rev       int    `json:"rev,omitempty"`  // of the oldest
	Next      *Place `json:"next,omitempty"` // who is offered first
	At        Millis `json:"at,omitempty"`   // by the clock that saw it
}
