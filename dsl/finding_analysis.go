package dsl

// What dsl/analyze finds.
var (
	UnreachableRule = unreachableRule
	PossibleGap     = possibleGap
	UnreachablePart = unreachablePart

	ImpossibleCondition = Finding{
		ID: "LR090", Slug: "impossible-condition", Summary: "Condition that never holds", Warning: true,
		Explain: `No lead can ever meet the condition: two of its parts contradict each other, or a value lies outside of what the schema allows. What stands behind it never happens.`,
		Bad:     `when = lead.region == "EMEA" && lead.region == "APAC"`,
		Good:    `when = one_of(lead.region, ["EMEA", "APAC"])`,
	}
	InvariantRefuted = Finding{
		ID: "LR091", Slug: "invariant-refuted", Summary: "Invariant does not hold", Warning: true,
		Explain: `There is a lead, shown with the finding, for which the invariant is not true. Mend the rules, or the invariant if it promises too much.`,
		Bad:     `expect = assigned.pool != pool.inside_sales`,
		Good:    `add a rule for customers ahead of the one that sends them there`,
	}
	NobodyThere = Finding{
		ID: "LR092", Slug: "nobody-there", Summary: "Nobody is there in time", Warning: true,
		Explain: `For some hours of the year nobody of the pools that serve these leads is on shift for longer than the class may wait, so that leads which arrive then miss their SLA. Holidays and clock changes count.`,
		Bad:     `hours = hours.weekdays # and priority P0 promises one minute at any hour`,
		Good:    `hours = hours.follow_the_sun`,
	}
	ClockRunsOn = Finding{
		ID: "LR093", Slug: "clock-runs-on", Summary: "The response clock runs while nobody is there", Warning: true,
		Explain: `The class promises a response within a time that runs on at night, while the pool's hours are over.`,
		Bad:     `respond_within = "30m"`,
		Good: `respond_within = "30m"
clock          = "pool_hours"`,
	}
	NeverOpen = Finding{
		ID: "LR094", Slug: "never-open", Summary: "Pool that is never open", Warning: true,
		Explain: `The pool's hours and its reps' hours have no minute of the year in common, so that it never takes a lead.`,
		Bad:     `week = {}`,
		Good:    `week = { "mon-fri" = "08:00-18:00" }`,
	}
	NeverDrained = Finding{
		ID: "LR095", Slug: "never-drained", Summary: "Queue that nobody empties", Warning: true,
		Explain: `Leads wait in this queue, and nothing ever takes them out: no pool to drain to that is ever open, and no end to the wait.`,
		Bad:     `queue "later" { drain_to = [pool.never_open] }`,
		Good: `queue "later" {
  drain_to = [pool.emea]
  max_wait = "12h"
  then     = pool.inside_sales
}`,
	}
	InvariantBroken = Finding{
		ID: "LR096", Slug: "invariant-broken", Summary: "Invariant does not hold, and blocks", Warning: false,
		Explain: `As LR091, and the invariant is enforced: a policy that breaks it cannot be applied.`,
		Bad:     `enforce = "block"`,
		Good:    `mend the rules until the lead that is shown goes where the invariant wants it`,
	}
)
