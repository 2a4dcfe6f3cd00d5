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

priority "P1" { # the compiler says that no lead gets it
}

territory "eu" {
  when = lead.region == "EMEA"
}

territory "europe" { # WARNING: Unreachable | territory.eu, before it, takes
  when = lead.region == "EMEA" && lead.size > 5
}

rule "contrary" {
  when = lead.territory == territory.eu && lead.region == "NA" # WARNING: Condition that never holds | contradicts
  to   = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}
