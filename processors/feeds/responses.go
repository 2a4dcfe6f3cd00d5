package feeds

import (
	"github.com/leadroute/leadroute"
)

// responses says what reps did with leads in the CRM, as a bridge that follows the CRM's
// changes writes it. The rep is named by id, or by the CRM's.
//
//	{"lead": "4f1c", "rep": "ana", "action": "responded", "at": "2026-01-14T10:00:00Z"}
//	{"lead": "4f1c", "crm_id": "0055g00000A1b2C", "action": "closed"}
var responses = Feed{
	Topic: leadroute.TopicResponses, Example: `{"lead": "4f1c", "rep": "ana", "action": "responded"}`,
	read: func(in *reading) event {
		in.only("lead", "rep", "crm_id", "action", "at")
		e := event{about: in.text("lead"), rep: in.text("rep"), crmID: in.text("crm_id"), gone: true}
		if !leadroute.LeadID(e.about).Valid() {
			in.wrong("/lead", "names no lead: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", "write the id under which the CRM got the lead")
		}
		in.one("rep", "crm_id")
		e.action = &leadroute.RepAction{Action: in.text("action"), At: min(in.when(), in.now)}
		if e.action.Action != leadroute.ActionResponded && e.action.Action != leadroute.ActionClosed {
			in.wrong("/action", "is not an action", `write "responded" or "closed"`)
		}
		return e
	},
}
