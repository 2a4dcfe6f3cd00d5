policy "p" {
  timezone = "UTC"
}

priority "P0" {
  deliver_within = "1m"
}

calendar "de" {
  dates = ["2026-12-25"]
}

rep "ana" {
  email = "ana@example.com"
  holidays   = [calendar.de, calendar.fr] # ERROR: Unknown reference | calendar
  timezone   = "Europe/Berln"             # ERROR: Invalid value | no time zone
  started_on = "2026-02-30"               # ERROR: Invalid date | February 2026 has 28 days
}

pool "emea" {
  members = [rep.ana]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}

queue "backlog" {
  drain_to = pool.emea
}
