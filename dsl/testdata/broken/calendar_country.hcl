policy "p" {
  timezone = "UTC"
}

priority "P0" {
  deliver_within = "1m"
}

rep "ana" {
  email    = "ana@example.com"
  holidays = [calendar.states, calendar.kingdom, calendar.saxony, calendar.nowhere, calendar.number, calendar.fine]
}

calendar "states" {
  country = "USA" # ERROR: Invalid value | Write US, or
}

calendar "kingdom" {
  country = "AU" # ERROR: Invalid value | AU-NSW, AU-NT
}

calendar "saxony" {
  country = "DE-SX" # ERROR: Invalid value | DE, DE-BB, DE-BE
}

calendar "nowhere" {
  country = "Atlantis" # ERROR: Invalid value | AR, AT, BE
}

calendar "number" {
  country = 49 # ERROR: Wrong type | a text
}

calendar "fine" {
  country = "de-by"
}

pool "emea" {
  members = [rep.ana]
}

rule "rest" {
  to = [pool.emea, queue.backlog]
}

queue "backlog" {
  drain_to = pool.emea
}
