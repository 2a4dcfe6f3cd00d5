package dsl

import (
	"strings"

	"github.com/leadroute/leadroute"
)

// rep "ana" { ... } is a rep whom the policy, not the HR feed, defines.
func repBlock() *blockSpec {
	return &blockSpec{
		name: "rep", labels: 1,
		attrs:    words("email crm_id name team region timezone hours weight skills languages"),
		nested:   []*blockSpec{capacityBlock("")},
		required: words("email"),
		build:    (*compiler).rep,
	}
}

// capacityBlock has the caps, and what else a pool's has.
func capacityBlock(more string) *blockSpec {
	return &blockSpec{name: "capacity", once: true, attrs: words("open per_hour per_day per_week " + more)}
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
	c.plan.Reps = append(c.plan.Reps, r)
}
