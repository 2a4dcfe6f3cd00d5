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

calendar "de" {
  dates = [
    "2026-02-30", # ERROR: Invalid date | February 2026 has 28 days
    "25.12.2026", # ERROR: Invalid date | year-month-day
  ]
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
