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

rule "scored" {
  when = lead.score < 50
  to   = [pool.all, queue.backlog]
}

rule "matched" { # WARNING: Leads that no rule takes | "title":
  when = matches(lead.title, "^(VP|Head) of [a-z]+$") && lead.score >= 50
  to   = [pool.all, queue.backlog]
}

rule "off" {
  enabled = false
  to      = queue.backlog
}
