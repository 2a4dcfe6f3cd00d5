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

source "web" {
  keys       = ["abc"] # WARNING: Secret written into the policy
  rate_limit = "fast"  # ERROR: Invalid value | is a rate above zero
  require    = [lead.sorce_url] # ERROR: Unknown lead field | Did you mean "lead.source_url"?
}

rule "first" {
  when = lead.size > 10
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
