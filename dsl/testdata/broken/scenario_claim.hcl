policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "vip" {
    type = bool
  }
}

priority "P0" {
  deliver_within = "1m"
}

rep "ana" {
  email = "ana@example.com"
}

pool "emea" {
  members = [rep.ana]
  strategy = "claim"
}

queue "backlog" {
  drain_to = pool.emea
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}

scenario "a race" {
  arrive "a lead" {
    lead = { vip = true }
  }
  claim {
    at  = "1s"
    rep = "anna" # ERROR: Unknown rep | Did you mean "ana"
  }
  claim {
    at   = "1s"
    rep  = rep.ana
    lead = "another" # ERROR: Unknown reference | No lead "another"
  }
  claim {
    at  = "1s"
    rep = null # ERROR: Wrong type | a rep's id in quotes
  }
  expect {
    at    = "2s"
    owner = "ana"
  }
}
