priority "P0" {
}

pool "all" {
  members = [rep.ana]
}

rep "ana" {
  email = "ana@example.com"
}

queue "backlog" {
  alert_after = "5m"
}

rule "all" {
  to = [pool.all, queue.backlog]
}

scenario "held" {
  arrive "one" {
    lead = {}
  }
  arrive "two" {
    lead = {}
  }
  hold { # ERROR: Missing attribute | Several leads arrive
    at = "1s"
  }
  hold {
    at    = "1s"
    lead  = "one"
    until = "soon" # ERROR: Invalid duration | no time since the start
  }
  release { # ERROR: Missing attribute | at
    lead = "one"
  }
  release {
    at   = "5m"
    lead = "oen" # ERROR: Unknown reference | Did you mean "one"
  }
  expect {
    at    = "1m"
    lead  = "one"
    queue = queue.baklog # ERROR: Unknown queue | Did you mean
  }
  expect {
    at   = "1m"
    lead = "one"
    crm  = 5 # ERROR: Wrong type | an owner's id in the CRM
  }
  expect {
    at     = "6m"
    lead   = "one"
    reason = "queue:backlog/alert" # ERROR: Reason that nothing gives | queue:backlog/alert_after
  }
}
