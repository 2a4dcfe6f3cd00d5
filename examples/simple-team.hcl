# A team of five. The whole policy fits on one screen:
#   big and rich  -> the enterprise team
#   EMEA          -> the next EMEA rep who is free
#   everyone else -> inside sales
#
#   leadroute validate examples/simple-team.hcl
#   leadroute test     examples/simple-team.hcl

policy "inbound" {
  description = "Inbound leads, five reps"
  owners      = ["revops@example.com"]
  timezone    = "America/New_York"
}

# ---- how fast ---------------------------------------------------------------
# The first priority whose condition holds is the lead's priority.

priority "P0" {
  when           = lead.company_size > 500 && lead.arr > 100000
  deliver_within = "1m"
}

priority "P1" {
  when           = lead.intent == "demo_request" || lead.score >= 70
  deliver_within = "5m"
}

priority "P2" {
  deliver_within = "30m"
}

# ---- who --------------------------------------------------------------------

hours "us" {
  timezone = "America/New_York"
  week     = { "mon-fri" = "09:00-18:00" }
}

hours "eu" {
  timezone = "Europe/Berlin"
  week     = { "mon-thu" = "08:30-17:30", "fri" = "08:30-16:00" }
}

rep "ana" {
  email = "ana@example.com"
  hours = hours.us
}

rep "ben" {
  email = "ben@example.com"
  hours = hours.us
}

rep "chloe" {
  email = "chloe@example.com"
  hours = hours.eu
}

rep "dario" {
  email = "dario@example.com"
  hours = hours.eu
}

rep "emi" {
  email  = "emi@example.com"
  hours  = hours.us
  weight = 2
}

pool "enterprise" {
  members  = [rep.ana, rep.ben]
  strategy = "least_loaded"
  capacity {
    open = 15
  }
}

pool "emea" {
  members  = [rep.chloe, rep.dario]
  strategy = "round_robin"
  capacity {
    open    = 20
    per_day = 12
  }
}

pool "inside_sales" {
  members  = [rep.emi, rep.ana, rep.ben]
  strategy = "weighted"
}

queue "backlog" {
  description = "Nobody free. Drained when a member of the pool opens for work."
  drain_to    = pool.inside_sales
  alert_after = "10m"
  alert       = [channel.ops]
}

# ---- where a lead goes ------------------------------------------------------
# Rules are tried from the top; the first that matches is taken.
# "to" is tried from the left: the first with somebody free takes the lead.

rule "enterprise" {
  when = lead.company_size > 500 && lead.arr > 100000
  to   = [pool.enterprise, pool.inside_sales, queue.backlog]
}

rule "emea" {
  when = lead.region == "EMEA" && pool.emea.available > 0
  to   = [pool.emea, queue.backlog]
}

rule "everyone_else" {
  to = [pool.inside_sales, queue.backlog]
}

# ---- what is told, and to whom ----------------------------------------------

channel "ops" {
  webhook {
    url = secret("OPS_WEBHOOK_URL")
  }
}

destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
  retry {
    attempts = 8
    backoff  = "500ms..1m"
  }
}

# ---- what must stay true ----------------------------------------------------

test "a big German lead is enterprise, not EMEA" {
  lead = { region = "EMEA", company_size = 900, arr = 250000, score = 10 }
  expect {
    rule     = rule.enterprise
    priority = priority.P0
  }
}

test "a small German lead goes to EMEA while somebody there is free" {
  lead = { region = "EMEA", company_size = 40, arr = 5000, score = 20 }
  live = { pool = { emea = { available = 2 } } }
  expect {
    rule     = rule.emea
    priority = priority.P2
  }
}

test "an unknown size is not enterprise" {
  lead = { region = "NA", arr = 250000, score = 88 }
  expect {
    rule     = rule.everyone_else
    priority = priority.P1
  }
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "intent" {
    type   = string
    values = ["demo_request", "pricing", "content", "trial"]
  }
  field "company_size" {
    type = number
    min  = 1
  }
  field "arr" {
    type = number
    min  = 0
  }
  field "score" {
    type     = number
    min      = 0
    max      = 100
    required = true
  }
}
