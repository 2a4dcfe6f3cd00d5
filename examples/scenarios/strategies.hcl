# In what order a pool gives leads to its reps: a pool for each strategy, and for what belongs to
# one of them.

policy "strategies" {
  timezone = "UTC"
}

schema "lead" {
  field "pool" {
    type = string
  }
  field "language" {
    type = string
  }
}

priority "P1" {
  deliver_within = "5m"
}

channel "floor" {
  slack {
    url = secret("SLACK_FLOOR_URL")
  }
}

rep "ana" {
  email     = "ana@example.com"
  weight    = 2
  languages = ["en"]
}

rep "ben" {
  email     = "ben@example.com"
  languages = ["en", "de"]
}

rep "cy" {
  email     = "cy@example.com"
  languages = ["en", "de"]
}

pool "in_turn" {
  members  = [rep.ana, rep.ben, rep.cy]
  strategy = "round_robin"
}

pool "by_weight" {
  members  = [rep.ana, rep.ben]
  strategy = "weighted"
}

pool "by_quota" {
  members_where = rep.quota > 0
  strategy      = "weighted"
  weight_by     = rep.quota
}

pool "by_load" {
  members  = [rep.ana, rep.ben, rep.cy]
  strategy = "least_loaded"
}

pool "by_fit" {
  members  = [rep.ana, rep.ben, rep.cy]
  strategy = "best_fit"
  prefer   = contains(rep.languages, lead.language)
}

pool "by_model" {
  members_where = rep.level > 0
  strategy      = "best_fit"
  model         = "models/closers.json"
}

pool "by_model_and_chance" {
  members_where = rep.level > 0
  strategy      = "best_fit"
  model         = "models/closers.json"
  explore       = 1
}

pool "whoever_claims" {
  members  = [rep.ana, rep.ben, rep.cy]
  strategy = "claim"
  notify   = [channel.floor]
}

rule "ben" {
  when = lead.pool == "ben"
  to   = [rep.ben, queue.unassigned]
}

rule "in_turn" {
  when = lead.pool == "in_turn"
  to   = [pool.in_turn, queue.unassigned]
}

rule "by_weight" {
  when = lead.pool == "by_weight"
  to   = [pool.by_weight, queue.unassigned]
}

rule "by_quota" {
  when = lead.pool == "by_quota"
  to   = [pool.by_quota, queue.unassigned]
}

rule "by_fit" {
  when = lead.pool == "by_fit"
  to   = [pool.by_fit, queue.unassigned]
}

rule "by_model" {
  when = lead.pool == "by_model"
  to   = [pool.by_model, queue.unassigned]
}

rule "by_model_and_chance" {
  when = lead.pool == "by_model_and_chance"
  to   = [pool.by_model_and_chance, queue.unassigned]
}

rule "whoever_claims" {
  when = lead.pool == "whoever_claims"
  to   = [pool.whoever_claims, queue.unassigned]
}

rule "by_load" {
  to = [pool.by_load, queue.unassigned]
}

# covers: pool.strategy = round_robin
scenario "in turn, whoever holds how much" {
  arrive "own" {
    lead = { pool = "ben" }
  }
  arrive "1" {
    at   = "1s"
    lead = { pool = "in_turn" }
  }
  arrive "2" {
    at   = "2s"
    lead = { pool = "in_turn" }
  }
  arrive "3" {
    at   = "3s"
    lead = { pool = "in_turn" }
  }
  arrive "4" {
    at   = "4s"
    lead = { pool = "in_turn" }
  }
  expect {
    at    = "5s"
    lead  = "1"
    owner = "ana"
  }
  expect {
    at    = "5s"
    lead  = "2"
    owner = "ben"
  }
  expect {
    at    = "5s"
    lead  = "3"
    owner = "cy"
  }
  expect {
    at    = "5s"
    lead  = "4"
    owner = "ana"
  }
}

# covers: pool.strategy = weighted
scenario "by weight, twice as many for ana, and not in one go" {
  arrive "1" {
    lead = { pool = "by_weight" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "by_weight" }
  }
  arrive "3" {
    at   = "2s"
    lead = { pool = "by_weight" }
  }
  arrive "4" {
    at   = "3s"
    lead = { pool = "by_weight" }
  }
  expect {
    at    = "4s"
    lead  = "1"
    owner = "ana"
  }
  expect {
    at    = "4s"
    lead  = "2"
    owner = "ben"
  }
  expect {
    at    = "4s"
    lead  = "3"
    owner = "ana"
  }
  expect {
    at    = "4s"
    lead  = "4"
    owner = "ana"
  }
}

# covers: pool.weight_by
scenario "by a column of the rep table" {
  reps = {
    eve = { quota = 1 }
    fay = { quota = 3 }
  }
  arrive "1" {
    lead = { pool = "by_quota" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "by_quota" }
  }
  arrive "3" {
    at   = "2s"
    lead = { pool = "by_quota" }
  }
  arrive "4" {
    at   = "3s"
    lead = { pool = "by_quota" }
  }
  expect {
    at    = "4s"
    lead  = "2"
    owner = "eve"
  }
  expect {
    at    = "4s"
    lead  = "3"
    owner = "fay"
  }
  expect {
    at    = "4s"
    lead  = "4"
    owner = "fay"
  }
}

# covers: pool.strategy = least_loaded
scenario "to whoever holds the fewest" {
  arrive "own" {
    lead = { pool = "ben" }
  }
  arrive "1" {
    at   = "1s"
    lead = { pool = "by_load" }
  }
  arrive "2" {
    at   = "2s"
    lead = { pool = "by_load" }
  }
  expect {
    at    = "3s"
    lead  = "1"
    owner = "ana"
  }
  expect {
    at    = "3s"
    lead  = "2"
    owner = "cy"
  }
}

# covers: pool.strategy = best_fit, pool.prefer
scenario "to whoever fits best and holds the fewest" {
  arrive "own" {
    lead = { pool = "ben" }
  }
  arrive "german" {
    at   = "1s"
    lead = { pool = "by_fit", language = "de" }
  }
  arrive "german, too" {
    at   = "2s"
    lead = { pool = "by_fit", language = "de" }
  }
  arrive "french" {
    at   = "3s"
    lead = { pool = "by_fit", language = "fr" }
  }
  expect {
    at    = "4s"
    lead  = "german"
    owner = "cy"
  }
  expect {
    at    = "4s"
    lead  = "german, too"
    owner = "ben"
  }
  expect {
    at    = "4s"
    lead  = "french" # nobody is preferred: ana holds none
    owner = "ana"
  }
}

# covers: pool.model
scenario "to whoever a model ranks first" {
  reps = {
    eve = { level = 1 }
    fay = { level = 3 }
  }
  arrive "1" {
    lead = { pool = "by_model" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "by_model" }
  }
  expect {
    at    = "2s"
    lead  = "1"
    owner = "fay"
  }
  expect {
    at    = "2s"
    lead  = "2"
    owner = "fay"
  }
}

# covers: pool.explore
scenario "a share of the leads is given out evenly, here all of them" {
  reps = {
    eve = { level = 1 }
    fay = { level = 3 }
  }
  arrive "1" {
    lead = { pool = "by_model_and_chance" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "by_model_and_chance" }
  }
  expect {
    at    = "2s"
    lead  = "1"
    owner = "eve"
  }
  expect {
    at    = "2s"
    lead  = "2"
    owner = "fay"
  }
}

# covers: pool.strategy = claim, pool.notify
scenario "everybody hears of it, and whoever claims it first has it" {
  arrive "the lead" {
    lead = { pool = "whoever_claims" }
  }
  claim {
    at  = "10s"
    rep = "ben"
  }
  claim {
    at  = "11s"
    rep = "ana"
  }
  expect {
    at       = "9s"
    owner    = null
    notified = [channel.floor]
    reason   = "claim:whoever_claims"
  }
  expect {
    at    = "12s"
    owner = "ben"
  }
}
