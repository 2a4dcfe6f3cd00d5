policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC"]
  }
  field "size" {
    type = number
    min  = 1
    max  = 100000
  }
  field "score" {
    type     = number
    required = true
    min      = 0
    max      = 100
  }
}

priority "P0" {}

rep "ana" {
  email = "ana@example.com"
}

pool "all" {
  members = [rep.ana]
}
queue "backlog" {
  drain_to = pool.all
}

pool "desk" {
  members = [rep.ana]
}

territory "eu" {
  when = lead.region == "EMEA"
  pool = pool.desk
}

rule "europe" {
  when = has(lead.territory)
  to   = [territory.of_lead.pool, queue.backlog]
}

rule "large" {
  when     = lead.size > 500
  priority = priority.P0
  to       = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}

invariant "Europe has its desk, or waits" {
  when   = lead.region == "EMEA"
  expect = assigned.pool == pool.desk || assigned.queue != null
}

invariant "the desk is Europe's" {
  when   = lead.region != "EMEA"
  expect = assigned.pool != pool.desk
}

invariant "large leads are served" {
  when   = lead.size > 400
  expect = assigned.pool == pool.all # WARNING: Invariant does not hold | rule.europe may send it to pool.desk
}

invariant "everybody is P0" {
  expect = lead.priority == priority.P0
}
