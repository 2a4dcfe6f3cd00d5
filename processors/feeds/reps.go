package feeds

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// repEvents says what becomes of reps: a telephone system's status, a calendar's times out
// of the office, the profile from HR, who has left.
//
//	{"rep": "ana", "status": "away", "at": "2026-01-14T10:00:00Z", "until": "2026-01-14T11:00:00Z"}
//	{"rep": "ana", "away": [{"from": "2026-12-24", "until": "2026-12-31", "reason": "vacation"}]}
//	{"rep": "ana", "back": true}
//	{"rep": "ana", "profile": {"name": "Ana", "team": "ae", "caps": {"open": 30}}}
//	{"rep": "ana", "remove": true}
var repEvents = Feed{
	Topic: leadroute.TopicRepEvents, Example: `{"rep": "ana", "status": "away"}`,
	read: func(in *reading) event {
		in.only("rep", "status", "until", "away", "back", "profile", "remove", "at")
		e := event{about: in.text("rep"), to: leadroute.TopicReps}
		if why := intake.BadID(e.about); why != "" {
			in.wrong("/rep", "the rep's id "+why, `write the id of a rep, like "ana"`)
		}
		at := in.when()
		what := in.one("status", "away", "back", "profile", "remove")
		until := in.until()
		if until != 0 && what != "status" {
			in.wrong("/until", "goes with a status", "leave it out")
		}
		switch what {
		case "status":
			s, fault := intake.Status(in.text("status"))
			if fault != nil {
				in.faults = append(in.faults, *fault)
			}
			e.rep, e.message = e.about, &leadroute.RepMessage{Status: &s, SaidAt: at, Until: until}
		case "away":
			list, faults := intake.Aways(in.said["away"])
			in.within("/away", faults)
			e.rep, e.message = e.about, &leadroute.RepMessage{Away: &leadroute.RepAway{Add: list}}
		case "back":
			in.isTrue("back")
			e.rep, e.message = e.about, &leadroute.RepMessage{Away: &leadroute.RepAway{Back: min(at, in.now)}}
		case "profile":
			raw, said := intake.WithKey(in.said["profile"], "id", e.about)
			if said != "" && said != e.about {
				in.wrong("/profile/id", "the profile is of another rep", "make it the same as rep, or leave it out")
			}
			e.message = &leadroute.RepMessage{Profile: row(in, "profile", intake.Reps(intake.KnownOf(in.cfg.Plan())), raw)}
		case "remove":
			in.isTrue("remove")
			e.rep, e.gone, e.message = e.about, true, &leadroute.RepMessage{Remove: &leadroute.RepRemoval{Reason: "feed", At: min(at, in.now)}}
		}
		return e
	},
}
