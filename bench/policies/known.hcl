# alone.hcl, and each person and each company has one owner: what an assignment costs that all who
# share the lead must confirm.

policy "known" {
  description = "People and companies have one owner"
  owners      = ["revops@example.com"]
  timezone    = "UTC"
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
    type        = number
    min         = 1
    description = "Employees"
  }
  field "arr" {
    type        = number
    min         = 0
    description = "Expected yearly revenue in USD"
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

# ---- whose account is it ----------------------------------------------------

account_match {
  source         = live.accounts
  by             = ["domain"]
  ignore_domains = local.freemail
}

dedupe {
  by     = [lead.email]
  within = "90d"
  then   = "same_owner"
}

# ---- how fast ---------------------------------------------------------------

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

pool "enterprise" {
  members_where = rep.team == "enterprise"
  strategy      = "least_loaded"
  capacity {
    open = 25
  }
}

pool "amer" {
  members_where = rep.team == "ae" && rep.region == "NA"
  strategy      = "round_robin"
  capacity {
    open = 25
  }
}

pool "emea" {
  members_where = rep.team == "ae" && rep.region == "EMEA"
  strategy      = "round_robin"
  capacity {
    open = 25
  }
}

pool "apac" {
  members_where = rep.team == "ae" && rep.region == "APAC"
  strategy      = "weighted"
  capacity {
    open = 25
  }
}

queue "backlog" {
  description = "Nobody free. Drained as reps close their leads, the most urgent lead first."
  order       = "deadline"
}

# ---- where a lead goes ------------------------------------------------------

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
  description = "A known account stays with its owner; when the owner is busy, with the owner's region"
  when        = has(lead.account.owner)
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

# ---- what is told, and to whom ----------------------------------------------

destination "crm" {
  webhook {
    url  = secret("CRM_WEBHOOK_URL")
    sign = "standard-webhooks"
    key  = secret("CRM_WEBHOOK_KEY")
  }
  retry {
    attempts = 12
    backoff  = "100ms..10s"
  }
  concurrency = 32
  timeout     = "5s"
}
