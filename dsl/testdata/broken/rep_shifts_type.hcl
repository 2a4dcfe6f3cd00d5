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
  shifts = "mon-fri 09:00-17:00" # ERROR: Wrong type | shifts gives the hours by day
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
