package plan

import "time"

// OnMissing is what becomes of a condition that a missing field leaves undecided.
type OnMissing string

// The two ways; the zero value is NoMatch.
const (
	NoMatch      OnMissing = "no_match"
	MissingFails OnMissing = "error"
)

// Limits bound what a policy may cost; 0 is no limit.
type Limits struct {
	MaxRules   int           // checked when the policy is loaded
	MaxEnrich  time.Duration // all enrichment of one lead together
	DecideSlow time.Duration // a decision that takes longer is told
}
