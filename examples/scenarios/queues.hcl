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

queue "urgent_first" {
  order = "deadline"
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
