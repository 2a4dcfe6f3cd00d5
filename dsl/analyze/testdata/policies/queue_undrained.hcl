policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC"]
  }
  field "size" {
    type = number
    min  = 1
    max  = 100000
  }
  field "score" {
    type     = number
    required = true
    min      = 0
    max      = 100
  }
}

priority "P0" {
  deliver_within = "1m"
}

rep "ana" {
  email = "ana@example.com"
}

pool "all" {
  members = [rep.ana]
}

queue "backlog" {
  drain_to = pool.all
}

queue "lost" { # WARNING: Queue that nobody empties | drain_to
  alert_after = "1h"
}

queue "kept" {
}

rule "old" {
  when = lead.score < 5
  to   = queue.lost
}

rule "young" {
  when = lead.score < 6
  to   = queue.kept
}

rule "all" {
  to = [pool.all, queue.backlog]
}
