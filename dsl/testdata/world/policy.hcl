# The world side of the language, all of it: what world_test.go looks up in the plan.
policy "world" {
  timezone            = "UTC"
  requires            = ">= 0.1, < 9"
  on_missing          = "error"
  infra_cost_per_hour = 0.4
  limits {
    max_rules   = 100
    max_enrich  = "1500ms"
    decide_slow = "5ms"
  }
}

schema "lead" {
  field "language" {
    type = string
  }
}

account_match {
  source = live.accounts
  by     = ["domain", "subsidiary_of", "name"]
  name {
    similarity = 0.92
    confirm    = ["country", "phone"]
  }
  tie_break = ["open_deal", "tier"]
}

calendar "de" {
  source = "calendars/de.ics"
}

calendar "own" {
  dates = ["2026-12-24", "2026-03-29"]
}

calendar "far" {
  source = "https://calendars.example.com/far.ics"
}

hours "berlin" {
  timezone = "Europe/Berlin"
  week     = { "mon-sun" = "00:00-24:00" }
  holidays = [calendar.de, calendar.own, calendar.far]
}

priority "P0" {
  when           = lead.score >= 80
  deliver_within = "1m"
  respond_within = "5m"
  clock          = "pool_hours"
  step "hand_over" {
    every    = "5m"
    reassign = queue.backlog
    pause    = "20m"
    at_most  = 3
    notify   = [channel.owner]
  }
}

priority "P1" {
  deliver_within = "5m"
}

pool "emea" {
  members_where = rep.team == "ae"
  strategy      = "best_fit"
  model         = "models/close-rate.json"
  explore       = 0.05
  require       = contains(rep.languages, lead.language) && rep.level >= 2
  prefer        = rep.region == lead.country
  hours         = hours.berlin
  catch_up      = "average" # leadroute:ignore LR069 a target may ask for turns
  ramp          = { weeks = 6, from = 0.25 }
  min_present   = 2
  capacity {
    open = 8
    cost = { P0 = 3, P1 = 1 }
  }
}

queue "backlog" {
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}

channel "owner" {
  slack {
    to = rep.slack_id
  }
  sms {
    to   = rep.mobile
    when = lead.priority == priority.P0
  }
  email {
    to = ["ana@example.com", "ben@example.com"]
  }
}

destination "crm" {
  webhook {
    url     = secret("CRM_URL")
    method  = "PUT"
    headers = { Authorization = "Bearer ${secret("CRM_TOKEN")}", X-Rule = decision.rule, X-Phone = lead.phone }
    body = {
      lead   = lead.id
      owner  = assigned.rep.crm_id
      pool   = assigned.pool
      rule   = decision.rule
      again  = decision.revision > 1
      trace  = decision.url
      phone  = lead.phone
      nested = { email = lower(lead.email), tags = lead.tags, list = [lead.score, "fixed"] }
    }
  }
  idempotency_key = "${lead.id}/${decision.revision}"
  retry {
    attempts  = 3
    backoff   = "200ms..5m"
    on_status = [409, "5xx"]
  }
  batch {
    max      = 200
    max_wait = "1s"
    skip     = [priority.P0]
  }
  breaker {
    open_after = 5
    probe      = "30s"
  }
  alternate = channel.owner
}

destination "salesforce" {
  salesforce {
    instance      = "https://example.my.salesforce.com"
    client_id     = secret("SFDC_CLIENT_ID")
    client_secret = secret("SFDC_CLIENT_SECRET")
    object        = "Lead"
    external_id   = "LeadRoute_Id__c"
  }
  when = lead.priority == priority.P0
  map = {
    LastName = coalesce(lead.last_name, "unknown")
    Company  = coalesce(lead.company, lead.email_domain)
    OwnerId  = assigned.rep.crm_id
  }
}

alert "P0 at risk" {
  when   = sla.P0.p95 > "45s" || backlog.P0.oldest > "30s" && dead_letters.rate >= 0.05
  for    = "30s"
  by     = lead.source
  notify = [channel.owner]
  do     = [hold(priority.P1), overflow(pool.emea), pause(source), widen(destination.crm)]
}
