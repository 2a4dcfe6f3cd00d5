policy "p" {
  timezone = "UTC"
}

priority "P0" {
  deliver_within = "1m"
  step "page" {
    after  = "1m"
    notify = [channel.duty]
  }
}

channel "duty" {
  webhook {
    url = "https://duty.example.com"
  }
}

rep "ana" {
  email = "ana@example.com"
}

pool "desk" {
  members_where = rep.desk == "one"
}

rule "all" {
  to = [pool.desk, queue.unassigned]
}

scenario "s" {
  reps = {
    ben = { desk = 3 }             # ERROR: Wrong type
    cleo = { dsk = "one" }         # WARNING: Rep attribute that nothing reads | Did you mean "desk"?
    dan = { status = "lunch" }     # ERROR: Invalid value | "available"
    eve = { capacity = { day = 1 } } # ERROR: Invalid value | per_day
    fred = "here"                  # ERROR: Wrong type | A rep is an object
  }
  arrive "it" {
    lead = { score = 1 }
  }
  expect {
    at    = "1s"
    owner = "bem" # ERROR: Unknown rep | Did you mean "ben"?
  }
}
