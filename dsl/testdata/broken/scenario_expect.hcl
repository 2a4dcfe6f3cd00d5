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

scenario "s" {
  start = "today" # ERROR: Invalid value | RFC 3339
  arrive "one" {
    lead = { score = 1 }
  }
  arrive "two" {
    at   = "soon" # ERROR: Invalid duration | "3m1s"
    lead = { scor = 1 } # ERROR: Unknown lead field | Did you mean "lead.score"?
  }
  expect { # ERROR: Missing attribute | lead = "one"
    at    = "1s"
    owner = rep.ana
  }
  expect {
    at       = "2s"
    lead     = "on"                     # ERROR: Unknown reference | Did you mean "one"?
    notified = [channel.duti]           # ERROR: Unknown reference | Did you mean "channel.duty"?
    reason   = "sla:P0/pages"           # ERROR: Reason that nothing gives | Did you mean "sla:P0/page"?
  }
  expect {
    at           = "2s"
    lead         = "two"
    duplicate_of = "on" # ERROR: Unknown reference | Did you mean "one"?
  }
  expect { # ERROR: Missing attribute | owner, queue, crm, notified, reason
    at   = "3s"
    lead = "one"
  }
}
