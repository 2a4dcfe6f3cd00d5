policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA"]
  }
  field "size" {
    type = number
  }
}

priority "P0" {
  deliver_within = "1m"
}

rep "ana" {
  email = "ana@example.com"
}

pool "emea" {
  members = [rep.ana]
}

queue "backlog" {
  drain_to = pool.emea
}


rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
  from  = "2026-13-01T00:00:00Z" # ERROR: Date that does not exist
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
