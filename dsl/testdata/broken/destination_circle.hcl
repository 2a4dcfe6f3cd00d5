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
}

queue "backlog" {
  drain_to = pool.emea
}

destination "a" {
  webhook { url = "https://crm.example.com/leads" }
  alternate = destination.b # ERROR: Alternates in a circle | come back to a
  breaker { open_after = 5 }
}

destination "b" {
  webhook { url = "https://crm.example.com/leads" }
  alternate = destination.a # ERROR: Alternates in a circle | come back to b
  breaker { open_after = 5 }
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
