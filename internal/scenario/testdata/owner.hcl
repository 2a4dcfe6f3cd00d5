# The account's owner comes first, in whatever way a lead comes back to its targets; and
# where the owner is unknown, gone or nobody, the others have it.
policy "owner" {
  timezone = "UTC"
}

schema "lead" {
  field "account.owner" {
    type = string
  }
  field "way" {
    type   = string
    values = ["waits", "full", "even", "steps"]
  }
}

priority "P1" {
  when = lead.way == "steps"
  step "hand_over" {
    every    = "5m"
    reassign = "next"
    at_most  = 2
  }
}

priority "P2" {
}

hours "late" {
  timezone = "UTC"
  week     = { "mon-sun" = "10:10-18:00" }
}

rep "ana" {
  email = "ana@example.com"
  capacity {
    open = 1
  }
}

rep "ben" {
  email = "ben@example.com"
}

rep "cleo" {
  email = "cleo@example.com"
  hours = hours.late
}

pool "desk" {
  members = [rep.ben]
}

rule "even" {
  when = lead.way == "even"
  assign {
    to           = rep_by_id(lead.account.owner)
    even_if_full = true
  }
  assign {
    to = queue.wait
  }
}

rule "waits" {
  when = lead.way == "waits"
  to   = [rep_by_id(lead.account.owner), queue.wait]
}

rule "all" {
  assign {
    to     = rep_by_id(lead.account.owner)
    accept = "1m"
  }
  assign {
    to = pool.desk
  }
  assign {
    to = queue.wait
  }
}

queue "wait" {
}

destination "crm" {
  webhook {
    url = "https://crm.example.com"
  }
}

scenario "the owner has it" {
  arrive "it" {
    lead = { account = { owner = "ana" } }
  }
  respond {
    at = "30s"
  }
  expect {
    at    = "1s"
    owner = "ana"
  }
  expect {
    at    = "1h"
    owner = "ana"
  }
}

scenario "whoever the owner is, somebody has it" {
  arrive "unknown" {
    lead = { account = { owner = "nobody-here" } }
  }
  arrive "none" {
    lead = { score = 1 }
  }
  arrive "off shift" {
    lead = { account = { owner = "cleo" } }
  }
  expect {
    at    = "1s"
    lead  = "unknown"
    owner = "ben"
  }
  expect {
    at    = "1s"
    lead  = "none"
    owner = "ben"
  }
  expect {
    at    = "1s"
    lead  = "off shift"
    owner = "ben"
  }
}

scenario "a full owner is passed over, but for what must be the owner's" {
  arrive "first" {
    lead = { account = { owner = "ana" } }
  }
  arrive "second" {
    at   = "10s"
    lead = { account = { owner = "ana" } }
  }
  arrive "third" {
    at   = "10s"
    lead = { account = { owner = "ana" }, way = "even" }
  }
  respond {
    at   = "5s"
    lead = "first"
  }
  expect {
    at    = "11s"
    lead  = "first"
    owner = "ana"
  }
  expect {
    at    = "11s"
    lead  = "second"
    owner = "ben"
  }
  expect {
    at    = "11s"
    lead  = "third"
    owner = "ana"
  }
}

scenario "it waits for the owner's shift" {
  arrive "it" {
    lead = { account = { owner = "cleo" }, way = "waits" }
  }
  expect {
    at    = "9m59s"
    owner = null
  }
  expect {
    at    = "10m1s"
    owner = "cleo"
  }
}

scenario "it waits for an owner who is unknown, and is nobody's" {
  arrive "it" {
    lead = { account = { owner = "nobody-here" }, way = "waits" }
  }
  expect {
    at    = "1h"
    owner = null
  }
}

scenario "an owner who does not respond loses it to the next" {
  arrive "it" {
    lead = { account = { owner = "ana" } }
  }
  expect {
    at    = "59s"
    owner = "ana"
  }
  expect {
    at     = "1m1s"
    owner  = "ben"
    reason = "accept"
  }
  expect {
    at    = "1h"
    owner = "ben"
  }
}

scenario "an owner who did not respond comes behind the pools from then on" {
  arrive "it" {
    lead = { account = { owner = "ana" }, way = "steps" }
  }
  expect {
    at    = "1m1s"
    owner = "ben"
  }
  expect {
    at     = "6m5s"
    owner  = "ben"
    reason = "sla:P1/hand_over"
  }
}
