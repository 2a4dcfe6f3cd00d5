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

priority "P0" {}

rep "ana" {
  email = "ana@example.com"
}

pool "all" {
  members = [rep.ana]
}
queue "backlog" {
  drain_to = pool.all
}

rule "spring" { # dated: it closes no gap and shadows nothing
  from  = "2026-03-01T00:00:00Z"
  until = "2026-04-01T00:00:00Z"
  to    = queue.backlog
}

rule "small" { # WARNING: Leads that no rule takes | "size":
  when = lead.size < 500
  to   = [pool.all, queue.backlog]
}
