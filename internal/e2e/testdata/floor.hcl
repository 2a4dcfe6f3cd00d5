# The policy of the floor test: who may have which lead is as in examples/demo.hcl, but desks are
# small, so that queues fill and drain, big leads take two places, and leads move on when nobody
# responds.

policy "floor" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}

locals {
  freemail = ["gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "icloud.com", "proton.me"]
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "company_size" {
    type = number
    min  = 1
  }
  field "arr" {
    type = number
    min  = 0
  }
  field "intent" {
    type   = string
    values = ["demo_request", "pricing", "content", "trial"]
  }
  field "score" {
    type     = number
    min      = 0
    max      = 100
    required = true
  }
  field "product" {
    type   = string
    values = ["analytics", "billing", "platform"]
  }
  field "utm_source" {
    type = string
  }
}

account_match {
  source         = live.accounts
  by             = ["domain"]
  ignore_domains = local.freemail
}

priority "P0" {
  when           = lead.company_size > 500 && lead.arr > 100000
  deliver_within = "1m"
  respond_within = "5s"
  step "take_away" {
    every    = "4s"
    reassign = "next"
    pause    = "1s"
    at_most  = 3
  }
}

priority "P1" {
  when           = lead.intent == "demo_request" || lead.score >= 70
  deliver_within = "5m"
  step "hand_over" {
    after    = "6s"
    reassign = "next"
  }
}

priority "P2" {
  deliver_within = "30m"
}

pool "enterprise" {
  members_where = rep.team == "enterprise"
  strategy      = "least_loaded"
  capacity {
    open = 4
    cost = { P0 = 2 }
  }
}

pool "amer" {
  members_where = rep.team == "ae" && rep.region == "NA"
  strategy      = "round_robin"
  capacity { open = 2 }
}

pool "emea" {
  members_where = rep.team == "ae" && rep.region == "EMEA"
  strategy      = "round_robin"
  capacity { open = 2 }
}

pool "apac" {
  members_where = rep.team == "ae" && rep.region == "APAC"
  strategy      = "round_robin"
  capacity { open = 2 }
}

queue "backlog" {
  order    = "deadline"
  max_wait = "10s"
  then     = queue.late
}

queue "late" {
  order = "arrival"
}

territory "emea" {
  when = lead.region == "EMEA"
  pool = pool.emea
}

territory "apac" {
  when = lead.region == "APAC"
  pool = pool.apac
}

territory "amer" {
  pool = pool.amer
}

rule "existing_account" {
  when = has(lead.account.owner)
  assign { to = rep_by_id(lead.account.owner) }
  assign { to = territory.of_lead.pool }
  assign { to = queue.backlog }
}

rule "enterprise" {
  when = lead.company_size > 500 && lead.arr > 100000
  to   = [pool.enterprise, territory.of_lead.pool, queue.backlog]
}

rule "by_territory" {
  to = [territory.of_lead.pool, queue.backlog]
}

destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
  retry {
    attempts = 12
    backoff  = "100ms..5s"
  }
  concurrency = 32
  timeout     = "5s"
}
