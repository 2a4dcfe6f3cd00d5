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
  source = "tables/words.csv" # ERROR: @tables/words.csv:2 Wrong type in a cell | Write 1000 # ERROR: @tables/words.csv:3 Blank cell | where the leads go
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
