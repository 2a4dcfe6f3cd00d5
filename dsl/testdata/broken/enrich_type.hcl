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

enrich "e" {
  http {
    url  = "https://example.com/${lead.email_domain}"
    body = { x = lead.id } # ERROR: Invalid value | A GET has no body
    method = "GET"
  }
  set = { size = lower(response.size) } # ERROR: Wrong type | lead.size is a number; this is a text
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
