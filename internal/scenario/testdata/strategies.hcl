# A story for each strategy of a pool and what goes with it.
policy "strategies" {
  timezone = "UTC"
}

schema "lead" {
  field "to" {
    type   = string
    values = ["turns", "average", "full", "weights", "loads", "fit", "claim", "claim_or_next", "new", "two"]
  }
  field "language" {
    type   = string
    values = ["de", "en"]
  }
}

priority "P1" {
  deliver_within = "1h"
}

hours "late" {
  timezone = "UTC"
  week     = { "mon-sun" = "10:10-18:00" }
}

rep "ana" {
  email     = "ana@example.com"
  languages = ["en"]
  weight    = 2
}

rep "ben" {
  email     = "ben@example.com"
  languages = ["de", "en"]
  weight    = 1
}

rep "cleo" {
  email     = "cleo@example.com"
  languages = ["en"]
  hours     = hours.late
}

channel "floor" {
  slack {
    to = rep.slack_id
  }
}

pool "turns" {
  members = [rep.ana, rep.ben, rep.cleo]
}

pool "average" {
  members  = [rep.ana, rep.ben, rep.cleo]
  catch_up = "average"
}

pool "full" {
  members  = [rep.ana, rep.ben, rep.cleo]
  catch_up = "full"
}

pool "weights" {
  members  = [rep.ana, rep.ben]
  strategy = "weighted"
}

pool "loads" {
  members  = [rep.ana, rep.ben]
  strategy = "least_loaded"
}

pool "fit" {
  members  = [rep.ana, rep.ben]
  strategy = "best_fit"
  prefer   = contains(rep.languages, lead.language)
}

pool "claim" {
  members  = [rep.ana, rep.ben, rep.cleo]
  strategy = "claim"
  require  = !has(lead.language) || contains(rep.languages, lead.language)
  notify   = [channel.floor]
}

pool "new" {
  members = [rep.ana, rep.ben]
  ramp    = { weeks = 4, from = 0.25 }
}

pool "two" {
  members     = [rep.ben, rep.cleo]
  min_present = 2
}

rule "claim_or_next" {
  when = lead.to == "claim_or_next"
  assign {
    to     = pool.claim
    accept = "30s"
  }
  assign {
    to = pool.loads
  }
  assign {
    to = queue.wait
  }
}

rule "two" {
  when = lead.to == "two"
  to   = [pool.two, pool.turns, queue.wait]
}

rule "turns" {
  when = lead.to == "turns"
  to   = [pool.turns, queue.wait]
}

rule "average" {
  when = lead.to == "average"
  to   = [pool.average, queue.wait]
}

rule "full" {
  when = lead.to == "full"
  to   = [pool.full, queue.wait]
}

rule "weights" {
  when = lead.to == "weights"
  to   = [pool.weights, queue.wait]
}

rule "loads" {
  when = lead.to == "loads"
  to   = [pool.loads, queue.wait]
}

rule "fit" {
  when = lead.to == "fit"
  to   = [pool.fit, queue.wait]
}

rule "new" {
  when = lead.to == "new"
  to   = [pool.new, queue.wait]
}

rule "claim" {
  to = [pool.claim, queue.wait]
}

queue "wait" {}

destination "crm" {
  webhook {
    url = "https://crm.example.com"
  }
}

scenario "in turn, and who comes late has lost the turns" {
  arrive "l1" {
    lead = { to = "turns" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "turns" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "turns" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "turns" }
  }
  arrive "l5" {
    at   = "4m"
    lead = { to = "turns" }
  }
  arrive "l6" {
    at   = "10m"
    lead = { to = "turns" }
  }
  arrive "l7" {
    at   = "11m"
    lead = { to = "turns" }
  }
  arrive "l8" {
    at   = "12m"
    lead = { to = "turns" }
  }
  arrive "l9" {
    at   = "13m"
    lead = { to = "turns" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l5"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l6"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l7"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l8"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l9"
    owner = "ben"
  }
}

scenario "average keeps the turn of the round under way" {
  arrive "l1" {
    lead = { to = "average" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "average" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "average" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "average" }
  }
  arrive "l5" {
    at   = "4m"
    lead = { to = "average" }
  }
  arrive "l6" {
    at   = "10m"
    lead = { to = "average" }
  }
  arrive "l7" {
    at   = "11m"
    lead = { to = "average" }
  }
  arrive "l8" {
    at   = "12m"
    lead = { to = "average" }
  }
  arrive "l9" {
    at   = "13m"
    lead = { to = "average" }
  }
  arrive "l10" {
    at   = "14m"
    lead = { to = "average" }
  }
  arrive "l11" {
    at   = "15m"
    lead = { to = "average" }
  }
  arrive "l12" {
    at   = "16m"
    lead = { to = "average" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l5"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l6"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l7"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l8"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l9"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l10"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l11"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l12"
    owner = "ana"
  }
}

scenario "full makes up for all turns, never two in a row" {
  arrive "l1" {
    lead = { to = "full" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "full" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "full" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "full" }
  }
  arrive "l5" {
    at   = "4m"
    lead = { to = "full" }
  }
  arrive "l6" {
    at   = "10m"
    lead = { to = "full" }
  }
  arrive "l7" {
    at   = "11m"
    lead = { to = "full" }
  }
  arrive "l8" {
    at   = "12m"
    lead = { to = "full" }
  }
  arrive "l9" {
    at   = "13m"
    lead = { to = "full" }
  }
  arrive "l10" {
    at   = "14m"
    lead = { to = "full" }
  }
  arrive "l11" {
    at   = "15m"
    lead = { to = "full" }
  }
  arrive "l12" {
    at   = "16m"
    lead = { to = "full" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l5"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l6"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l7"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l8"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l9"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l10"
    owner = "cleo"
  }
  expect {
    at    = "20m"
    lead  = "l11"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l12"
    owner = "cleo"
  }
}

scenario "weights" {
  arrive "l1" {
    lead = { to = "weights" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "weights" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "weights" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "weights" }
  }
  arrive "l5" {
    at   = "4m"
    lead = { to = "weights" }
  }
  arrive "l6" {
    at   = "10m"
    lead = { to = "weights" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l5"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l6"
    owner = "ana"
  }
}

scenario "whoever holds the fewest" {
  arrive "l1" {
    lead = { to = "loads" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "loads" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "loads" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "loads" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ben"
  }
}

scenario "whoever fits" {
  arrive "german" {
    lead = { to = "fit", language = "de" }
  }
  arrive "another" {
    at   = "1m"
    lead = { to = "fit", language = "de" }
  }
  arrive "english" {
    at   = "2m"
    lead = { to = "fit", language = "en" }
  }
  expect {
    at    = "5m"
    lead  = "german"
    owner = "ben"
  }
  expect {
    at    = "5m"
    lead  = "another"
    owner = "ben"
  }
  expect {
    at    = "5m"
    lead  = "english"
    owner = "ana"
  }
}

scenario "a new rep has a quarter" {
  reps = {
    ben = { started_on = "2026-01-14" }
  }
  arrive "l1" {
    lead = { to = "new" }
  }
  arrive "l2" {
    at   = "1m"
    lead = { to = "new" }
  }
  arrive "l3" {
    at   = "2m"
    lead = { to = "new" }
  }
  arrive "l4" {
    at   = "3m"
    lead = { to = "new" }
  }
  arrive "l5" {
    at   = "4m"
    lead = { to = "new" }
  }
  arrive "l6" {
    at   = "10m"
    lead = { to = "new" }
  }
  expect {
    at    = "20m"
    lead  = "l1"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l2"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l3"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l4"
    owner = "ana"
  }
  expect {
    at    = "20m"
    lead  = "l5"
    owner = "ben"
  }
  expect {
    at    = "20m"
    lead  = "l6"
    owner = "ana"
  }
}

scenario "too few are there" {
  arrive "early" {
    lead = { to = "two" }
  }
  arrive "later" {
    at   = "11m"
    lead = { to = "two" }
  }
  expect {
    at    = "12m"
    lead  = "early"
    owner = "ana"
  }
  expect {
    at    = "12m"
    lead  = "later"
    owner = "ben"
  }
}

scenario "the first to claim has it" {
  arrive "it" {
    lead = { to = "claim" }
  }
  claim {
    at  = "10s"
    rep = "ben"
  }
  claim {
    at  = "10s"
    rep = "ana"
  }
  expect {
    at       = "9s"
    owner    = null
    notified = [channel.floor]
    reason   = "claim:claim"
  }
  expect {
    at       = "11s"
    owner    = "ben"
    notified = [channel.floor]
    reason   = "claim:claim/gone"
  }
}

scenario "who may not claim leaves it to the others" {
  arrive "german" {
    lead = { to = "claim", language = "de" }
  }
  claim {
    at  = "5s"
    rep = "ana"
  }
  claim {
    at  = "10s"
    rep = "cleo"
  }
  claim {
    at  = "20s"
    rep = "ben"
  }
  expect {
    at    = "19s"
    owner = null
  }
  expect {
    at    = "21s"
    owner = "ben"
  }
}

scenario "nobody claims in time" {
  arrive "it" {
    lead = { to = "claim_or_next" }
  }
  claim {
    at  = "31s"
    rep = "ben"
  }
  expect {
    at    = "29s"
    owner = null
  }
  expect {
    at    = "31s"
    owner = "ana"
  }
}

scenario "what waits is open to claim again" {
  arrive "it" {
    lead = { to = "claim" }
  }
  claim {
    at  = "5m"
    rep = "ana"
  }
  expect {
    at    = "4m"
    owner = null
  }
  expect {
    at    = "5m1s"
    owner = "ana"
  }
}
