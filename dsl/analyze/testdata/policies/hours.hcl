policy "p" {
  timezone = "America/New_York"
}

# A weekend on which the clocks go back is an hour longer.
priority "P0" {
  when           = lead.score > 80
  deliver_within = "65h30m"
}

priority "P1" {
  when           = lead.score > 70
  deliver_within = "64h30m" # WARNING: Nobody is there in time | (65h)
}

priority "P2" {
  deliver_within = "200h"
  respond_within = "4h" # WARNING: The response clock runs while nobody is there | (65h)
}

hours "us" {
  week = { "mon-fri" = "09:00-17:00" }
}

hours "never" {
  week = { "sun" = "00:00-00:01" }
}

rep "ana" {
  email = "ana@example.com"
  hours = hours.us
}

rep "ben" {
  email = "ben@example.com"
  hours = hours.never
}

pool "us" {
  members = [rep.ana]
  hours   = hours.us
}

pool "apart" { # WARNING: Pool that is never open
  members = [rep.ben]
  hours   = hours.us
}

queue "backlog" {
  drain_to = pool.us
}

rule "all" {
  to = [pool.us, queue.backlog]
}
