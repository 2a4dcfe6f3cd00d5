package leadroute

import "strings"

// Topic is a topic's logical name; Namespace turns it into the name on the broker.
type Topic string

// The fixed topics. Tables are Goka's: "<prefix>.<stage>-table", compacted.
const (
	TopicLedger        Topic = "ledger"        // LedgerMessage by lead id
	TopicPools         Topic = "pools"         // PoolMessage by pool
	TopicReps          Topic = "reps"          // RepMessage by rep id
	TopicAccounts      Topic = "accounts"      // AccountMessage by domain
	TopicIdentities    Topic = "identities"    // IdentityMessage by identity
	TopicQueues        Topic = "queues"        // QueueMessage by queue
	TopicDepartures    Topic = "departures"    // Departure by lead id; co-partitioned with the inboxes
	TopicNotifications Topic = "notifications" // Notification by lead id
	TopicReplies       Topic = "replies"       // Reply by RepAction.Reply or Bid.Reply
	TopicTimers        Topic = "timers"        // Timer by Timer.Key; compacted
	TopicEvents        Topic = "events"        // LatencyEvent by lead id
	TopicDeadLetters   Topic = "dead-letters"  // DeadLetter by lead id
	TopicPolicies      Topic = "policies"      // PolicyRecord; one partition, kept for ever
)

// The feeds: topics that other systems write, by any key.
const (
	TopicRepEvents     Topic = "rep-events"
	TopicAccountEvents Topic = "account-events"
	TopicResponses     Topic = "responses"
)

// Inbox is the door's topic for one class: Lead by lead id.
func Inbox(c Class) Topic { return Topic("inbox." + string(c)) }

// Deliveries is the topic of one destination's attempts for one class: Delivery by lead id.
func Deliveries(d DestinationID, c Class) Topic {
	return Topic("deliveries." + string(d) + "." + string(c))
}

// Stages are the stateful stages; each has an inbox of its name and a table.
var Stages = []Topic{TopicLedger, TopicPools, TopicReps, TopicAccounts, TopicIdentities, TopicQueues}

// Namespace is the prefix of all topics and consumer groups of one deployment, "leadroute" by default.
type Namespace string

// Topic returns t's name on the broker.
func (n Namespace) Topic(t Topic) string { return n.prefix() + string(t) }

// Group returns a consumer group's name. A stateful stage's group is Group(string(stage)).
func (n Namespace) Group(name string) string { return n.prefix() + name }

// Table returns the name of a stateful stage's changelog, as Goka derives it from the group.
func (n Namespace) Table(stage Topic) string { return n.Group(string(stage)) + "-table" }

// Logical is the inverse of Topic; ok is false for a topic of another namespace.
func (n Namespace) Logical(name string) (t Topic, ok bool) {
	s, ok := strings.CutPrefix(name, n.prefix())
	return Topic(s), ok
}

func (n Namespace) prefix() string {
	if n == "" {
		return "leadroute."
	}
	return string(n) + "."
}
