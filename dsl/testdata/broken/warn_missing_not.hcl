policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "company_size" {
    type = number
  }
  field "account.tier" {
    type = string
  }
  field "vip" {
    type = bool
  }
}

priority "P0" {
  deliver_within = "1m"
}

hours "office" {
  week = { "mon-fri" = "09:00-18:00" }
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

rule "first" {
  when = lead.vip && !one_of(lead.region, ["EMEA"]) # WARNING: Leads without the field do not match
  to = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
