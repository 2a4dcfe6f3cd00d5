package dsl

import (
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// rep "ana" { ... } is a rep whom the policy, not the HR feed, defines.
func repBlock() *blockSpec {
	return &blockSpec{
		name: "rep", labels: 1,
		attrs:    words("email crm_id name team region timezone hours shifts holidays away weight skills languages started_on"),
		nested:   []*blockSpec{capacityBlock()},
		required: words("email"),
		build:    (*compiler).rep,
	}
}

// capacityBlock has the caps and their prices.
func capacityBlock() *blockSpec {
	return &blockSpec{name: "capacity", once: true, attrs: words("open per_hour per_day per_week cost")}
}

func (c *compiler) capacity(b body) leadroute.Caps {
	n := b.only("capacity")
	if n == nil {
		return leadroute.Caps{}
	}
	return leadroute.Caps{
		Open: c.whole(n.body, "open", 1), PerHour: c.whole(n.body, "per_hour", 1),
		PerDay: c.whole(n.body, "per_day", 1), PerWeek: c.whole(n.body, "per_week", 1),
	}
}

func (c *compiler) rep(b *block) {
	r := leadroute.Rep{ID: leadroute.RepID(b.name), Hours: c.ref(b.body, "hours", "hours"), Caps: c.capacity(b.body)}
	r.Email, _ = c.text(b.body, "email")
	if r.Email != "" && !strings.Contains(r.Email, "@") {
		c.report(invalidValue, b.attr("email").Expr.Range(), "%q is no e-mail address.", r.Email)
	}
	r.CRMID, _ = c.text(b.body, "crm_id")
	r.Name, _ = c.text(b.body, "name")
	r.Team, _ = c.text(b.body, "team")
	r.Region, _ = c.text(b.body, "region")
	if z := c.zone(b.body, "timezone"); z != nil {
		r.Timezone = z.String()
	}
	r.Skills, _ = c.texts(b.body, "skills")
	r.Languages, _ = c.texts(b.body, "languages")
	if w, ok := c.number(b.body, "weight"); ok {
		if w <= 0 {
			c.report(invalidValue, b.attr("weight").Expr.Range(), "A weight is above zero. To give a rep no leads, take them out of the pool.")
		}
		r.Weight = w
	}
	if n := b.only("capacity"); n != nil {
		r.Cost = c.classCosts(n.body)
	}
	c.times(b.body, &r)
	c.plan.Reps = append(c.plan.Reps, r)
}

// times reads when the rep is there.
func (c *compiler) times(b body, r *leadroute.Rep) {
	if k, ok := c.value(b, "shifts"); ok {
		r.Shifts = c.week(k, "shifts")
	}
	r.Holidays = c.refs(b, "holidays", "calendar")
	if s, ok := c.text(b, "started_on"); ok {
		r.StartedOn = s
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			c.report(invalidDate, b.attr("started_on").Expr.Range(), `%q is no day%s. Write year-month-day: "2026-01-14".`, s, leadroute.DayHint(s))
		}
	}
	if k, ok := c.value(b, "away"); ok {
		r.Away = c.aways(k)
	}
}

// aways reads one time out of the office or a list of them.
func (c *compiler) aways(k constant) (all []leadroute.Away) {
	list, isList := k.v.([]constant)
	if !isList {
		list = []constant{k}
	}
	if len(list) > leadroute.MaxAway {
		c.report(outOfRange, k.rng, "A rep has at most %d times out of the office; leave out what is over.", leadroute.MaxAway)
		return nil
	}
	for _, k := range list {
		all = append(all, c.away(k))
	}
	return all
}

// away reads { from = "2026-12-24", until = "2026-12-31", reason = "vacation" }.
func (c *compiler) away(k constant) (a leadroute.Away) {
	o, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, `A time out of the office is an object: { from = "2026-12-24", until = "2026-12-31", reason = "vacation" }.`)
		return a
	}
	for _, it := range o.items {
		s, isText := it.v.(string)
		switch {
		case it.key != "from" && it.key != "until" && it.key != "reason":
			c.report(unknownAttribute, it.keyRng, "A time out of the office has from, until and reason, not %q.", it.key)
		case !isText:
			c.report(wrongType, it.rng, "%s is a text, not %s.", it.key, kindOf(it.v))
		case it.key == "reason":
			if a.Reason = s; leadroute.BadReason(s) {
				c.report(invalidValue, it.rng, `The reason is a word, such as "vacation".`)
			}
		default:
			m, err := leadroute.ParseMoment(s)
			if err != nil {
				c.report(invalidDate, it.rng, `%q is no moment%s. Write a day, "2026-12-24", or an instant with its zone, "2026-12-24T12:00:00+01:00".`, s, leadroute.DayHint(s))
			}
			if it.key == "from" {
				a.From = m
			} else {
				a.Until = m
			}
		}
	}
	if a.Never() {
		c.report(invalidValue, o.get("until").rng, "until lies before from: this is never. Write them the other way round; the last day is a whole one.")
	}
	return a
}
