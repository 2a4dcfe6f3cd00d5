package dsl

import (
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
)

// channel "ops" { ... } is where people are told.
func channelBlock() *blockSpec {
	return &blockSpec{
		name: "channel", labels: 1,
		nested: []*blockSpec{
			webhookBlock(),
			{name: "slack", once: true, attrs: words("url"), attrsLater: words("to when")},
			later("email"), later("sms"), later("pager"),
		},
		build: (*compiler).channel,
	}
}

func (c *compiler) channel(b *block) {
	ch := plan.Channel{Name: b.name}
	hook, slack := b.only("webhook"), b.only("slack")
	switch {
	case hook != nil && slack != nil:
		c.report(notSupportedYet, slack.rng, "A channel with two ways is part of the language, but this version does not run it yet.")
	case hook != nil:
		ch.Webhook = c.webhook(hook.body)
	case slack != nil:
		ch.Slack = &plan.Slack{URL: c.link(slack.body, "url")}
		if slack.attr("url") == nil && slack.attr("to") == nil && !c.brokenWithin(slack.full) {
			c.report(missingAttribute, slack.rng, "The block \"slack\" needs the attribute \"url\".")
		}
	case len(b.hcl.Blocks) == 0 && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, "A channel needs a way: webhook { url = ... } or slack { url = ... }.")
	}
	c.plan.Channels = append(c.plan.Channels, ch)
}

func webhookBlock() *blockSpec {
	return &blockSpec{name: "webhook", once: true, attrs: words("url sign key"), attrsLater: words("method headers body"), required: words("url")}
}

func (c *compiler) webhook(b body) *plan.Webhook {
	w := &plan.Webhook{URL: c.link(b, "url"), Sign: c.word(b, "sign", "standard-webhooks")}
	key, hasKey := c.secret(b, "key")
	w.Key = key
	switch {
	case w.Sign != "" && b.attr("key") == nil && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.attr("sign").NameRange, `Signing needs a key: key = secret("NAME").`)
	case hasKey && b.attr("sign") == nil:
		c.report(missingAttribute, b.attr("key").NameRange, `The key is not used: add sign = "standard-webhooks".`)
	case hasKey && key.Name == "":
		if !strings.HasPrefix(key.Literal, "whsec_") {
			c.report(invalidValue, b.attr("key").Expr.Range(), `A key begins with "whsec_".`)
		}
		c.report(secretInPolicy, b.attr("key").Expr.Range(), `Everybody who reads the policy reads the key. Write secret("NAME"), and set NAME in the environment of leadroute run.`)
	}
	return w
}
