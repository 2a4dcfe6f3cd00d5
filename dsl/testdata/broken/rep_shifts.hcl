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
  shifts = {
    "mon-fri" = "09:00-17:00"
    "wed"     = "16:00-20:00" # ERROR: Invalid value | overlap
    "sa"      = "09:00-12:00" # ERROR: Invalid value | is no day
    "sun"     = "9-5"         # ERROR: Invalid value | Write "09:00-18:00"
  }
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
