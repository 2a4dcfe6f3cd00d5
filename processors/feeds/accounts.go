package feeds

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// accountEvents says who owns which account, as the CRM or a territory system has it.
//
//	{"set": {"domain": "acme.example", "name": "Acme", "owner": "ana", "attrs": {"tier": "named"}}}
//	{"remove": "acme.example"}
var accountEvents = Feed{
	Topic: leadroute.TopicAccountEvents, Example: `{"set": {"domain": "acme.example", "owner": "ana"}}`,
	read: func(in *reading) event {
		in.only("set", "remove", "at")
		in.when()
		e := event{to: leadroute.TopicAccounts}
		switch in.one("set", "remove") {
		case "set":
			if a := row(in, "set", intake.Accounts(), in.said["set"]); a != nil {
				e.about, e.message = a.Domain, &leadroute.AccountMessage{Set: a}
			}
		case "remove":
			domain, fault := intake.Domain(in.text("remove"))
			if fault != nil {
				fault.Pointer = "/remove"
				in.faults = append(in.faults, *fault)
			}
			e.about, e.message = domain, &leadroute.AccountMessage{Remove: &struct{}{}}
		}
		return e
	},
}
