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
  split { # ERROR: Split that is not 100 % | 90 per cent together
    by = lead.id
    arm "a" {
      percent = 60
      to      = pool.emea
    }
    arm "b" {
      percent = 30
      to      = pool.emea
    }
  }
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
