package stream

import (
	"context"
	"time"

	"github.com/leadroute/leadroute"
)

// sweep is a stage's anti-entropy: its rows say again what is outstanding.
type sweep struct {
	every time.Duration
	row   func(key string, raw []byte, now leadroute.Millis) ([]encoded, error)
}

// sweepChunk rows are swept in one go; between chunks the stage's own work has its turn.
const sweepChunk = 64

// sweep passes over the owned rows again and again until ctx ends. What it sends is not
// waited for: the next pass says it again.
func (c *core) sweep(ctx context.Context, r *run) {
	if c.sweeps.row == nil {
		return
	}
	every := c.sweeps.every
	if every == 0 {
		every = time.Minute
	}
	for pause(ctx, every/2) {
		if r.live.Load() && !c.pass(ctx, r, every/2) {
			return
		}
	}
}

// pass sweeps every owned row once, spread over d.
func (c *core) pass(ctx context.Context, r *run, d time.Duration) bool {
	total := 0
	stores := r.owned()
	for _, s := range stores {
		total += s.size()
	}
	rest := d * sweepChunk / time.Duration(max(total, sweepChunk))
	n := 0
	for _, s := range stores {
		for _, key := range s.keys() {
			if n++; n%sweepChunk == 0 && !pause(ctx, rest) {
				return false
			}
			if raw := s.get(key).value; raw != nil {
				c.sweepRow(r, key, raw)
			}
		}
	}
	return ctx.Err() == nil
}

func (c *core) sweepRow(r *run, key string, raw []byte) {
	defer func() {
		if p := recover(); p != nil {
			c.cfg.Log.Error("sweep panicked", "stage", c.name, "reason", panicReason(p))
		}
	}()
	effects, err := c.sweeps.row(key, raw, leadroute.At(c.cfg.Clock()))
	if err != nil {
		c.cfg.Log.Warn("row not swept", "stage", c.name, "error", err)
		return
	}
	for _, e := range effects {
		c.metrics.swept.Inc()
		r.send(c.cfg.Namespace.Topic(e.topic), e.key, e.value, func(error) {})
	}
}
