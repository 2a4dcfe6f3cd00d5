package mutant

// Bugs lists every bug that can be planted, and what each does.
var Bugs = map[string]string{
	"ledger-keep-every-acceptance": "an acceptance that lost the race is kept silently instead of released",
	"ledger-finished-no-judge":     "acceptances for finished and unknown leads are not judged",
	"ledger-forget-revision":       "an acceptance of an older revision is committed",
	"ledger-old-ack-closes":        "the acknowledgement of an older revision counts for the newer one",
	"ledger-replay-silent":         "a replayed message emits nothing when its decision is already stored",
	"ledger-revise-no-release":     "a reassigned lead's old claim is not released",
	"ledger-retry-forgets-timer":   "a failed attempt that may be retried sets no timer",
	"ledger-wake-reuses-try":       "a woken lead is offered again under a try that was used before",
	"ledger-attempts-restart":      "attempts are not bounded",
	"ledger-any-try":               "an acceptance of an earlier try is committed",
	"ledger-copies-answer-copies":  "every copy is answered as if it were a replay",
	"ledger-stale-timer-cancels":   "a late copy of an earlier firing cancels the timer that stands now",
	"ledger-step-fires-again":      "a step that has fired is due again",
	"ledger-forgets-plan":          "a lead goes on under the policy in force instead of the one that decided it",
	"ledger-agrees-with-anyone":    "whoever says something of a lead is told that it stands",
	"ledger-refusal-untold":        "what a rep said of a lead that moved on leaves no event",
	"reps-older-status-wins":       "a status of before the one that the rep has undoes it",
	"reps-future-status-stays":     "a status from a clock that is ahead silences all others until then",
	"reps-pause-ignored":           "a rep who lost a lead gets the next one at once",
	"reps-forget-on-remove":        "a removed rep forgets the claims that are still held",
	"reps-accept-while-full":       "a rep accepts one lead more than the cap",
	"reps-copy-counts-twice":       "a copy of a held claim is held a second time",
	"reps-release-any":             "a release frees the rep's oldest claim, whatever it names",
	"reps-cost-ignored":            "a lead that takes two places is let in where one is left",
	"reps-pool-cap-ignored":        "a pool's caps are not checked",

	"pools-catch-up-floods":    "turns that were missed are made up for in leads that follow each other",
	"pools-catch-up-unbounded": "every turn that was missed is made up for",
}
