package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/leadroute/leadroute/internal/loadgen"
)

// demoProgress shows how far a run is: a bar on a terminal, a line now and then elsewhere.
type demoProgress struct {
	d    *demoRun
	bar  *progressbar.ProgressBar
	mu   sync.Mutex
	said time.Time
	over bool
}

func newDemoProgress(d *demoRun) *demoProgress {
	p := &demoProgress{d: d, said: time.Now()}
	if f, ok := d.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(d.Leads,
			progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("leads"), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *demoProgress) sent(s loadgen.Progress) {
	answered := int(s.Accepted + s.Duplicates + s.Rejected)
	p.tell(func(w io.Writer) {
		fmt.Fprintf(w, "%d of %d leads answered, %d in the CRM\n", answered, p.d.Leads, p.d.sim.Count())
	}, answered)
}

func (p *demoProgress) settling(pending int) {
	p.tell(func(w io.Writer) {
		fmt.Fprintf(w, "all sent, %d in the CRM, %d on a desk\n", p.d.sim.Count(), pending)
	}, p.d.Leads)
}

func (p *demoProgress) tell(line func(io.Writer), done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("leads sent (%d in the CRM)", p.d.sim.Count()))
		_ = p.bar.Set(done)
	case time.Since(p.said) >= 2*time.Second:
		p.said = time.Now()
		line(p.d.Err)
	}
}

func (p *demoProgress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && p.bar != nil {
		_ = p.bar.Finish()
	}
	p.over = true
}
