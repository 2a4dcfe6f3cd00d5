package dsl

// blockSpecs lists every block of the language, in the order in which they are built:
// what conditions read stands before what has conditions.
func blockSpecs() []*blockSpec {
	return []*blockSpec{
		policyBlock(),
		localsBlock(),
		accountMatchBlock(),
		schemaBlock(),
		calendarBlock(),
		hoursBlock(),
		repBlock(),
		poolBlock(),
		channelBlock(),
		priorityBlock(),
		territoryBlock(),
		queueBlock(),
		ruleBlock(),
		destinationBlock(),
		alertBlock(),
		testBlock(),

		later("variable"),
		later("source"),
		later("table"),
		later("dedupe"),
		later("enrich"),
		later("override"),
		later("rules_from"),
		later("retention"),
		later("rollout"),
		later("invariant"),
		later("scenario"),
	}
}

// later is a block of the language that this version does not run.
func later(name string) *blockSpec { return &blockSpec{name: name, later: true} }
