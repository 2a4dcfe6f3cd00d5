package dsl

// What dsl/analyze finds.
var (
	UnreachableRule = unreachableRule
	PossibleGap     = possibleGap
	UnreachablePart = unreachablePart

	ImpossibleCondition = Finding{ID: "LR090", Slug: "impossible-condition", Summary: "Condition that never holds", Warning: true}
	InvariantRefuted    = Finding{ID: "LR091", Slug: "invariant-refuted", Summary: "Invariant does not hold", Warning: true}
	NobodyThere         = Finding{ID: "LR092", Slug: "nobody-there", Summary: "Nobody is there in time", Warning: true}
	ClockRunsOn         = Finding{ID: "LR093", Slug: "clock-runs-on", Summary: "The response clock runs while nobody is there", Warning: true}
	NeverOpen           = Finding{ID: "LR094", Slug: "never-open", Summary: "Pool that is never open", Warning: true}
	NeverDrained        = Finding{ID: "LR095", Slug: "never-drained", Summary: "Queue that nobody empties", Warning: true}
	InvariantBroken     = Finding{ID: "LR096", Slug: "invariant-broken", Summary: "Invariant does not hold, and blocks", Warning: false}
)
