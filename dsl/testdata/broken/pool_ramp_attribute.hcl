policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "vip" {
    type = bool
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
  ramp = { week = 6 } # ERROR: Unknown attribute | weeks and from # ERROR: Missing attribute | how long
}

queue "backlog" {
  drain_to = pool.emea
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
