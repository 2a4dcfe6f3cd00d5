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

destination "crm" {
  webhook { url = "https://crm.example.com/leads" }
  map = {
    Email = lead.emial # ERROR: Unknown lead field | Did you mean "lead.email"?
    Owner = assigned.rep.salary # ERROR: Unknown reference | assigned.rep.crm_id
  }
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
