package feeds

import (
	"encoding/json"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// repEvents says what becomes of reps: a telephone system's or a calendar's status, the
// profile from HR, who has left.
//
//	{"rep": "ana", "status": "away", "at": "2026-01-14T10:00:00Z"}
//	{"rep": "ana", "profile": {"name": "Ana", "team": "ae", "caps": {"open": 30}}}
//	{"rep": "ana", "remove": true}
var repEvents = Feed{
	Topic: leadroute.TopicRepEvents, Example: `{"rep": "ana", "status": "away"}`,
	read: func(in *reading) event {
		in.only("rep", "status", "profile", "remove", "at")
		e := event{about: in.text("rep"), to: leadroute.TopicReps}
		if why := intake.BadID(e.about); why != "" {
			in.wrong("/rep", "the rep's id "+why, `write the id of a rep, like "ana"`)
		}
		at := in.when()
		switch in.one("status", "profile", "remove") {
		case "status":
			s, fault := intake.Status(in.text("status"))
			if fault != nil {
				in.faults = append(in.faults, *fault)
			}
			e.rep, e.message = e.about, &leadroute.RepMessage{Status: &s, SaidAt: at}
		case "profile":
			raw, said := intake.WithID(in.said["profile"], e.about)
			if said != "" && said != e.about {
				in.wrong("/profile/id", "the profile is of another rep", "make it the same as rep, or leave it out")
			}
			e.message = &leadroute.RepMessage{Profile: row(in, "profile", intake.Reps(intake.KnownOf(in.cfg.Plan())), raw)}
		case "remove":
			var yes bool
			if json.Unmarshal(in.said["remove"], &yes) != nil || !yes {
				in.wrong("/remove", "must be true", "write true, or leave the whole record out")
			}
			e.rep, e.gone, e.message = e.about, true, &leadroute.RepMessage{Remove: &leadroute.RepRemoval{Reason: "feed"}}
		}
		return e
	},
}
