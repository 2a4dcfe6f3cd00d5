package dsl

// Finding is one kind of problem; its id and words never change, so that they can be
// searched for and silenced (# leadroute:ignore LR012 reason).
type Finding struct {
	ID      string
	Slug    string
	Summary string
	Warning bool // a policy with warnings alone is still good
}

// The findings. New ones are appended; a number is never used again.
var (
	syntaxError       = Finding{"LR001", "syntax-error", "Syntax error", false}
	unknownBlock      = Finding{"LR002", "unknown-block", "Unknown block", false}
	unknownLeadField  = Finding{"LR003", "unknown-lead-field", "Unknown lead field", false}
	unknownAttribute  = Finding{"LR004", "unknown-attribute", "Unknown attribute", false}
	notSupportedYet   = Finding{"LR005", "not-supported-yet", "Not supported yet", false}
	missingAttribute  = Finding{"LR006", "missing-attribute", "Missing attribute", false}
	duplicateName     = Finding{"LR007", "duplicate-name", "Duplicate name", false}
	unknownPool       = Finding{"LR008", "unknown-pool", "Unknown pool", false}
	unknownQueue      = Finding{"LR009", "unknown-queue", "Unknown queue", false}
	unknownRep        = Finding{"LR010", "unknown-rep", "Unknown rep", false}
	unknownReference  = Finding{"LR011", "unknown-reference", "Unknown reference", false}
	unreachableRule   = Finding{"LR012", "unreachable-rule", "Unreachable rule", true}
	wrongType         = Finding{"LR013", "wrong-type", "Wrong type", false}
	unknownValue      = Finding{"LR014", "unknown-value", "Value that the field never has", false}
	unknownFunction   = Finding{"LR015", "unknown-function", "Unknown function", false}
	wrongArguments    = Finding{"LR016", "wrong-arguments", "Wrong arguments", false}
	invalidDuration   = Finding{"LR017", "invalid-duration", "Invalid duration", false}
	invalidValue      = Finding{"LR018", "invalid-value", "Invalid value", false}
	noDefaultPriority = Finding{"LR019", "no-default-priority", "No priority that always matches", false}
	possibleGap       = Finding{"LR020", "possible-gap", "Leads that no rule takes", true}
	emptyPool         = Finding{"LR021", "empty-pool", "Pool without members", false}
	queueCycle        = Finding{"LR022", "queue-cycle", "Queues in a circle", false}
	noQueue           = Finding{"LR023", "no-queue", "Rule without a queue", true}
	liveRead          = Finding{"LR024", "live-read", "Condition on live figures", true}
	missingNoMatch    = Finding{"LR025", "missing-no-match", "Leads without the field do not match", true}
	emptyString       = Finding{"LR026", "empty-string", "Comparison with an empty string", false}
	invalidRegexp     = Finding{"LR027", "invalid-regexp", "Invalid regular expression", false}
	notAllowedHere    = Finding{"LR028", "not-allowed-here", "Not allowed here", false}
	rejectedTestLead  = Finding{"LR029", "rejected-test-lead", "Test lead that the door would reject", false}
	unreadable        = Finding{"LR030", "unreadable-policy", "Cannot read the policy", false}
	unreachablePart   = Finding{"LR031", "unreachable-part", "Unreachable", true}
	secretInPolicy    = Finding{"LR032", "secret-in-policy", "Secret written into the policy", true}
	noRules           = Finding{"LR033", "no-rules", "Policy without rules", false}

	tableUnreadable = Finding{"LR040", "table-unreadable", "Cannot read the table", false}
	unknownColumn   = Finding{"LR041", "unknown-column", "Unknown column", false}
	raggedRow       = Finding{"LR042", "ragged-row", "Ragged row", false}
	duplicateKey    = Finding{"LR043", "duplicate-key", "Duplicate key", false}
	emptyTable      = Finding{"LR044", "empty-table", "Empty table", false}
	tableTooLarge   = Finding{"LR045", "table-too-large", "Table too large", false}
	cellType        = Finding{"LR046", "cell-type", "Wrong type in a cell", false}
	blankCell       = Finding{"LR047", "blank-cell", "Blank cell", false}
	tableName       = Finding{"LR048", "table-name", "Tables of the same file name", false}
	definitionCycle = Finding{"LR049", "definition-cycle", "Defined by itself", false}
	variableRefused = Finding{"LR050", "variable-refused", "Variable that its validation refuses", false}
	variableUnset   = Finding{"LR051", "variable-unset", "Variable without a value", false}
	noSuchDate      = Finding{"LR052", "no-such-date", "Date that does not exist", false}
	splitPercent    = Finding{"LR053", "split-percent", "Split that is not 100 %", false}
	unknownRule     = Finding{"LR054", "unknown-rule", "Unknown rule", false}
	unknownVariable = Finding{"LR055", "unknown-variable", "Unknown variable", false}
	deadWindow      = Finding{"LR056", "dead-window", "Never in force", true}

	invalidDate     = Finding{"LR060", "invalid-date", "Invalid date", false}
	badCalendar     = Finding{"LR061", "unreadable-calendar", "Cannot read the calendar", false}
	twoKinds        = Finding{"LR062", "two-kinds", "More than one kind", false}
	keyNoRevision   = Finding{"LR063", "key-without-revision", "Idempotency key without the revision", true}
	unknownFigure   = Finding{"LR064", "unknown-figure", "Unknown figure", false}
	outOfRange      = Finding{"LR065", "out-of-range", "Out of range", false}
	otherVersion    = Finding{"LR066", "other-version", "Policy for another version", false}
	overLimit       = Finding{"LR067", "over-limit", "Over the policy's own limit", false}
	alternateCircle = Finding{"LR068", "alternate-circle", "Alternates in a circle", false}
	unknownReason   = Finding{"LR080", "unknown-reason", "Reason that nothing gives", false}
	unreadColumn    = Finding{"LR081", "unread-column", "Rep attribute that nothing reads", true}
)

// Findings lists every kind of problem in the order of the ids.
var Findings = []Finding{
	syntaxError, unknownBlock, unknownLeadField, unknownAttribute, notSupportedYet, missingAttribute, duplicateName,
	unknownPool, unknownQueue, unknownRep, unknownReference, unreachableRule, wrongType, unknownValue, unknownFunction,
	wrongArguments, invalidDuration, invalidValue, noDefaultPriority, possibleGap, emptyPool, queueCycle, noQueue, liveRead,
	missingNoMatch, emptyString, invalidRegexp, notAllowedHere, rejectedTestLead, unreadable, unreachablePart,
	secretInPolicy, noRules,
	tableUnreadable, unknownColumn, raggedRow, duplicateKey, emptyTable, tableTooLarge, cellType, blankCell, tableName,
	definitionCycle, variableRefused, variableUnset, noSuchDate, splitPercent, unknownRule, unknownVariable, deadWindow,
	invalidDate, badCalendar, twoKinds, keyNoRevision, unknownFigure, outOfRange, otherVersion, overLimit, alternateCircle,
	unknownReason, unreadColumn,

	ImpossibleCondition, InvariantRefuted, NobodyThere, ClockRunsOn, NeverOpen, NeverDrained, InvariantBroken,
}
