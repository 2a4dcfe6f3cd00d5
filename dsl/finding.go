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
		Bad:     `when = lead.segment == "enterprse"`,
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
		Bad:     `strategy = "fastest"`,
		Good:    `strategy = "least_loaded"`,
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
  max_wait = "1h"
  then     = queue.b
}
queue "b" {
  max_wait = "1h"
  then     = queue.a
}`,
		Good: `queue "a" {
  max_wait = "1h"
  then     = queue.b
}
queue "b" {
  max_wait = "1h"
  then     = pool.global
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
	ignoreReason = Finding{
		ID: "LR034", Slug: "ignore-without-reason", Summary: "Silenced without a reason", Warning: true,
		Explain: `A comment that silences a finding needs the reason, for whoever reads the policy next.`,
		Bad:     `# leadroute:ignore LR024`,
		Good:    `# leadroute:ignore LR024 the floor asked for it, until spring`,
	}
	ignoreUnknown = Finding{
		ID: "LR035", Slug: "ignore-unknown", Summary: "Silences what does not exist", Warning: true,
		Explain: `A comment silences a finding that does not exist, so that it silences nothing.`,
		Bad:     `# leadroute:ignore LR999 for now`,
		Good:    `# leadroute:ignore LR024 for now`,
	}
	ignoreStale = Finding{
		ID: "LR036", Slug: "ignore-stale", Summary: "Silences nothing", Warning: true,
		Explain: `A comment silences a finding that is no longer made on its line or the next one. Take it out, or it will hide the next one that is.`,
		Bad: `# leadroute:ignore LR024 the floor asked for it
when = lead.score > 50`,
		Good: `when = lead.score > 50`,
	}
	ignoreError = Finding{
		ID: "LR037", Slug: "ignore-error", Summary: "Silences an error", Warning: true,
		Explain: `Errors cannot be silenced: a policy with an error does not run.`,
		Bad:     `# leadroute:ignore LR008 it will be there soon`,
		Good:    `declare the pool`,
	}
	tableUnreadable = Finding{
		ID: "LR040", Slug: "table-unreadable", Summary: "Cannot read the table",
		Explain: `A table's file cannot be read, or holds no rows that can be understood. A table is a .csv file with a header, or a .json array of objects, and lies beside the policy.`,
		Bad:     `source = "tables/contries.csv"`,
		Good:    `source = "tables/countries.csv"`,
	}
	unknownColumn = Finding{
		ID: "LR041", Slug: "unknown-column", Summary: "Unknown column",
		Explain: `The table's file has no column of this name. The first line of the file names its columns.`,
		Bad:     `key = "land"`,
		Good:    `key = "country"`,
	}
	raggedRow = Finding{
		ID: "LR042", Slug: "ragged-row", Summary: "Ragged row",
		Explain: `A row has more or fewer cells than the header has columns, so nobody knows which cell is which. Put quotes around a cell that holds a comma.`,
		Bad:     `DE,Acme, Inc.,emea`,
		Good:    `DE,"Acme, Inc.",emea`,
	}
	duplicateKey = Finding{
		ID: "LR043", Slug: "duplicate-key", Summary: "Duplicate key",
		Explain: `Two rows have the same key, so that a lookup would not know which one is meant. Take one out.`,
		Bad: `DE,EMEA
DE,APAC`,
		Good: `DE,EMEA`,
	}
	emptyTable = Finding{
		ID: "LR044", Slug: "empty-table", Summary: "Empty table",
		Explain: `The table has a header and no rows: every lookup would miss, and no rule would come of it.`,
		Bad:     `country,region`,
		Good: `country,region
DE,EMEA`,
	}
	tableTooLarge = Finding{
		ID: "LR045", Slug: "table-too-large", Summary: "Table too large",
		Explain: `The table is larger than leadroute reads. Large sheets are exports of the wrong thing, mostly: keep the columns that the policy uses, or split the table.`,
		Bad:     `source = "tables/everything.csv"`,
		Good:    `source = "tables/territories.csv"`,
	}
	cellType = Finding{
		ID: "LR046", Slug: "cell-type", Summary: "Wrong type in a cell",
		Explain: `A cell does not hold what its use asks for: a number that is compared, or the name of a pool.`,
		Bad: `size_from
many`,
		Good: `size_from
500`,
	}
	blankCell = Finding{
		ID: "LR047", Slug: "blank-cell", Summary: "Blank cell",
		Explain: `A cell is blank where the policy needs a value, such as a key or the pool that takes the row's leads.`,
		Bad: `country,pool
DE,`,
		Good: `country,pool
DE,emea`,
	}
	tableName = Finding{
		ID: "LR048", Slug: "table-name", Summary: "Tables of the same file name",
		Explain: `Two tables come from files of the same name. A row is called by its file and line, territories.csv:812, so names must differ.`,
		Bad:     `source = "old/territories.csv"`,
		Good:    `source = "old/territories_2025.csv"`,
	}
	definitionCycle = Finding{
		ID: "LR049", Slug: "definition-cycle", Summary: "Defined by itself",
		Explain: `A value is defined by itself, directly or around a corner, so that it never gets one.`,
		Bad: `locals { a = local.b
  b = local.a }`,
		Good: `locals { a = 1
  b = local.a }`,
	}
	variableRefused = Finding{
		ID: "LR050", Slug: "variable-refused", Summary: "Variable that its validation refuses",
		Explain: `The variable's value does not meet the variable's own validation. The message is the author's.`,
		Bad:     `leadroute validate policy.hcl --var size=10`,
		Good:    `leadroute validate policy.hcl --var size=500`,
	}
	variableUnset = Finding{
		ID: "LR051", Slug: "variable-unset", Summary: "Variable without a value",
		Explain: `The variable has no default, and nobody set it.`,
		Bad:     `variable "size" { type = number }`,
		Good: `variable "size" {
  type    = number
  default = 500
}`,
	}
	noSuchDate = Finding{
		ID: "LR052", Slug: "no-such-date", Summary: "Date that does not exist",
		Explain: `The calendar has no such day or time. Write RFC 3339: a date, a T, a time and the zone.`,
		Bad:     `from = "2026-02-30T00:00:00Z"`,
		Good:    `from = "2026-03-01T00:00:00Z"`,
	}
	splitPercent = Finding{
		ID: "LR053", Slug: "split-percent", Summary: "Split that is not 100 %",
		Explain: `The arms of a split must make 100 per cent together, or some leads would go nowhere.`,
		Bad: `arm "a" { percent = 90 }
arm "b" { percent = 20 }`,
		Good: `arm "a" { percent = 90 }
arm "b" { percent = 10 }`,
	}
	unknownRule = Finding{
		ID: "LR054", Slug: "unknown-rule", Summary: "Unknown rule",
		Explain: `A test expects a rule, or a row of a table, that the policy does not have.`,
		Bad:     `rule = rule.entreprise`,
		Good:    `rule = rule.enterprise`,
	}
	unknownVariable = Finding{
		ID: "LR055", Slug: "unknown-variable", Summary: "Unknown variable",
		Explain: `A variable is read or set that no block declares.`,
		Bad:     `when = lead.arr > var.limt`,
		Good:    `when = lead.arr > var.limit`,
	}
	deadWindow = Finding{
		ID: "LR056", Slug: "dead-window", Summary: "Never in force", Warning: true,
		Explain: `The dates leave no moment at which this counts: it ends before it begins.`,
		Bad: `from  = "2026-04-01T00:00:00Z"
until = "2026-03-01T00:00:00Z"`,
		Good: `from  = "2026-03-01T00:00:00Z"
until = "2026-04-01T00:00:00Z"`,
	}
	strayVariable = Finding{
		ID: "LR057", Slug: "stray-variable", Summary: "Value for a variable that is not declared", Warning: true,
		Explain: `--var or the environment sets a variable that the policy does not declare, and one of nearly that name is there. What was set has no effect.`,
		Bad:     `leadroute validate --var enterprise_sze=500 policy.hcl`,
		Good:    `leadroute validate --var enterprise_size=500 policy.hcl`,
	}
	invalidDate = Finding{
		ID: "LR060", Slug: "invalid-date", Summary: "Invalid date",
		Explain: `A day in a calendar does not exist, or is not written year-month-day.`,
		Bad:     `dates = ["2026-02-30"]`,
		Good:    `dates = ["2026-03-02"]`,
	}
	badCalendar = Finding{
		ID: "LR061", Slug: "unreadable-calendar", Summary: "Cannot read the calendar",
		Explain: `The calendar's file cannot be read or is no iCalendar file. Export it as .ics.`,
		Bad:     `source = "holidays.xlsx"`,
		Good:    `source = "holidays.ics"`,
	}
	twoKinds = Finding{
		ID: "LR062", Slug: "two-kinds", Summary: "More than one kind",
		Explain: `Two things stand here of which one is allowed, and leadroute does not guess which one is meant.`,
		Bad: `channel "ops" {
  slack { url = secret("A") }
  slack { url = secret("B") }
}`,
		Good: `channel "ops" {
  slack { url = secret("A") }
}`,
	}
	keyNoRevision = Finding{
		ID: "LR063", Slug: "key-without-revision", Summary: "Idempotency key without the revision", Warning: true,
		Explain: `The idempotency key is the same for every revision of a lead, so that the CRM would take a reassignment for a copy and keep the old owner.`,
		Bad:     `idempotency_key = lead.id`,
		Good:    `idempotency_key = "${lead.id}/${decision.revision}"`,
	}
	unknownFigure = Finding{
		ID: "LR064", Slug: "unknown-figure", Summary: "Unknown figure",
		Explain: `An alert reads a figure that leadroute does not keep.`,
		Bad:     `when = sla.P0.p75 > "45s"`,
		Good:    `when = sla.P0.p95 > "45s"`,
	}
	outOfRange = Finding{
		ID: "LR065", Slug: "out-of-range", Summary: "Out of range",
		Explain: `The number lies outside of what makes sense here.`,
		Bad:     `percent = 120`,
		Good:    `percent = 20`,
	}
	otherVersion = Finding{
		ID: "LR066", Slug: "other-version", Summary: "Policy for another version",
		Explain: `The policy asks for another version of leadroute than this one.`,
		Bad:     `requires = ">= 9.0"`,
		Good:    `requires = ">= 0.1"`,
	}
	overLimit = Finding{
		ID: "LR067", Slug: "over-limit", Summary: "Over the policy's own limit",
		Explain: `The policy exceeds a limit that it sets itself, as a guard against mistakes. Raise the limit if it is meant so.`,
		Bad:     `limits { max_rules = 1 }`,
		Good:    `limits { max_rules = 20000 }`,
	}
	alternateCircle = Finding{
		ID: "LR068", Slug: "alternate-circle", Summary: "Alternates in a circle",
		Explain: `Destinations stand in for each other in a circle: if all are down, a delivery would go round for ever.`,
		Bad:     `alternate = destination.b # whose alternate is destination.a`,
		Good:    `alternate = channel.ops`,
	}
	noTurns = Finding{
		ID: "LR069", Slug: "no-turns", Summary: "Turns to catch up on, where nobody has turns", Warning: true,
		Explain: `catch_up makes up for turns that a rep missed. With least_loaded, best_fit and claim nobody has turns, so that it changes nothing: whoever comes back has the fewest leads, or claims.`,
		Bad:     `strategy = "least_loaded" with catch_up = "average"`,
		Good:    `strategy = "round_robin" with catch_up = "average"`,
	}
	badModel = Finding{
		ID: "LR070", Slug: "bad-model", Summary: "Model that cannot rank",
		Explain: `The model of a best_fit pool is a JSON file in the policy's folder: version 1, kind linear or logistic, an intercept, and features with a name, a weight and a value, which is an expression over lead and rep.`,
		Bad:     `{"version": 1, "kind": "logistic", "features": [{"name": "rate", "value": "rep.close_rte"}]}`,
		Good:    `{"version": 1, "kind": "logistic", "features": [{"name": "rate", "value": "rep.close_rate", "weight": 3}]}`,
	}
	unknownReason = Finding{
		ID: "LR080", Slug: "unknown-reason", Summary: "Reason that nothing gives",
		Explain: `A scenario expects a reason that nothing in the policy gives. Reasons are accept, and sla:PRIORITY/STEP.`,
		Bad:     `reason = "sla:P0/pgae"`,
		Good:    `reason = "sla:P0/page"`,
	}
	unreadColumn = Finding{
		ID: "LR081", Slug: "unread-column", Summary: "Rep attribute that nothing reads", Warning: true,
		Explain: `A scenario gives a rep an attribute that no pool reads, so that it changes nothing: mostly a typing error.`,
		Bad:     `u-1 = { dsk = "strategic" }`,
		Good:    `u-1 = { desk = "strategic" }`,
	}
	personalData = Finding{
		ID: "LR082", Slug: "personal-data", Summary: "Personal data in a message",
		Explain: `A message to a channel says something of a person that the schema marks as personal data. Whoever reads the channel would see it, and the service keeps it. The address of the lead's page says as much to those who may look it up. Where it is meant so, allow_pii = true says it.`,
		Bad: `slack {
  url  = secret("SLACK_URL")
  text = "${lead.email} waits"
}`,
		Good: `slack {
  url  = secret("SLACK_URL")
  text = "A ${lead.priority} lead waits: ${decision.url}"
}`,
	}
)

// Findings lists every kind of problem in the order of the ids.
var Findings = []Finding{
	syntaxError, unknownBlock, unknownLeadField, unknownAttribute, missingAttribute, duplicateName,
	unknownPool, unknownQueue, unknownRep, unknownReference, unreachableRule, wrongType, unknownValue, unknownFunction,
	wrongArguments, invalidDuration, invalidValue, noDefaultPriority, possibleGap, emptyPool, queueCycle, noQueue, liveRead,
	missingNoMatch, emptyString, invalidRegexp, notAllowedHere, rejectedTestLead, unreadable, unreachablePart,
	secretInPolicy, noRules,
	ignoreReason, ignoreUnknown, ignoreStale, ignoreError,
	tableUnreadable, unknownColumn, raggedRow, duplicateKey, emptyTable, tableTooLarge, cellType, blankCell, tableName,
	definitionCycle, variableRefused, variableUnset, noSuchDate, splitPercent, unknownRule, unknownVariable, deadWindow,
	strayVariable,
	invalidDate, badCalendar, twoKinds, keyNoRevision, unknownFigure, outOfRange, otherVersion, overLimit, alternateCircle, noTurns, badModel,
	unknownReason, unreadColumn, personalData,

	ImpossibleCondition, InvariantRefuted, NobodyThere, ClockRunsOn, NeverOpen, NeverDrained, InvariantBroken,
}
