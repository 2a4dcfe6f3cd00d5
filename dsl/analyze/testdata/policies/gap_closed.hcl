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

rule "some" {
  when = one_of(lead.region, ["NA", "EMEA"])
  to   = [pool.all, queue.backlog]
}

rule "third" {
  when = lead.region == "APAC"
  to   = [pool.all, queue.backlog]
}

rule "none" {
  when = !has(lead.region)
  to   = queue.backlog
}
