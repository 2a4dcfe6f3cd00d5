policy "p" {}

schema "lead" {
  field "size" { type = number }
}

priority "P0" {}

rep "ana" { email = "ana@example.com" }

pool "emea" { members = [rep.ana] }

dedupe {
  by     = [lead.email, lead.size] # ERROR: Wrong type | A person is known by a text, such as lead.email
  within = "1h"                    # ERROR: Invalid duration | A person is remembered for "24h" to "90d"
}

rule "all" { to = [pool.emea, queue.unassigned] }
