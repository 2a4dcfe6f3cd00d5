policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA"]
  }
  field "size" {
    type = number
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
}

queue "backlog" {
  drain_to = pool.emea
}

rollout {
  mode    = "canary"
  percent = 150 # ERROR: Invalid value | at most 100
  abort_when {
    sla_missed_above = 2 # ERROR: Invalid value | a share from 0 to 1
  }
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
