# Each attribute of a step, alone.

policy "steps" {
  timezone = "UTC"
}

schema "lead" {
  field "id" {
    type     = string
    required = true
  }
  field "kind" {
    type   = string
    values = ["parked", "repeated", "told", "paused", "office", "berlin", "once", "given"]
  }
}

channel "managers" {
  slack { url = secret("SLACK_MANAGERS_URL") }
}

channel "owner" {
  slack { to = rep.slack_id }
}

priority "parked" {
  when = lead.kind == "parked"
  step "park" {
    after    = "1m"
    reassign = queue.parked
  }
}

priority "repeated" {
  when = lead.kind == "repeated"
  step "hand_over" {
    every    = "10m"
    reassign = "next"
    at_most  = 2
  }
}

priority "told" {
  when = lead.kind == "told"
  step "nudge" {
    every   = "10m"
    at_most = 3
    notify  = [channel.owner]
  }
}

priority "paused" {
  when = lead.kind == "paused"
  step "hand_over" {
    after    = "1m"
    reassign = "next"
    pause    = "10m"
  }
}

priority "office" {
  when  = lead.kind == "office"
  clock = "pool_hours"
  step "hand_over" {
    after    = "5m"
    reassign = "next"
  }
}

priority "berlin" {
  when  = lead.kind == "berlin"
  clock = "pool_hours"
  step "hand_over" {
    after    = "5m"
    reassign = "next"
  }
}

priority "once" {
  when = lead.kind == "once"
  step "hand_over" {
    after    = "1m"
    reassign = "next"
  }
  step "tell" {
    after  = "3m"
    notify = [channel.managers]
  }
}

priority "given" {
  step "page" {
    after    = "1m"
    reassign = pool.duty
    notify   = [channel.managers]
  }
}

calendar "days" {
  dates = ["2026-12-25"]
}

hours "office" {
  week     = { "mon-fri" = "09:00-17:00" }
  holidays = [calendar.days]
}

hours "berlin" {
  timezone = "Europe/Berlin"
  week     = { "mon-fri" = "09:00-17:00" }
}

pool "all" { members_where = rep.role == "ae" }

pool "duty" { members_where = rep.role == "duty" }

pool "office" {
  members_where = rep.role == "ae"
  hours         = hours.office
}

pool "berlin" {
  members_where = rep.role == "ae"
  hours         = hours.berlin
}

queue "wait" {}

queue "parked" { drain_to = pool.duty }

rule "office" {
  when = lead.kind == "office"
  to   = [pool.office, queue.wait]
}

rule "berlin" {
  when = lead.kind == "berlin"
  to   = [pool.berlin, queue.wait]
}

rule "rest" { to = [pool.all, queue.wait] }

destination "crm" {
  webhook { url = "https://crm.example.com/leads" }
}

scenario "reassign to a queue takes the lead from all but those whom the queue serves" {
  reps = { ana = { role = "ae" }, ben = { role = "ae" }, eve = { role = "duty", status = "away" } }
  arrive "lead" { lead = { id = "a", kind = "parked" } }
  expect {
    at    = "59s"
    owner = "ana"
  }
  expect {
    at     = "1m"
    owner  = null
    reason = "sla:parked/park"
  }
  expect {
    at    = "5h"
    owner = null
  }
}

scenario "every counts from each assignment, and at_most bounds it" {
  reps = { ana = { role = "ae" }, ben = { role = "ae" }, cy = { role = "ae" } }
  arrive "lead" { lead = { id = "a", kind = "repeated" } }
  expect {
    at    = "9m59s"
    owner = "ana"
  }
  expect {
    at     = "10m"
    owner  = "ben"
    reason = "sla:repeated/hand_over"
  }
  expect {
    at    = "19m59s"
    owner = "ben"
  }
  expect {
    at    = "20m"
    owner = "cy"
  }
  expect {
    at    = "10h"
    owner = "cy"
  }
}

scenario "a step that only tells leaves the lead where it is, until the rep responds" {
  reps = { ana = { role = "ae", slack_id = "U1" }, ben = { role = "ae" } }
  arrive "first" { lead = { id = "a", kind = "told" } }
  arrive "second" { lead = { id = "b", kind = "told" } }
  respond {
    at   = "9m"
    lead = "first"
  }
  expect {
    at       = "1h"
    lead     = "first"
    owner    = "ana"
    notified = []
  }
  expect {
    at       = "9m59s"
    lead     = "second"
    notified = []
  }
  expect {
    at       = "10m"
    lead     = "second"
    owner    = "ben"
    notified = [channel.owner]
    reason   = "sla:told/nudge"
  }
}

scenario "who lost a lead rests for the pause, and no longer" {
  reps = { ana = { role = "ae" }, ben = { role = "ae", status = "away" } }
  arrive "taken" { lead = { id = "a", kind = "paused" } }
  arrive "in the pause" {
    at   = "10m59s"
    lead = { id = "b", kind = "told" }
  }
  expect {
    at    = "59s"
    lead  = "taken"
    owner = "ana"
  }
  expect {
    at    = "10m59s"
    lead  = "in the pause"
    owner = null
  }
  expect {
    at    = "11m2s"
    lead  = "in the pause"
    owner = "ana"
  }
}

scenario "pool_hours stand still over night, a holiday and a weekend" {
  start = "2026-12-24T16:58:00Z" # a Thursday; the day after is a day off
  reps  = { ana = { role = "ae" }, ben = { role = "ae" } }
  arrive "lead" { lead = { id = "a", kind = "office" } }
  expect {
    at    = "88h4m59s"
    owner = "ana"
  }
  expect {
    at     = "88h5m" # Monday, 09:03
    owner  = "ben"
    reason = "sla:office/hand_over"
  }
}

scenario "pool_hours follow the pool's clock when it is put forward" {
  start = "2026-03-27T15:58:00Z" # Friday, 16:58 in Berlin; the clocks change on Sunday
  reps  = { ana = { role = "ae" }, ben = { role = "ae" } }
  arrive "lead" { lead = { id = "a", kind = "berlin" } }
  expect {
    at    = "63h4m59s"
    owner = "ana"
  }
  expect {
    at     = "63h5m" # Monday, 09:03 in Berlin
    owner  = "ben"
    reason = "sla:berlin/hand_over"
  }
}

scenario "after counts once, from the first assignment" {
  reps = { ana = { role = "ae" }, ben = { role = "ae" } }
  arrive "lead" { lead = { id = "a", kind = "once" } }
  expect {
    at    = "1m"
    owner = "ben"
  }
  expect {
    at       = "2m59s"
    owner    = "ben"
    notified = []
  }
  expect {
    at       = "3m" # two minutes after ben got it
    owner    = "ben"
    notified = [channel.managers]
    reason   = "sla:once/tell"
  }
  expect {
    at    = "10h"
    owner = "ben"
  }
}

scenario "reassign to a pool and a channel in one step" {
  reps = { ana = { role = "ae" }, eve = { role = "duty" } }
  arrive "lead" { lead = { id = "a", kind = "given" } }
  expect {
    at    = "59s"
    owner = "ana"
  }
  expect {
    at       = "1m"
    owner    = "eve"
    notified = [channel.managers]
    reason   = "sla:given/page"
  }
}
