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
  source = "tables/regions.csv"
  match  = { country = lead.country == row.country }
}

rules_from "t" {
  table = table.t
  to    = [pool.emea, queue.backlog]
}

test "row" {
  lead = { country = "DE" }
  expect {
    rule = "regions.csv:812" # ERROR: Unknown rule | lines 2 to 3
  }
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
