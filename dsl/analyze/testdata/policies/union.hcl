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

rule "small" {
  when = lead.size < 500
  to   = [pool.all, queue.backlog]
}

rule "europe" {
  when = lead.region == "EMEA"
  to   = [pool.all, queue.backlog]
}

rule "large" {
  when = lead.size >= 500
  to   = queue.backlog
}

rule "middle" { # WARNING: Unreachable rule | rule.small and rule.large, before it, take every lead that it could.
  when = between(lead.size, 100, 900)
  to   = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}
