policy "p" {
  timezone = "UTC"
}

priority "P0" {
  deliver_within = "1m"
  step "page" {
    after  = "1m"
    notify = [channel.duty]
  }
}

channel "duty" {
  webhook {
    url = "https://duty.example.com"
  }
}

rep "ana" {
  email = "ana@example.com"
}

pool "desk" {
  members_where = rep.desk == "one"
}

rule "all" {
  to = [pool.desk, queue.unassigned]
}

scenario "no lead" { # ERROR: Missing attribute | a lead arrives
  expect {
    at    = "1s"
    owner = null
  }
}

scenario "no end" { # ERROR: Missing attribute | what must come of it
  arrive "it" {
    lead = { score = 1 }
  }
}
