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
  away = [
    { from = "2026-12-31", until = "2026-12-24" }, # ERROR: Invalid value | never
    { from = "2026-02-30" },                       # ERROR: Invalid date | February 2026 has 28 days
    { from = "2026-12-24", to = "2026-12-31" },    # ERROR: Unknown attribute | from, until and reason
    { until = 5 },                                 # ERROR: Wrong type | until is a text
    { until = "2026-12-24", reason = "gone away" }, # ERROR: Invalid value | a word
    "vacation",                                    # ERROR: Wrong type | is an object
  ]
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
