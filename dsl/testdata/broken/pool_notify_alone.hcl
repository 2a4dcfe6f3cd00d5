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
  notify  = [channel.floor] # ERROR: Invalid value | strategy = "claim"
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

channel "floor" {
  slack {
    to = rep.slack_id
  }
}
