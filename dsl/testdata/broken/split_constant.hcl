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
  split {
    by = "id" # ERROR: Invalid value | Split by a field
    arm "a" {
      percent = 100
      to      = pool.emea
    }
  }
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
