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

rule "a" {
  when = startswith(lead.title, "a")
  to   = [pool.all, queue.backlog]
}

rule "b" {
  when = !has(lead.title)
  to   = [pool.all, queue.backlog]
}

rule "c" { # WARNING: Leads that no rule takes | It is possible
  when = matches(lead.title, "^[^a]")
  to   = queue.backlog
}
