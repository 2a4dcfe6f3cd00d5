# Who is in a pool, and when it gives leads to whom: a pool for each attribute.

policy "pools" {
  timezone = "UTC"
}

schema "lead" {
  field "pool" {
    type = string
  }
  field "language" {
    type = string
  }
  field "size" {
    type = string
  }
}

hours "morning" {
  timezone = "UTC"
  week     = { "mon-fri" = "08:00-12:00" }
}

hours "from_eleven" {
  timezone = "UTC"
  week     = { "mon-fri" = "11:00-18:00" }
}

priority "Big" {
  when           = lead.size == "big"
  deliver_within = "5m" # leadroute:ignore LR092 that leads wait is the point here
}

priority "P1" {
  deliver_within = "5m"
}

rep "ana" {
  email     = "ana@example.com"
  languages = ["en"]
}

rep "ben" {
  email     = "ben@example.com"
  languages = ["en", "de"]
}

rep "late" {
  email = "late@example.com"
  hours = hours.from_eleven
}

pool "two" {
  members = [rep.ben]
}

pool "sales" {
  members_where = rep.team == "sales"
}

pool "mornings" {
  members = [rep.ana]
  hours   = hours.morning
}

pool "german" {
  members = [rep.ana, rep.ben]
  require = contains(rep.languages, lead.language)
}

pool "not_alone" {
  members     = [rep.ana, rep.late]
  min_present = 2
}

pool "fresh_start" {
  members  = [rep.ana, rep.ben, rep.late]
  catch_up = "none"
}

pool "average" {
  members  = [rep.ana, rep.ben, rep.late]
  catch_up = "average"
}

pool "full" {
  members  = [rep.ana, rep.ben, rep.late]
  catch_up = "full"
}

pool "newcomers" {
  members_where = rep.team == "new"
  ramp          = { weeks = 4, from = 0.25 }
}

pool "one_each" {
  members = [rep.ana, rep.ben]
  capacity {
    open = 1
  }
}

pool "two_an_hour" {
  members = [rep.ana]
  capacity {
    per_hour = 2
  }
}

pool "one_a_day" {
  members = [rep.ana]
  capacity {
    per_day = 1
  }
}

pool "one_a_week" {
  members = [rep.ana]
  capacity {
    per_week = 1
  }
}

pool "big_ones" {
  members = [rep.ana, rep.ben]
  capacity {
    open = 2
    cost = { Big = 2 }
  }
}

queue "waiting" {}

rule "two" {
  when = lead.pool == "two"
  to   = [pool.two, queue.waiting]
}

rule "sales" {
  when = lead.pool == "sales"
  to   = [pool.sales, queue.waiting]
}

rule "mornings" {
  when = lead.pool == "mornings"
  to   = [pool.mornings, queue.waiting]
}

rule "german" {
  when = lead.pool == "german"
  to   = [pool.german, queue.waiting]
}

rule "not_alone" {
  when = lead.pool == "not_alone"
  to   = [pool.not_alone, queue.waiting]
}

rule "fresh_start" {
  when = lead.pool == "fresh_start"
  to   = [pool.fresh_start, queue.waiting]
}

rule "average" {
  when = lead.pool == "average"
  to   = [pool.average, queue.waiting]
}

rule "full" {
  when = lead.pool == "full"
  to   = [pool.full, queue.waiting]
}

rule "newcomers" {
  when = lead.pool == "newcomers"
  to   = [pool.newcomers, queue.waiting]
}

rule "one_each" {
  when = lead.pool == "one_each"
  to   = [pool.one_each, queue.waiting]
}

rule "two_an_hour" {
  when = lead.pool == "two_an_hour"
  to   = [pool.two_an_hour, queue.waiting]
}

rule "one_a_day" {
  when = lead.pool == "one_a_day"
  to   = [pool.one_a_day, queue.waiting]
}

rule "one_a_week" {
  when = lead.pool == "one_a_week"
  to   = [pool.one_a_week, queue.waiting]
}

rule "big_ones" {
  to = [pool.big_ones, queue.waiting]
}

# covers: pool.members
scenario "members by name" {
  arrive "the lead" {
    lead = { pool = "two" }
  }
  expect {
    at    = "1s"
    owner = "ben"
  }
}

# covers: pool.members_where
scenario "members by what the rep table says of them" {
  reps = {
    eve = { team = "support" }
    fay = { team = "sales" }
  }
  arrive "the lead" {
    lead = { pool = "sales" }
  }
  expect {
    at    = "1s"
    owner = "fay"
  }
}

# covers: pool.hours
scenario "a pool that is closed in the afternoon" {
  start = "2026-01-14T11:59:00Z"
  arrive "in time" {
    lead = { pool = "mornings" }
  }
  arrive "too late" {
    at   = "1m"
    lead = { pool = "mornings" }
  }
  expect {
    at    = "2m"
    lead  = "in time"
    owner = "ana"
  }
  expect {
    at    = "2m"
    lead  = "too late"
    owner = null
  }
  expect {
    at    = "20h2m"
    lead  = "too late"
    owner = "ana"
  }
}

# covers: pool.require
scenario "only who speaks the language" {
  arrive "german" {
    lead = { pool = "german", language = "de" }
  }
  arrive "german, too" {
    at   = "1s"
    lead = { pool = "german", language = "de" }
  }
  arrive "french" {
    at   = "2s"
    lead = { pool = "german", language = "fr" }
  }
  expect {
    at    = "3s"
    lead  = "german"
    owner = "ben"
  }
  expect {
    at    = "3s"
    lead  = "german, too"
    owner = "ben"
  }
  expect {
    at    = "3s"
    lead  = "french"
    owner = null
  }
}

# covers: pool.min_present
scenario "nobody is left alone with the leads" {
  arrive "the lead" {
    lead = { pool = "not_alone" }
  }
  expect {
    at    = "59m"
    owner = null
  }
  expect {
    at    = "1h2s"
    owner = "ana"
  }
}

# covers: pool.catch_up = none
scenario "who comes at eleven gets no more than the others" {
  arrive "morning 1" {
    at   = "1m"
    lead = { pool = "fresh_start" }
  }
  arrive "morning 2" {
    at   = "2m"
    lead = { pool = "fresh_start" }
  }
  arrive "morning 3" {
    at   = "3m"
    lead = { pool = "fresh_start" }
  }
  arrive "morning 4" {
    at   = "4m"
    lead = { pool = "fresh_start" }
  }
  arrive "morning 5" {
    at   = "5m"
    lead = { pool = "fresh_start" }
  }
  arrive "morning 6" {
    at   = "6m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 1" {
    at   = "1h1m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 2" {
    at   = "1h2m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 3" {
    at   = "1h3m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 4" {
    at   = "1h4m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 5" {
    at   = "1h5m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 6" {
    at   = "1h6m"
    lead = { pool = "fresh_start" }
  }
  arrive "noon 7" {
    at   = "1h7m"
    lead = { pool = "fresh_start" }
  }
  expect {
    at    = "1h10m"
    lead  = "noon 1"
    owner = "late"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 2"
    owner = "ana"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 3"
    owner = "ben"
  }
}

# covers: pool.catch_up = average
scenario "who comes at eleven makes up for the turn of the round under way" {
  arrive "morning 1" {
    at   = "1m"
    lead = { pool = "average" }
  }
  arrive "morning 2" {
    at   = "2m"
    lead = { pool = "average" }
  }
  arrive "morning 3" {
    at   = "3m"
    lead = { pool = "average" }
  }
  arrive "morning 4" {
    at   = "4m"
    lead = { pool = "average" }
  }
  arrive "morning 5" {
    at   = "5m"
    lead = { pool = "average" }
  }
  arrive "morning 6" {
    at   = "6m"
    lead = { pool = "average" }
  }
  arrive "noon 1" {
    at   = "1h1m"
    lead = { pool = "average" }
  }
  arrive "noon 2" {
    at   = "1h2m"
    lead = { pool = "average" }
  }
  arrive "noon 3" {
    at   = "1h3m"
    lead = { pool = "average" }
  }
  arrive "noon 4" {
    at   = "1h4m"
    lead = { pool = "average" }
  }
  arrive "noon 5" {
    at   = "1h5m"
    lead = { pool = "average" }
  }
  arrive "noon 6" {
    at   = "1h6m"
    lead = { pool = "average" }
  }
  arrive "noon 7" {
    at   = "1h7m"
    lead = { pool = "average" }
  }
  expect {
    at    = "1h10m"
    lead  = "noon 1"
    owner = "late"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 3"
    owner = "late"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 7"
    owner = "ben"
  }
}

# covers: pool.catch_up = full
scenario "who comes at eleven makes up for every turn, and never two in a row" {
  arrive "morning 1" {
    at   = "1m"
    lead = { pool = "full" }
  }
  arrive "morning 2" {
    at   = "2m"
    lead = { pool = "full" }
  }
  arrive "morning 3" {
    at   = "3m"
    lead = { pool = "full" }
  }
  arrive "morning 4" {
    at   = "4m"
    lead = { pool = "full" }
  }
  arrive "morning 5" {
    at   = "5m"
    lead = { pool = "full" }
  }
  arrive "morning 6" {
    at   = "6m"
    lead = { pool = "full" }
  }
  arrive "noon 1" {
    at   = "1h1m"
    lead = { pool = "full" }
  }
  arrive "noon 2" {
    at   = "1h2m"
    lead = { pool = "full" }
  }
  arrive "noon 3" {
    at   = "1h3m"
    lead = { pool = "full" }
  }
  arrive "noon 4" {
    at   = "1h4m"
    lead = { pool = "full" }
  }
  arrive "noon 5" {
    at   = "1h5m"
    lead = { pool = "full" }
  }
  arrive "noon 6" {
    at   = "1h6m"
    lead = { pool = "full" }
  }
  arrive "noon 7" {
    at   = "1h7m"
    lead = { pool = "full" }
  }
  expect {
    at    = "1h10m"
    lead  = "noon 5"
    owner = "late"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 6"
    owner = "ana"
  }
  expect {
    at    = "1h10m"
    lead  = "noon 7"
    owner = "late"
  }
}

# covers: pool.ramp
scenario "who is new gets fewer at first" {
  reps = {
    eve = { team = "new", started_on = "2026-01-13" }
    fay = { team = "new", started_on = "2025-06-02" }
  }
  arrive "1" {
    lead = { pool = "newcomers" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "newcomers" }
  }
  arrive "3" {
    at   = "2s"
    lead = { pool = "newcomers" }
  }
  expect {
    at    = "3s"
    lead  = "1"
    owner = "fay"
  }
  expect {
    at    = "3s"
    lead  = "2"
    owner = "fay"
  }
  expect {
    at    = "3s"
    lead  = "3"
    owner = "fay"
  }
}

# covers: pool.capacity.open
scenario "one lead each, then they wait" {
  arrive "1" {
    lead = { pool = "one_each" }
  }
  arrive "2" {
    at   = "1s"
    lead = { pool = "one_each" }
  }
  arrive "3" {
    at   = "2s"
    lead = { pool = "one_each" }
  }
  expect {
    at    = "3s"
    lead  = "1"
    owner = "ana"
  }
  expect {
    at    = "3s"
    lead  = "2"
    owner = "ben"
  }
  expect {
    at    = "1h"
    lead  = "3"
    owner = null
  }
}

# covers: pool.capacity.per_hour
scenario "two in any hour" {
  arrive "1" {
    lead = { pool = "two_an_hour" }
  }
  arrive "2" {
    at   = "30m"
    lead = { pool = "two_an_hour" }
  }
  arrive "3" {
    at   = "31m"
    lead = { pool = "two_an_hour" }
  }
  expect {
    at    = "59m"
    lead  = "3"
    owner = null
  }
  expect {
    at    = "1h2s"
    lead  = "3"
    owner = "ana"
  }
}

# covers: pool.capacity.per_day
scenario "one on a calendar day" {
  start = "2026-01-14T23:00:00Z"
  arrive "1" {
    lead = { pool = "one_a_day" }
  }
  arrive "2" {
    at   = "1m"
    lead = { pool = "one_a_day" }
  }
  expect {
    at    = "59m"
    lead  = "2"
    owner = null
  }
  expect {
    at    = "1h2s"
    lead  = "2"
    owner = "ana"
  }
}

# covers: pool.capacity.per_week
scenario "one in an ISO week" {
  start = "2026-01-18T23:00:00Z" # a Sunday
  arrive "1" {
    lead = { pool = "one_a_week" }
  }
  arrive "2" {
    at   = "1m"
    lead = { pool = "one_a_week" }
  }
  expect {
    at    = "59m"
    lead  = "2"
    owner = null
  }
  expect {
    at    = "1h2s"
    lead  = "2"
    owner = "ana"
  }
}

# covers: pool.capacity.cost
scenario "a big lead takes two places" {
  arrive "big" {
    lead = { size = "big" }
  }
  arrive "small" {
    at   = "1s"
    lead = { size = "small" }
  }
  arrive "small, too" {
    at   = "2s"
    lead = { size = "small" }
  }
  expect {
    at    = "3s"
    lead  = "big"
    owner = "ana"
  }
  expect {
    at    = "3s"
    lead  = "small"
    owner = "ben"
  }
  expect {
    at    = "3s"
    lead  = "small, too"
    owner = "ben"
  }
}
