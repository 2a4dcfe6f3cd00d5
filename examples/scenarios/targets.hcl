# To whom a rule offers its leads, one target after the other: a rule for each attribute of assign.

policy "targets" {
  timezone = "UTC"
}

schema "lead" {
  field "kind" {
    type = string
  }
  field "size" {
    type = number
  }
}

priority "P1" {
  deliver_within = "5m"
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

rep "cy" {
  email = "cy@example.com"
}

pool "two" {
  members = [rep.ben, rep.cy]
}

pool "desk" {
  members = [rep.cy]
}

rule "own" {
  when = lead.kind == "own"
  assign { to = rep.ana }
  assign { to = pool.two }
  assign { to = queue.unassigned }
}

rule "strategic" {
  when = lead.kind == "strategic"
  assign {
    to           = rep.ana
    even_if_full = true
  }
  assign { to = pool.two }
  assign { to = queue.unassigned }
}

rule "by_size" {
  when = lead.kind == "by size"
  assign {
    to   = pool.desk
    when = lead.size > 500
  }
  assign { to = rep.ben }
  assign { to = queue.unassigned }
}

rule "accept" {
  when = lead.kind == "accept"
  assign {
    to     = rep.ana
    accept = "30s"
  }
  assign { to = pool.desk }
  assign { to = queue.unassigned }
}

rule "by_load" {
  assign {
    to       = pool.two
    strategy = "least_loaded"
  }
  assign { to = queue.unassigned }
}

destination "crm" {
  webhook {
    url = "https://crm.example.com/leads"
  }
}

# covers: rule.assign.to
scenario "the next target takes what the first has no place for" {
  arrive "1" {
    lead = { kind = "own" }
  }
  arrive "2" {
    at   = "1s"
    lead = { kind = "own" }
  }
  expect {
    at    = "2s"
    lead  = "1"
    owner = "ana"
  }
  expect {
    at    = "2s"
    lead  = "2"
    owner = "ben"
  }
}

# covers: rule.assign.even_if_full
scenario "a full desk takes one more" {
  arrive "1" {
    lead = { kind = "own" }
  }
  arrive "2" {
    at   = "1s"
    lead = { kind = "strategic" }
  }
  expect {
    at    = "2s"
    lead  = "2"
    owner = "ana"
  }
}

# covers: rule.assign.when
scenario "a target for some of the leads" {
  arrive "big" {
    lead = { kind = "by size", size = 900 }
  }
  arrive "small" {
    lead = { kind = "by size", size = 5 }
  }
  expect {
    at    = "1s"
    lead  = "big"
    owner = "cy"
  }
  expect {
    at    = "1s"
    lead  = "small"
    owner = "ben"
  }
}

# covers: rule.assign.accept
scenario "who does not respond in time loses it to the next target" {
  arrive "the lead" {
    lead = { kind = "accept" }
  }
  expect {
    at    = "29s"
    owner = "ana"
  }
  expect {
    at     = "31s"
    owner  = "cy"
    reason = "accept"
  }
}

# covers: rule.assign.strategy
scenario "a rule may take its pool's reps in another order" {
  arrive "1" {
    lead = { kind = "by size", size = 5 }
  }
  arrive "2" {
    at   = "1s"
    lead = { kind = "any" }
  }
  expect {
    at    = "2s"
    lead  = "1"
    owner = "ben"
  }
  expect {
    at    = "2s"
    lead  = "2"
    owner = "cy" # it would be ben's turn
  }
}
