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

rule "huge" {
  when = lead.size > 100000 # WARNING: Condition that never holds | lead.size > 100000
  to   = [pool.all, queue.backlog]
}

rule "both" {
  when = lead.region == "NA" && lead.score > 5 && lead.region == "EMEA" # WARNING: Condition that never holds | lead.region == "EMEA" contradicts lead.region == "NA".
  to   = [pool.all, queue.backlog]
}

rule "unscored" {
  when = !has(lead.score) # WARNING: Condition that never holds
  to   = [pool.all, queue.backlog]
}

rule "never" {
  when = false # WARNING: Condition that never holds | always false
  to   = [pool.all, queue.backlog]
}

rule "listed" {
  when = startswith(lead.region, "X") # WARNING: Condition that never holds
  to   = [pool.all, queue.backlog]
}

rule "rest" {
  to = queue.backlog
}
