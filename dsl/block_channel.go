package dsl

import (
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
)

// channel "ops" { ... } is where people are told, by each of its ways.
func channelBlock() *blockSpec {
	hook := webhookBlock()
	hook.attrs = append(hook.attrs, "when", "rate_limit")
	return &blockSpec{
		name: "channel", labels: 1,
		nested: []*blockSpec{
			hook,
			{name: plan.WaySlack, once: true, attrs: words("url to when text allow_pii rate_limit")},
			{name: plan.WayEmail, once: true, attrs: words("to when subject text allow_pii rate_limit"), required: words("to")},
			{name: plan.WaySMS, once: true, attrs: words("to when text allow_pii rate_limit"), required: words("to")},
			{name: plan.WayPager, once: true, attrs: words("url to when summary severity resolve allow_pii rate_limit")},
		},
		build: (*compiler).channel,
	}
}

func (c *compiler) channel(b *block) {
	ch := plan.Channel{Name: b.name}
	for _, spec := range b.spec.nested {
		if w := b.only(spec.name); w != nil {
			ch.Ways = append(ch.Ways, c.way(w, spec.name))
		}
	}
	if len(b.hcl.Blocks) == 0 && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "A channel needs a way: slack { url = ... }, email { to = ... }, sms { to = ... }, pager { url = ... } or webhook { url = ... }.")
	}
	c.plan.Channels = append(c.plan.Channels, ch)
}

func (c *compiler) way(b *block, kind string) plan.Way {
	w := plan.Way{Kind: kind, RatePerSec: c.rate(b.body, "rate_limit")}
	if kind == plan.WayWebhook {
		w.Webhook, w.Shape = c.webhook(b.body, nil)
	} else {
		w.URL = c.link(b.body, "url")
		c.recipient(b.body, &w)
		c.wording(b.body, &w)
		if (kind == plan.WaySlack || kind == plan.WayPager) && b.attr("url") == nil && b.attr("to") == nil && !c.brokenWithin(b.full) {
			c.report(missingAttribute, b.rng, "The block %q needs the attribute \"url\", or \"to\".", kind)
		}
	}
	if a := b.attr("when"); a != nil {
		w.When = c.leadScope(decided{priority: true, territory: true}).condition(a.Expr)
	}
	return w
}

// wording reads what the way says in the policy's own words.
func (c *compiler) wording(b body, w *plan.Way) {
	s := c.wordScope(!c.flag(b, "allow_pii"))
	words := plan.NewWording(s.layout)
	text := func(name string) *plan.Text {
		a := b.attr(name)
		if a == nil {
			return nil
		}
		w.Words = words
		t := s.as(text, s.check(a.Expr))
		if t.kind != text {
			return nil
		}
		return &t.text
	}
	words.Text = text("text")
	words.Subject = text("subject")
	if w.Kind == plan.WayPager {
		words.Subject = text("summary")
		w.Severity, w.Resolve = c.word(b, "severity", "critical", "error", "warning", "info"), c.flag(b, "resolve")
	}
	if a := b.attr("allow_pii"); a != nil && w.Words == nil {
		c.report(notAllowedHere, a.NameRange, "The usual words hold nothing of a person: allow_pii is for a text of your own.")
	}
}

// recipient reads to = rep.slack_id, an address, or a list of addresses.
func (c *compiler) recipient(b body, w *plan.Way) {
	a := b.attr("to")
	if a == nil {
		return
	}
	if src := c.source(a.Expr.Range()); strings.Contains(src, "rep.") {
		s := c.repScope()
		if t := s.as(text, s.check(a.Expr)); t.kind == text {
			w.To = plan.TextOfRep(s.layout, t.text)
		}
		return
	}
	k, ok := c.constant(a.Expr)
	if !ok {
		return
	}
	if _, isText := k.v.(string); isText {
		k.v = []constant{k}
	}
	w.Everybody, _ = c.textList(k, "to")
	for i, s := range w.Everybody {
		rng := k.v.([]constant)[i].rng
		switch {
		case w.Kind == plan.WayEmail && (strings.Count(s, "@") != 1 || strings.ContainsAny(s, " ,")):
			c.report(invalidValue, rng, "%q is no e-mail address.", s)
		case w.Kind == plan.WaySMS && !isPhone(s):
			c.report(invalidValue, rng, `%q is no telephone number. Write it with the country: "+49301234567", or to = rep.mobile.`, s)
		case s == "":
			c.report(invalidValue, rng, "to is empty.")
		}
	}
	if len(w.Everybody) == 0 && !c.hasWithin(k.rng) {
		c.report(invalidValue, k.rng, "to is empty.")
	}
}

// isPhone tells whether the text is a number in the international form.
func isPhone(s string) bool {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimPrefix(s, "+"))
	return strings.HasPrefix(s, "+") && len(digits) >= 7 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}
