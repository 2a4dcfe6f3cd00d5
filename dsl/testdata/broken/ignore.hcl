policy "p" {}

priority "P2" {}

rep "ana" { email = "ana@example.com" }

pool "a" { members = [rep.ana] }

queue "q" {}

rule "silenced" {
  # leadroute:ignore LR024 the floor asked for it
  when = pool.a.available > 0
  to   = [pool.a, queue.q]
}

rule "by_its_slug" {
  when = pool.a.available > 1 # leadroute:ignore live-read the floor asked for it
  to   = [pool.a, queue.q]
}

rule "no_reason" {
  # leadroute:ignore LR024
  when = pool.a.available > 2
  to   = [pool.a, queue.q]
}

rule "unknown" {
  # leadroute:ignore LR924 for now
  when = lead.score > 5
  to   = [pool.a, queue.q]
}

rule "an_error" {
  # leadroute:ignore LR008 it will be there soon
  when = lead.score > 4
  to   = [pool.a, queue.q]
}

rule "stale" {
  # leadroute:ignore LR024 the floor asked for it
  when = lead.score > 3
  to   = [pool.a, queue.q]
}

rule "rest" { to = queue.q }

# WARNING: @ignore.hcl:23 Silenced without a reason | Say why
# WARNING: @ignore.hcl:24 Condition on live figures
# WARNING: @ignore.hcl:29 Silences what does not exist | Did you mean "LR024"?
# WARNING: @ignore.hcl:35 Silences an error | only warnings can be silenced
# WARNING: @ignore.hcl:41 Silences nothing | take the comment out
