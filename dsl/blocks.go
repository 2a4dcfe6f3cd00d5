package dsl

// blockSpecs lists every block of the language, in the order in which they are built:
// what conditions read stands before what has conditions.
func blockSpecs() []*blockSpec {
	return []*blockSpec{
		policyBlock(),
		localsBlock(),
		accountMatchBlock(),
		schemaBlock(),
		hoursBlock(),
		repBlock(),
		poolBlock(),
		channelBlock(),
		priorityBlock(),
		territoryBlock(),
		queueBlock(),
		ruleBlock(),
		destinationBlock(),
		testBlock(),
		scenarioBlock(),

		later("variable"),
		later("source"),
		later("table"),
		later("dedupe"),
		later("enrich"),
		later("override"),
		later("calendar"),
		later("rules_from"),
		later("alert"),
		later("retention"),
		later("rollout"),
		later("invariant"),
	}
}

// later is a block of the language that this version does not run.
func later(name string) *blockSpec { return &blockSpec{name: name, later: true} }
