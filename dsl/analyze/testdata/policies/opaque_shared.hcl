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

rule "first" {
  when = lead.size * 2 > 10
  to   = [pool.all, queue.backlog]
}

rule "second" { # WARNING: Unreachable rule | rule.first, before it, takes
  when = lead.size * 2 > 20 && lead.region == "NA"
  to   = [pool.all, queue.backlog]
}

rule "third" {
  when = lead.size * 3 > 30
  to   = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}
