# The response SLA of an enterprise: owner, desk, duty manager.

policy "inbound" {
  timezone = "UTC"
}

schema "lead" {
  field "id" {
    type     = string
    required = true
  }
  field "arr" {
    type = number
  }
  field "intent" {
    type   = string
    values = ["contact_sales", "demo", "trial"]
  }
  field "score" {
    type = number
  }
  field "account.tier" {
    type   = string
    values = ["strategic", "named", "growth"]
  }
  field "account.owner" {
    type = string
  }
}

hours "office" {
  timezone = "Europe/London"
  week     = { "mon-fri" = "09:00-17:00" }
}

channel "owner_push" {
  slack {
    url = secret("SLACK_OWNER_URL")
  }
}

channel "managers" {
  slack {
    url = secret("SLACK_MANAGERS_URL")
  }
}

channel "duty_manager" {
  webhook {
    url = secret("PAGER_URL")
  }
}

priority "P0" {
  when           = lead.account.tier == "strategic"
  deliver_within = "1m"
  respond_within = "5m"
  clock          = "always"

  step "nudge" {
    after  = "30s"
    notify = [channel.owner_push]
  }
  step "hand_over" {
    after    = "1m"
    reassign = "next"
    pause    = "20m"
    notify   = [channel.owner_push, channel.managers]
  }
  step "page" {
    after    = "3m"
    reassign = pool.strategic_desk
    notify   = [channel.duty_manager]
  }
}

priority "P1" {
  deliver_within = "5m"
  respond_within = "30m"
  clock          = "pool_hours"

  step "hand_over" {
    every    = "5m"
    reassign = "next"
    notify   = [channel.managers]
    at_most  = 3
  }
}

pool "strategic_desk" {
  members_where = rep.desk == "strategic"
  strategy      = "least_loaded"
}

pool "growth" {
  members_where = rep.role == "ae"
  strategy      = "round_robin"
  hours         = hours.office
}

queue "overnight" {
  drain_to = pool.growth
}

rule "strategic" {
  when = lead.account.tier == "strategic"
  assign {
    to     = rep_by_id(lead.account.owner)
    accept = "30s"
  }
  assign { to = pool.strategic_desk }
}

rule "rest" {
  to = [pool.growth, queue.overnight]
}

destination "crm" {
  webhook {
    url = "https://crm.example.com/leads"
  }
}

scenario "the owner does not answer a strategic lead" {
  start = "2026-02-10T15:00:00Z"
  reps = {
    u-77 = { name = "Owner", status = "available" }
    u-80 = { name = "Desk A", desk = "strategic", status = "available" }
    u-81 = { name = "Desk B", desk = "strategic", status = "available" }
  }
  arrive "the lead" {
    at   = "0s"
    lead = { id = "00Q9", intent = "contact_sales", arr = 400000, score = 80, account = { tier = "strategic", owner = "u-77" } }
  }
  expect {
    at    = "1s"
    owner = "u-77"
  }
  expect {
    at    = "31s"
    owner = "u-80"
  }
  expect {
    at       = "3m1s"
    notified = [channel.duty_manager]
    reason   = "sla:P0/page"
  }
}

scenario "it is handed on, and who lost it rests" {
  start = "2026-02-10T15:00:00Z"
  reps = {
    u-77 = { status = "away" }
    u-80 = { desk = "strategic" }
    u-81 = { desk = "strategic" }
  }
  arrive "first" {
    lead = { id = "a", account = { tier = "strategic", owner = "u-77" } }
  }
  arrive "second" {
    at   = "2m"
    lead = { id = "b", account = { tier = "strategic", owner = "u-77" } }
  }
  respond {
    at   = "1m30s"
    lead = "first"
  }
  expect {
    at    = "59s"
    lead  = "first"
    owner = "u-80"
  }
  expect {
    at     = "1m"
    lead   = "first"
    owner  = "u-81"
    reason = "sla:P0/hand_over"
  }
  expect {
    at       = "1h"
    lead     = "first"
    owner    = "u-81"
    notified = [channel.owner_push, channel.managers]
  }
  expect {
    at    = "2m"
    lead  = "second"
    owner = "u-81" # u-80 rests, though the desk is empty
  }
}

scenario "a lead of the evening waits for the office" {
  start = "2026-02-10T16:58:00Z"
  reps = {
    ana = { role = "ae" }
    ben = { role = "ae" }
  }
  arrive "early" {
    lead = { id = "a", score = 1 }
  }
  arrive "late" {
    at   = "3m"
    lead = { id = "b", score = 1 }
  }
  expect {
    at       = "15h"
    lead     = "early"
    owner    = "ana"
    notified = []
  }
  expect {
    at    = "16h1m"
    lead  = "late"
    owner = null
  }
  expect {
    at       = "16h5m1s"
    lead     = "early"
    owner    = "ben"
    notified = [channel.managers]
    reason   = "sla:P1/hand_over"
  }
}
