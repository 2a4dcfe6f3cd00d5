package plan

import (
	"time"

	"github.com/leadroute/leadroute"
)

// Source is one who may send leads in.
type Source struct {
	Name        leadroute.SourceID
	Keys        []Secret
	RatePerSec  float64  // 0: unlimited
	Require     []string // fields without which its leads are refused
	TrustHint   bool     // its priority_hint counts
	CostPerLead float64
	Description string
}

// Dedupe says when a lead is one that came before.
type Dedupe struct {
	By     []string // fields, all of them texts; one that agrees is enough
	Within time.Duration
	Then   DedupeThen
	Notify []string // channels that are told of a lead that was merged into another
	// Layout lays out these fields and the lead's country.
	Layout *Layout
}

// CountryField is the field from which a phone number without a country takes its own.
const CountryField = "country"

// NewDedupe makes the rule; the fields are texts.
func NewDedupe(by []string, within time.Duration, then DedupeThen) *Dedupe {
	d := &Dedupe{By: by, Within: within, Then: then, Layout: NewLayout()}
	d.Layout.Slot(CountryField, TypeString)
	for _, field := range by {
		d.Layout.Slot(field, TypeString)
	}
	return d
}

// Slides tells whether a person is remembered from the latest lead on: one who is dropped
// must not be dropped for ever by asking again and again.
func (d *Dedupe) Slides() bool { return d.Then != Drop }

// DedupeThen says what becomes of a duplicate.
type DedupeThen string

// What becomes of a duplicate.
const (
	SameOwner  DedupeThen = "same_owner"
	Drop       DedupeThen = "drop"
	MergeEvent DedupeThen = "merge_event"
)

// Retention says how long things are kept; zero: the product's own default.
type Retention struct{ Leads, Events, Raw, DeadLetters time.Duration }

// Rollout says how a change of the policy goes live.
type Rollout struct {
	Mode    RolloutMode
	By      Text // what a lead is picked by; its id where the policy does not say
	Percent float64
	Hold    time.Duration // how long the canary runs before it is the policy
	Abort   AbortWhen
}

// RolloutMode is how a change goes live.
type RolloutMode string

// The modes of a rollout.
const (
	RolloutAll    RolloutMode = "all"
	RolloutCanary RolloutMode = "canary"
	RolloutShadow RolloutMode = "shadow"
)

// AbortWhen are the shares of leads above which a rollout is taken back; nil: never for that.
type AbortWhen struct{ SLAMissedAbove, UnassignedAbove, MovedLeadsAbove *float64 }

// Picks reports whether the change decides this lead; salt is the change's own, such as its plan's id.
func (o *Rollout) Picks(r *Record, salt string) bool {
	by := o.By.Of(r)
	return by != "" && Share(salt, by)*100 < o.Percent
}
