package dsl

// blockSpecs lists every block of the language, in the order in which they are built:
// what conditions read stands before what has conditions.
func blockSpecs() []*blockSpec {
	return []*blockSpec{
		variableBlock(),
		localsBlock(),
		policyBlock(),
		tableBlock(),
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
		overrideBlock(),
		ruleBlock(),
		rulesFromBlock(),
		invariantBlock(),
		destinationBlock(),
		sourceBlock(),
		dedupeBlock(),
		enrichBlock(),
		retentionBlock(),
		rolloutBlock(),
		alertBlock(),
		testBlock(),
		scenarioBlock(),
	}
}

// later is a block of the language that this version does not run.
func later(name string) *blockSpec { return &blockSpec{name: name, later: true} }
