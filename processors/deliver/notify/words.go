package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// messages are the message to each who is told; why says that there is nobody.
func (w *Worker) messages(how *plan.Way, n *leadroute.Notification, id string) (ms []*Message, why string) {
	rep := w.cfg.Rep(n.Delivery.Owner)
	m := Message{ID: id, Reason: n.Reason, At: n.At.Time(), Delivery: &n.Delivery, Resolve: n.Resolve}
	m.Subject, m.Text = say(how, n, rep, w.cfg.Site)
	if how.Resolve && !strings.HasPrefix(n.Reason, claimReason) {
		m.Incident = string(n.Delivery.Lead) + "/" + n.Channel
	}
	if rep != nil {
		with := n.Delivery
		with.OwnerCRM = rep.CRMID
		m.Delivery = &with
	}
	switch {
	case how.To != nil:
		if rep == nil {
			return nil, "nobody has the lead, so that there is nobody to be told"
		}
		if m.To = how.To(rep); m.To == "" {
			return nil, fmt.Sprintf("rep %s has no address for %s", rep.ID, how.Kind)
		}
		return []*Message{&m}, ""
	case len(how.Everybody) > 0:
		for i, to := range how.Everybody {
			one := m
			one.To = to
			if i > 0 {
				one.ID = fmt.Sprintf("%s/%d", id, i)
			}
			ms = append(ms, &one)
		}
		return ms, ""
	}
	return []*Message{&m}, ""
}

// claimReason begins the reason of what tells of a lead that is open to claim.
const claimReason = "claim:"

// say tells a step in the way's own words or, as far as it has none or a part of them is
// missing, in the usual ones. Those always tell how a lead is claimed, and how a queue stands.
func say(how *plan.Way, n *leadroute.Notification, rep *leadroute.Rep, site string) (subject, text string) {
	subject, text = words(n, site)
	if how.Words == nil || n.Queue != nil || strings.HasPrefix(n.Reason, claimReason) {
		return subject, text
	}
	var escape func(string) string
	if how.Kind == plan.WaySlack {
		escape = slackEscapes.Replace
	}
	s, t := how.Words.Of(n, rep, site, escape)
	if s != "" {
		subject = strings.Join(strings.Fields(s), " ") // one line
	}
	if t != "" {
		text = t
	}
	return subject, text
}

// words tells a step in a sentence, without what the lead says of a person.
func words(n *leadroute.Notification, site string) (subject, text string) {
	d := &n.Delivery
	if q := n.Queue; q != nil {
		subject = fmt.Sprintf("queue %s: %d waiting, the oldest since %s", q.Queue, q.Waiting, q.Since.Time().Format("2006-01-02 15:04:05 MST"))
		text = fmt.Sprintf("%s\nWhy: %s, which is %v\nThe oldest lead: %s", subject, n.Reason, time.Duration(q.After)*time.Millisecond, d.Lead)
		if site != "" {
			text += "\n" + site + "/v1/queues/" + string(q.Queue)
		}
		return subject, text
	}
	who := "nobody has it"
	pool, isClaim := strings.CutPrefix(n.Reason, claimReason)
	pool, gone := strings.CutSuffix(pool, "/gone")
	switch {
	case isClaim && gone && n.By != "":
		who = "gone, " + string(n.By) + " has it"
	case isClaim && gone:
		who = "gone"
	case isClaim:
		who = "open to claim in pool " + pool
	case d.Owner != "":
		who = "with " + string(d.Owner) + ", who has not responded"
	}
	subject = fmt.Sprintf("%s lead %s: %s", d.Class, d.Lead, who)
	text = fmt.Sprintf("%s\nWhy: %s", subject, n.Reason)
	if d.Deadline > 0 {
		text += "\nDue in the CRM: " + d.Deadline.Time().Format("2006-01-02 15:04:05 MST")
	}
	if site != "" {
		text += "\n" + site + "/v1/leads/" + string(d.Lead)
	}
	if isClaim && !gone {
		text += fmt.Sprintf("\nThe first to claim it has it: leadroute leads claim %s --rep %s", d.Lead, d.Owner)
	}
	return subject, text
}

// slackEscapes keep what a lead says from being read as a link, a mention or <!channel>,
// https://docs.slack.dev/messaging/formatting-message-text#escaping.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// cut shortens a text to at most so many characters, and shows that it did.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
