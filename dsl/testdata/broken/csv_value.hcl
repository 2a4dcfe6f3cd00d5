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
  field "r" {
    values = ["NA", "EMEA"]
    derive = lookup(table.t, lead.country, null)
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
  source = "tables/other.csv" # ERROR: @tables/other.csv:3 Value that the field never has | Mars
  key    = "country"
  value  = "region"
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
