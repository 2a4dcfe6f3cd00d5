# How leads wait: a queue for each attribute. There is one rep, who works from eleven o'clock and
# takes one lead an hour, so that the order shows.

policy "queues" {
  timezone = "UTC"
}

schema "lead" {
  field "queue" {
    type = string
  }
  field "class" {
    type = string
  }
}

hours "from_eleven" {
  timezone = "UTC"
  week     = { "mon-fri" = "11:00-18:00" }
}

priority "Slow" {
  when           = lead.class == "slow"
  deliver_within = "8h" # leadroute:ignore LR092 that leads wait is the point here
}

priority "Fast" {
  when           = lead.class == "fast"
  deliver_within = "1m"
}

priority "Normal" {
  deliver_within = "1h"
}

rep "ana" {
  email = "ana@example.com"
  hours = hours.from_eleven
  capacity {
    per_hour = 1
  }
}

rep "ben" {
  email = "ben@example.com"
}

rep "dee" {
  email = "dee@example.com"
}

pool "all" {
  members = [rep.ana]
}

pool "reserve" {
  members = [rep.ben]
}

channel "managers" {
  webhook {
    url = "https://chat.example.com/managers"
  }
}

destination "crm" {
  webhook {
    url = "https://crm.example.com/leads"
  }
}

queue "urgent_first" {
  order = "deadline"
}

queue "by_class" {
  order = "priority"
}

queue "in_turn" {
  order = "arrival"
}

queue "watched" {
  alert_after = "15m"
  alert       = [channel.managers]
}

queue "known_to_the_crm" {
  crm_id = "005QUEUE"
}

queue "with_a_reserve" {
  drain_to = pool.reserve
}

queue "bounded" {
  max_wait = "10m"
  then     = pool.reserve
}

queue "two_rooms" {
  max_wait = "10m"
  then     = queue.with_a_reserve
}

rule "urgent_first" {
  when = lead.queue == "urgent_first"
  to   = [pool.all, queue.urgent_first]
}

rule "by_class" {
  when = lead.queue == "by_class"
  to   = [pool.all, queue.by_class]
}

rule "in_turn" {
  when = lead.queue == "in_turn"
  to   = [pool.all, queue.in_turn]
}

rule "watched" {
  when = lead.queue == "watched"
  to   = [pool.all, queue.watched]
}

rule "known_to_the_crm" {
  when = lead.queue == "known_to_the_crm"
  to   = [pool.all, queue.known_to_the_crm]
}

rule "with_a_reserve" {
  when = lead.queue == "with_a_reserve"
  to   = [pool.all, queue.with_a_reserve]
}

rule "bounded" {
  when = lead.queue == "bounded"
  to   = [pool.all, queue.bounded]
}

rule "two_rooms" {
  to = [pool.all, queue.two_rooms]
}

# covers: queue.order = deadline
scenario "the lead whose time is up first" {
  arrive "slow" {
    lead = { queue = "urgent_first", class = "slow" }
  }
  arrive "normal" {
    at   = "1m"
    lead = { queue = "urgent_first" }
  }
  arrive "fast" {
    at   = "2m"
    lead = { queue = "urgent_first", class = "fast" }
  }
  expect {
    at    = "1h5s"
    lead  = "fast"
    owner = "ana"
  }
  expect {
    at    = "2h10s"
    lead  = "normal"
    owner = "ana"
  }
  expect {
    at    = "3h20s"
    lead  = "slow"
    owner = "ana"
  }
}

# covers: queue.drain_to
scenario "the queue has helpers of its own" {
  arrive "the lead" {
    lead = { queue = "with_a_reserve" }
  }
  expect {
    at    = "2s"
    owner = "ben"
  }
}

# covers: queue.max_wait, queue.then
scenario "who has waited for ten minutes goes to the reserve" {
  arrive "the lead" {
    lead = { queue = "bounded" }
  }
  expect {
    at    = "9m59s"
    owner = null
  }
  expect {
    at    = "10m1s"
    owner = "ben"
  }
}

# covers: queue.max_wait, queue.then
scenario "or to another queue" {
  arrive "the lead" {
    lead = { queue = "two_rooms" }
  }
  expect {
    at    = "9m59s"
    owner = null
  }
  expect {
    at    = "10m2s"
    owner = "ben"
  }
}

# The slow class stands first in this policy.
# covers: queue.order = priority
scenario "the class that stands first, then the lead whose time is up first" {
  arrive "fast" {
    lead = { queue = "by_class", class = "fast" }
  }
  arrive "later slow" {
    at   = "2m"
    lead = { queue = "by_class", class = "slow" }
  }
  arrive "slow" {
    at   = "1m"
    lead = { queue = "by_class", class = "slow" }
  }
  expect {
    at    = "1h5s"
    lead  = "slow"
    owner = "ana"
  }
  expect {
    at    = "2h10s"
    lead  = "later slow"
    owner = "ana"
  }
  expect {
    at    = "2h10s"
    lead  = "fast"
    queue = queue.by_class
  }
  expect {
    at    = "3h20s"
    lead  = "fast"
    owner = "ana"
  }
}

# covers: queue.order = arrival
scenario "who came first, however urgent the others are" {
  arrive "normal" {
    lead = { queue = "in_turn" }
  }
  arrive "fast" {
    at   = "1m"
    lead = { queue = "in_turn", class = "fast" }
  }
  expect {
    at    = "1h5s"
    lead  = "normal"
    owner = "ana"
  }
  expect {
    at    = "1h5s"
    lead  = "fast"
    queue = queue.in_turn
  }
}

# covers: queue.alert_after, queue.alert
scenario "the managers are told once when the oldest lead has waited for too long" {
  arrive "the lead" {
    lead = { queue = "watched" }
  }
  arrive "another" {
    at   = "10m"
    lead = { queue = "watched" }
  }
  expect {
    at       = "14m58s"
    lead     = "the lead"
    notified = []
  }
  expect {
    at       = "15m5s"
    lead     = "the lead"
    notified = [channel.managers]
    reason   = "queue:watched/alert_after"
  }
  expect {
    at       = "40m"
    lead     = "another"
    notified = []
  }
}

# covers: queue.crm_id
scenario "the CRM shows whom it waits for, until a rep has it" {
  arrive "the lead" {
    lead = { queue = "known_to_the_crm" }
  }
  expect {
    at    = "1s"
    owner = null
    queue = queue.known_to_the_crm
    crm   = "005QUEUE"
  }
  expect {
    at    = "1h5s"
    owner = "ana"
    queue = null
    crm   = "ana"
  }
}

scenario "two queues wait for one pool: the lead whose time is up first is next" {
  arrive "normal" {
    lead = { queue = "urgent_first" }
  }
  arrive "fast" {
    at   = "1m"
    lead = { queue = "in_turn", class = "fast" }
  }
  expect {
    at    = "1h5s"
    lead  = "fast"
    owner = "ana"
  }
  expect {
    at    = "2h10s"
    lead  = "normal"
    owner = "ana"
  }
}

scenario "a lead that is held rests: it does not move on, and goes on with what was left" {
  arrive "the lead" {
    lead = { queue = "bounded" }
  }
  hold {
    at    = "4m"
    until = "34m"
  }
  expect {
    at    = "30m"
    owner = null
    queue = queue.bounded
  }
  expect {
    at    = "39m58s"
    owner = null
  }
  expect {
    at    = "40m1s"
    owner = "ben"
  }
}

scenario "until an operator releases it" {
  arrive "the lead" {
    lead = { queue = "with_a_reserve" }
    at   = "1m"
  }
  arrive "held" {
    lead = { queue = "bounded" }
  }
  hold {
    at   = "1s"
    lead = "held"
  }
  release {
    at   = "5h"
    lead = "held"
  }
  expect {
    at    = "4h59m"
    lead  = "held"
    owner = null
  }
  expect {
    at    = "5h2s"
    lead  = "held"
    owner = "ana"
  }
}
