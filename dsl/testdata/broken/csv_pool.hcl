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

table "t" {
  source = "tables/rows.csv" # ERROR: @tables/rows.csv:3 Unknown pool | emea_smb
  match = {
    country = lead.country == row.country
    size    = between(lead.size, row.from, row.to)
  }
}

rules_from "t" {
  table = table.t
  to    = [row.pool, queue.backlog]
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
