policy "p" {
  timezone = "UTC"
}

schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC", "LATAM"]
  }
  field "vip" {
    type = bool
  }
  field "company" {
    pii = true
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

channel "ops" {
  slack {
    url  = secret("SLACK_URL")
    text = "${lead.region} lead of ${lead.email}" # ERROR: Personal data in a message | allow_pii = true
  }
  email {
    to      = "ops@example.com"
    subject = "${lead.company} waits" # ERROR: Personal data in a message | lead.company
    text    = "${step.channel}"       # ERROR: Unknown reference | step.name and step.reason
  }
  sms {
    to        = rep.mobile
    text      = lead.vip # ERROR: Wrong type
    allow_pii = true
  }
}

channel "duty" {
  pager {
    url      = "https://events.example.com"
    summary  = "${lead.priority}: ${decision.nothing}" # ERROR: Unknown reference | decision.url
    severity = "urgent"                                # ERROR: Invalid value | "critical", "error", "warning" or "info"
    resolve  = "yes"                                   # ERROR: Wrong type
  }
  slack {
    to         = rep.slack_id
    allow_pii  = true    # ERROR: Not allowed here | a text of your own
    rate_limit = "often" # ERROR: Invalid value | rate above zero
  }
  webhook {
    url  = "https://example.com"
    text = "x" # ERROR: Unknown attribute
  }
}

rule "first" {
  when = lead.vip
  to   = [pool.emea, queue.backlog]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}
