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
  webhook {
    url = "https://crm.example.com/leads"
    headers = {
      "Webhook-Id" = "x" # ERROR: Invalid value | leadroute itself
      "No Blank"   = "x" # ERROR: Invalid value | no name of a header
      Country      = lead.tags # ERROR: Wrong type | A header is a text
    }
  }
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
