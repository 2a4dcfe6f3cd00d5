# What happens while nobody responds: each class has one kind of step. The comment above a scenario
# names the attributes of the language that it shows; without them it would not hold.

policy "steps" {
  timezone = "UTC"
}

schema "lead" {
  field "kind" {
    type = string
  }
}

channel "owner" {
  slack {
    url = secret("SLACK_OWNER_URL")
  }
}

channel "managers" {
  slack {
    url = secret("SLACK_MANAGERS_URL")
  }
}

priority "Nudge" {
  when           = lead.kind == "nudge"
  deliver_within = "1m"
  step "nudge" {
    after  = "30s"
    notify = [channel.owner]
  }
  step "hand_over" {
    after    = "10m"
    reassign = "next"
    notify   = [channel.managers]
  }
}

priority "Round" {
  when           = lead.kind == "round"
  deliver_within = "1m"
  step "take_away" {
    every    = "1m"
    reassign = "next"
    at_most  = 2
  }
}

priority "Rest" {
  when           = lead.kind == "rest"
  deliver_within = "1m"
  step "take_away" {
    after    = "1m"
    reassign = "next"
    pause    = "20m"
  }
}

priority "Desk" {
  when           = lead.kind == "desk"
  deliver_within = "1m"
  step "to_the_desk" {
    after    = "1m"
    reassign = pool.desk
    notify   = [channel.managers]
  }
}

priority "Later" {
  when           = lead.kind == "later"
  deliver_within = "1m"
  step "aside" {
    after    = "1m"
    reassign = queue.later
    notify   = [channel.managers]
  }
}

priority "Normal" {
  deliver_within = "5m"
}

rep "ana" {
  email = "ana@example.com"
}

rep "ben" {
  email = "ben@example.com"
}

rep "cy" {
  email = "cy@example.com"
}

rep "dee" {
  email = "dee@example.com"
}

pool "all" {
  members = [rep.ana, rep.ben, rep.cy]
}

pool "desk" {
  members = [rep.dee]
}

queue "later" {
  drain_to = pool.desk
}

rule "all" {
  to = [pool.all, queue.later]
}

destination "crm" {
  webhook {
    url = "https://crm.example.com/leads"
  }
}

# covers: priority.step.after, priority.step.notify
scenario "the owner is told after half a minute, and the lead stays" {
  arrive "the lead" {
    lead = { kind = "nudge" }
  }
  expect {
    at       = "29s"
    notified = []
  }
  expect {
    at       = "31s"
    owner    = "ana"
    notified = [channel.owner]
    reason   = "sla:Nudge/nudge"
  }
}

# covers: priority.step.after, priority.step.reassign
scenario "after ten minutes somebody else has it" {
  arrive "the lead" {
    lead = { kind = "nudge" }
  }
  expect {
    at    = "9m"
    owner = "ana"
  }
  expect {
    at       = "10m1s"
    owner    = "ben"
    notified = [channel.managers]
    reason   = "sla:Nudge/hand_over"
  }
}

# covers: priority.step.every, priority.step.at_most
scenario "every minute it goes on to the next, twice" {
  arrive "the lead" {
    lead = { kind = "round" }
  }
  expect {
    at    = "59s"
    owner = "ana"
  }
  expect {
    at    = "1m1s"
    owner = "ben"
  }
  expect {
    at    = "2m2s"
    owner = "cy"
  }
  expect {
    at    = "1h"
    owner = "cy"
  }
}

# covers: priority.step.pause
scenario "who lost a lead gets none for a while" {
  arrive "lost" {
    lead = { kind = "rest" }
  }
  arrive "second" {
    at   = "2m"
    lead = { kind = "normal" }
  }
  arrive "third" {
    at   = "2m"
    lead = { kind = "normal" }
  }
  expect {
    at    = "1m1s"
    lead  = "lost"
    owner = "ben"
  }
  expect {
    at    = "3m"
    lead  = "second"
    owner = "cy"
  }
  expect {
    at    = "3m"
    lead  = "third"
    owner = "ben" # it would be ana's turn
  }
}

# covers: priority.step.reassign
scenario "a step may name a pool" {
  arrive "the lead" {
    lead = { kind = "desk" }
  }
  expect {
    at     = "1m1s"
    owner  = "dee"
    reason = "sla:Desk/to_the_desk"
  }
}

# covers: priority.step.reassign
scenario "or a queue, which gives it to whom it drains" {
  arrive "the lead" {
    lead = { kind = "later" }
  }
  expect {
    at    = "59s"
    owner = "ana"
  }
  expect {
    at    = "1m2s"
    owner = "dee"
  }
}

scenario "who responds keeps the lead" {
  arrive "the lead" {
    lead = { kind = "round" }
  }
  respond {
    at = "30s"
  }
  expect {
    at       = "1h"
    owner    = "ana"
    notified = []
  }
}
