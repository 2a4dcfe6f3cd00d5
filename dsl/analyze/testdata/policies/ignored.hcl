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
  when = lead.size > 5
  to   = [pool.all, queue.backlog]
}

# leadroute:ignore LR012 kept for the audit
rule "second" {
  when = lead.size > 6
  to   = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}
