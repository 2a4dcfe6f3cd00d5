package dsl

// Finding is one kind of problem; its id and words never change, so that they can be
// searched for and silenced (# leadroute:ignore LR012 reason).
type Finding struct {
	ID      string
	Slug    string
	Summary string // the title, too, of its page
	Warning bool   // a policy with warnings alone is still good

	// For sales ops: what it means and what to do in one paragraph, the smallest text that
	// has it, and the same one mended.
	Explain, Bad, Good string
}

// Link is where the finding's page lies in the repository.
func (f Finding) Link() string { return "docs/diagnostics/" + f.ID + ".md" }

// The findings. New ones are appended; a number is never used again.
var (
	syntaxError = Finding{
		ID: "LR001", Slug: "syntax-error", Summary: "Syntax error",
		Explain: `The file does not follow HCL's grammar: a habit of another language, or a quote, brace or bracket too few. Until it is mended the rest of the line cannot be checked. "leadroute fmt --fix" rewrites what is certain.`,
		Bad:     `when = lead.country == "DE" and lead.arr > 100k`,
		Good:    `when = lead.country == "DE" && lead.arr > 100000`,
	}
	unknownBlock = Finding{
		ID: "LR002", Slug: "unknown-block", Summary: "Unknown block",
		Explain: `No block has this name, or not in this place. Mostly it is a typing error, or a block that belongs inside another one.`,
		Bad:     `rules "emea" { to = pool.emea }`,
		Good:    `rule "emea" { to = pool.emea }`,
	}
	unknownLeadField = Finding{
		ID: "LR003", Slug: "unknown-lead-field", Summary: "Unknown lead field",
		Explain: `The condition reads a field that the schema block does not declare, so it could never have a value. Correct the name, or declare the field.`,
		Bad:     `when = lead.companysize > 500`,
		Good:    `when = lead.company_size > 500`,
	}
	unknownAttribute = Finding{
		ID: "LR004", Slug: "unknown-attribute", Summary: "Unknown attribute",
		Explain: `The block has no attribute of this name. What is not known is refused, because a misspelt setting that is silently left out would route leads wrongly.`,
		Bad:     `pool "emea" { member = [rep.ana] }`,
		Good:    `pool "emea" { members = [rep.ana] }`,
	}
	notSupportedYet = Finding{
		ID: "LR005", Slug: "not-supported-yet", Summary: "Not supported yet",
		Explain: `The language has this, but this version of leadroute cannot run it yet. The policy is refused rather than run without it.`,
		Bad:     `block { setting = "of a later version" }`,
		Good:    `take it out, or use a version that runs it`,
	}
	missingAttribute = Finding{
		ID: "LR006", Slug: "missing-attribute", Summary: "Missing attribute",
		Explain: `The block cannot work without this attribute, and there is no default that would be safe to assume.`,
		Bad:     `rep "ana" {}`,
		Good:    `rep "ana" { email = "ana@example.com" }`,
	}
	duplicateName = Finding{
		ID: "LR007", Slug: "duplicate-name", Summary: "Duplicate name",
		Explain: `Two blocks of one kind, or two attributes of one block, have the same name, so a reference would not say which is meant. Rename one or take it out.`,
		Bad: `pool "emea" { members = [rep.ana] }
pool "emea" { members = [rep.ben] }`,
		Good: `pool "emea" { members = [rep.ana, rep.ben] }`,
	}
	unknownPool = Finding{
		ID: "LR008", Slug: "unknown-pool", Summary: "Unknown pool",
		Explain: `A rule, queue or test names a pool that no block declares. Correct the name, or add the pool.`,
		Bad:     `to = pool.emae`,
		Good:    `to = pool.emea`,
	}
	unknownQueue = Finding{
		ID: "LR009", Slug: "unknown-queue", Summary: "Unknown queue",
		Explain: `A queue is named that no block declares. Correct the name, or add the queue.`,
		Bad:     `to = [pool.emea, queue.waitng]`,
		Good:    `to = [pool.emea, queue.waiting]`,
	}
	unknownRep = Finding{
		ID: "LR010", Slug: "unknown-rep", Summary: "Unknown rep",
		Explain: `A rep is named that no block declares. Correct the name, or add the rep.`,
		Bad:     `members = [rep.anna]`,
		Good:    `members = [rep.ana]`,
	}
	unknownReference = Finding{
		ID: "LR011", Slug: "unknown-reference", Summary: "Unknown reference",
		Explain: `The expression refers to something that does not exist, or that cannot be read in this place.`,
		Bad:     `hours = hours.offce`,
		Good:    `hours = hours.office`,
	}
	unreachableRule = Finding{
		ID: "LR012", Slug: "unreachable-rule", Summary: "Unreachable rule", Warning: true,
		Explain: `Rules are read from the top and the first match wins. Earlier rules already take every lead that this one could match, so it never does anything. Move it up, narrow the earlier rule, or delete it.`,
		Bad: `rule "all" { to = pool.emea }
rule "big" {
  when = lead.company_size > 500
  to   = pool.enterprise
}`,
		Good: `rule "big" {
  when = lead.company_size > 500
  to   = pool.enterprise
}
rule "all" { to = pool.emea }`,
	}
	wrongType = Finding{
		ID: "LR013", Slug: "wrong-type", Summary: "Wrong type",
		Explain: `A value of one kind stands where another kind is needed, such as a text where a number is compared. Nothing is converted silently, because "9" as a text is greater than "10".`,
		Bad:     `when = lead.company_size > "500"`,
		Good:    `when = lead.company_size > 500`,
	}
	unknownValue = Finding{
		ID: "LR014", Slug: "unknown-value", Summary: "Value that the field never has",
		Explain: `The schema lists the values that the field may have, and this is not one of them, so the comparison could never be true. Correct the value, or add it to the schema.`,
		Bad:     `when = lead.segment == "enterprize"`,
		Good:    `when = lead.segment == "enterprise"`,
	}
	unknownFunction = Finding{
		ID: "LR015", Slug: "unknown-function", Summary: "Unknown function",
		Explain: `There is no function of this name. The message names the nearest one.`,
		Bad:     `when = starts_with(lead.email, "ana")`,
		Good:    `when = startswith(lead.email, "ana")`,
	}
	wrongArguments = Finding{
		ID: "LR016", Slug: "wrong-arguments", Summary: "Wrong arguments",
		Explain: `The function was given too few or too many arguments, or arguments of a kind that it does not take.`,
		Bad:     `when = contains(lead.tags)`,
		Good:    `when = contains(lead.tags, "vip")`,
	}
	invalidDuration = Finding{
		ID: "LR017", Slug: "invalid-duration", Summary: "Invalid duration",
		Explain: `A span of time is a text of numbers and units: ms, s, m, h, d or w.`,
		Bad:     `deliver_within = "5 minutes"`,
		Good:    `deliver_within = "5m"`,
	}
	invalidValue = Finding{
		ID: "LR018", Slug: "invalid-value", Summary: "Invalid value",
		Explain: `The value has the right kind, but the setting cannot be that: out of range, or not one of the choices.`,
		Bad:     `capacity = -1`,
		Good:    `capacity = 10`,
	}
	noDefaultPriority = Finding{
		ID: "LR019", Slug: "no-default-priority", Summary: "No priority that always matches",
		Explain: `Every lead needs a priority. The last priority block must have no condition, so that it takes all leads which the ones above leave.`,
		Bad:     `priority "P0" { when = lead.arr > 100000 }`,
		Good: `priority "P0" { when = lead.arr > 100000 }
priority "P1" {}`,
	}
	possibleGap = Finding{
		ID: "LR020", Slug: "possible-gap", Summary: "Leads that no rule takes", Warning: true,
		Explain: `Some leads match no rule. They go to the dead letters, where somebody has to fetch them by hand. Add a last rule without a condition.`,
		Bad: `rule "emea" {
  when = lead.region == "EMEA"
  to   = pool.emea
}`,
		Good: `rule "emea" {
  when = lead.region == "EMEA"
  to   = pool.emea
}
rule "others" { to = pool.global }`,
	}
	emptyPool = Finding{
		ID: "LR021", Slug: "empty-pool", Summary: "Pool without members",
		Explain: `The pool has nobody in it, so a lead sent there can never be taken.`,
		Bad:     `pool "emea" { members = [] }`,
		Good:    `pool "emea" { members = [rep.ana] }`,
	}
	queueCycle = Finding{
		ID: "LR022", Slug: "queue-cycle", Summary: "Queues in a circle",
		Explain: `These queues hand leads on to each other without an end, so a lead would go round for ever. One of them must end at a pool or keep its leads.`,
		Bad: `queue "a" {
  then {
    after = "1h"
    to    = queue.b
  }
}
queue "b" {
  then {
    after = "1h"
    to    = queue.a
  }
}`,
		Good: `queue "a" {
  then {
    after = "1h"
    to    = queue.b
  }
}
queue "b" {
  then {
    after = "1h"
    to    = pool.global
  }
}`,
	}
	noQueue = Finding{
		ID: "LR023", Slug: "no-queue", Summary: "Rule without a queue", Warning: true,
		Explain: `If everybody in the rule's pools is away or full, the rule does not say where the lead waits; it goes to the queue "unassigned". Name a queue as the last target.`,
		Bad:     `to = pool.emea`,
		Good:    `to = [pool.emea, queue.emea]`,
	}
	liveRead = Finding{
		ID: "LR024", Slug: "live-read", Summary: "Condition on live figures", Warning: true,
		Explain: `The condition depends on how busy people are at that moment, so the same lead may go one way now and another way a minute later, and nobody can tell beforehand. Try the pools one after another in "to" instead.`,
		Bad: `when = pool.emea.available > 0
to   = pool.emea`,
		Good: `to = [pool.emea, pool.global]`,
	}
	missingNoMatch = Finding{
		ID: "LR025", Slug: "missing-no-match", Summary: "Leads without the field do not match", Warning: true,
		Explain: `A comparison with a field that the lead does not have is not true, != included. So these leads do not match, which is easily overlooked. Say what is meant for them.`,
		Bad:     `when = lead.country != "DE"`,
		Good:    `when = !has(lead.country) || lead.country != "DE"`,
	}
	emptyString = Finding{
		ID: "LR026", Slug: "empty-string", Summary: "Comparison with an empty string",
		Explain: `An empty text counts as a missing field at the door, so a comparison with "" says nothing. Ask whether the field is there.`,
		Bad:     `when = lead.country == ""`,
		Good:    `when = !has(lead.country)`,
	}
	invalidRegexp = Finding{
		ID: "LR027", Slug: "invalid-regexp", Summary: "Invalid regular expression",
		Explain: `The pattern of a regular expression cannot be read; mostly a bracket is open, or a backslash is single where a text needs two.`,
		Bad:     `when = matches(lead.title, "(ceo")`,
		Good:    `when = matches(lead.title, "(?i)ceo")`,
	}
	notAllowedHere = Finding{
		ID: "LR028", Slug: "not-allowed-here", Summary: "Not allowed here",
		Explain: `This part of the language exists but may not stand here, because the decision could then not be repeated or checked.`,
		Bad:     `when = lead.tags[0] == "vip"`,
		Good:    `when = contains(lead.tags, "vip")`,
	}
	rejectedTestLead = Finding{
		ID: "LR029", Slug: "rejected-test-lead", Summary: "Test lead that the door would reject",
		Explain: `The test's lead could never arrive: the door holds each lead against the schema and would reject it. Correct the lead, or the schema.`,
		Bad:     `lead = { company_size = "many" }`,
		Good:    `lead = { company_size = 500 }`,
	}
	unreadable = Finding{
		ID: "LR030", Slug: "unreadable-policy", Summary: "Cannot read the policy",
		Explain: `The file or folder is not there, may not be read, or is named twice. Check the path.`,
		Bad:     `leadroute validate polcy.hcl`,
		Good:    `leadroute validate policy.hcl`,
	}
	unreachablePart = Finding{
		ID: "LR031", Slug: "unreachable-part", Summary: "Unreachable", Warning: true,
		Explain: `What stands before this always decides, so this part is never reached. Move it up or take it out.`,
		Bad: `priority "P0" {}
priority "P1" { when = lead.arr > 100000 }`,
		Good: `priority "P0" { when = lead.arr > 100000 }
priority "P1" {}`,
	}
	secretInPolicy = Finding{
		ID: "LR032", Slug: "secret-in-policy", Summary: "Secret written into the policy", Warning: true,
		Explain: `Policies are shown, compared and kept for long; whoever reads this one also reads the secret. Name the environment variable that holds it.`,
		Bad:     `key = "s3cret"`,
		Good:    `key = secret("CRM_SECRET")`,
	}
	noRules = Finding{
		ID: "LR033", Slug: "no-rules", Summary: "Policy without rules",
		Explain: `A policy without a rule gives no lead to anybody.`,
		Bad:     `priority "P0" {}`,
		Good: `priority "P0" {}
rule "all" { to = [pool.global, queue.unassigned] }`,
	}
)

// Findings lists every kind of problem in the order of the ids.
var Findings = []Finding{
	syntaxError, unknownBlock, unknownLeadField, unknownAttribute, notSupportedYet, missingAttribute, duplicateName,
	unknownPool, unknownQueue, unknownRep, unknownReference, unreachableRule, wrongType, unknownValue, unknownFunction,
	wrongArguments, invalidDuration, invalidValue, noDefaultPriority, possibleGap, emptyPool, queueCycle, noQueue, liveRead,
	missingNoMatch, emptyString, invalidRegexp, notAllowedHere, rejectedTestLead, unreadable, unreachablePart,
	secretInPolicy, noRules,
}
