package sim

import (
	"fmt"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/pools"
)

// process is one running instance of the product: it owns partitions of several stages, has
// one lagging view of the rep table, and a clock of its own.
type process struct {
	name string
	view *view
	skew leadroute.Millis
}

// startProcess starts a process that owns nothing yet. It has read the rep table.
func (w *World) startProcess() *process {
	w.started++
	p := &process{name: fmt.Sprint("i", w.started)}
	if w.opt.Skew > 0 {
		off := int(w.opt.Skew.Milliseconds())
		p.skew = leadroute.Millis(w.rng.IntN(2*off+1) - off)
	}
	w.boot(p)
	w.procs = append(w.procs, p)
	return p
}

// boot reads the rep table, before the process routes anything.
func (w *World) boot(p *process) {
	p.view = &view{roster: pools.NewRoster(), read: make([]int, w.opt.Partitions)}
	for part := range w.opt.Partitions {
		w.catchUp(p.view, part, 1<<30)
	}
}

// skew is how far the sender's clock is off. Who is no stage runs in some process as well.
func (w *World) skew(sender int, from *owner) leadroute.Millis {
	if from != nil {
		return from.by.skew
	}
	if w.opt.Skew == 0 {
		return 0
	}
	return leadroute.Millis(-sender%5-2) * leadroute.Millis(w.opt.Skew.Milliseconds()) / 2
}

// owned are the partitions that a process owns.
func (w *World) ownedBy(p *process) (own []*owner) {
	for _, st := range w.stages {
		for _, part := range st.parts {
			if part.owner.by == p {
				own = append(own, part.owner)
			}
		}
	}
	return own
}

// other is a process that runs and is not p, or a new one.
func (w *World) other(p *process) *process {
	var rest []*process
	for _, q := range w.procs {
		if q != p {
			rest = append(rest, q)
		}
	}
	if len(rest) == 0 {
		return w.startProcess()
	}
	return rest[w.rng.IntN(len(rest))]
}

// upheaval lets something happen to the processes.
func (w *World) upheaval() {
	p := w.procs[w.rng.IntN(len(w.procs))]
	switch n := w.rng.IntN(8); {
	case n == 0 && w.opt.Faults:
		w.kill(p)
	case n == 1 && w.opt.Faults:
		w.fail(p)
	case n == 2 && w.opt.Stalls && len(w.stalled) < 2:
		w.stall(p)
	case n == 3:
		w.endStall()
	case n == 4 && len(w.procs) < 4:
		w.join()
	case n == 5 && len(w.procs) > 1:
		w.leave(p)
	default:
		w.move(p)
	}
}

// kill ends a process in the middle of everything. It comes back at once, or the others take
// its partitions over.
func (w *World) kill(p *process) {
	back := len(w.procs) == 1 || w.chance(2)
	w.note("KILL %s, back: %t", p.name, back)
	own := w.ownedBy(p)
	for _, o := range own {
		w.cut(o, func() bool { return w.chance(2) })
	}
	if back {
		w.boot(p)
	} else {
		w.drop(p)
	}
	for _, o := range own {
		to := p
		if !back {
			to = w.other(p)
		}
		w.takeOver(o.stage, o.part, to)
	}
}

// fail crashes one partition of a process, which starts it again.
func (w *World) fail(p *process) {
	own := w.ownedBy(p)
	if len(own) == 0 {
		return
	}
	o := own[w.rng.IntN(len(own))]
	w.note("FAIL %s", o)
	w.cut(o, func() bool { return w.chance(2) })
	w.takeOver(o.stage, o.part, p)
}

// stall takes all partitions from a process that does not notice: it goes on with what it has
// until it is fenced.
func (w *World) stall(p *process) {
	own := w.ownedBy(p)
	if len(own) == 0 {
		return
	}
	w.note("STALL %s", p.name)
	w.drop(p)
	for _, o := range own {
		w.takeOver(o.stage, o.part, w.other(p))
	}
	w.stalled = append(w.stalled, stalled{p, own})
}

// stalled is a process with what it still believes to own.
type stalled struct {
	*process
	own []*owner
}

// endStall tells a stalled process that it lost its partitions: what it has not sent is
// aborted. It joins again.
func (w *World) endStall() {
	if len(w.stalled) == 0 {
		return
	}
	z := w.stalled[0]
	w.stalled = w.stalled[1:]
	w.note("FENCE %s", z.name)
	for _, o := range z.own {
		w.cut(o, func() bool { return w.chance(4) })
	}
	w.procs = append(w.procs, z.process)
}

// join starts a process, which gets some of the partitions.
func (w *World) join() {
	p := w.startProcess()
	w.note("JOIN %s", p.name)
	for _, st := range w.stages {
		for _, part := range st.parts {
			if w.chance(len(w.procs)) {
				w.hand(part.owner, p)
			}
		}
	}
}

// leave ends a process in order.
func (w *World) leave(p *process) {
	w.note("LEAVE %s", p.name)
	w.drop(p)
	for _, o := range w.ownedBy(p) {
		w.hand(o, w.other(p))
	}
}

// move rebalances one partition.
func (w *World) move(p *process) {
	if own := w.ownedBy(p); len(own) > 0 {
		w.hand(own[w.rng.IntN(len(own))], w.other(p))
	}
}

// hand gives a partition to another process: all that its owner sent arrives before it lets
// go; what it had handled last may be handled again.
func (w *World) hand(o *owner, to *process) {
	w.note("MOVE %s to %s", o, to.name)
	if w.chance(2) {
		w.letGo(o)
	} else {
		w.cut(o, func() bool { return true })
	}
	w.takeOver(o.stage, o.part, to)
}

func (w *World) drop(p *process) {
	for i, q := range w.procs {
		if q == p {
			w.procs = append(w.procs[:i:i], w.procs[i+1:]...)
			return
		}
	}
}
