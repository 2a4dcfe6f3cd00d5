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
  capacity {
    open    = -3  # ERROR: Invalid value | at least 1
    per_day = 1.5 # ERROR: Invalid value | whole number
    cost = {
      P0 = 0 # ERROR: Out of range | 1 at least
      P9 = 2 # ERROR: Unknown reference | priority
    }
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
