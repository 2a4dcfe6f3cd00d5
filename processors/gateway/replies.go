package gateway

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// replies are the ledger's answers that somebody waits for.
type replies struct {
	mu      sync.Mutex
	waiting map[string]chan *leadroute.Reply
}

// expect returns where the answer under that key will come, and how to stop waiting for it.
func (r *replies) expect(key string) (answer <-chan *leadroute.Reply, forget func()) {
	c := make(chan *leadroute.Reply, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = map[string]chan *leadroute.Reply{}
	}
	r.waiting[key] = c
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, key)
	}
}

// take hands an answer to who waits for it; a copy of it, or another instance's, to nobody.
func (r *replies) take(rec *kgo.Record) {
	r.mu.Lock()
	c := r.waiting[string(rec.Key)]
	delete(r.waiting, string(rec.Key))
	r.mu.Unlock()
	if c == nil {
		return
	}
	if v, err := leadroute.Decode[leadroute.Reply](rec.Value); err == nil {
		c <- v
	}
}

// listen reads the ledger's answers from now on until ctx ends. Without it, and while the
// log is away, who waits is told that the answer is not known yet.
func (g *Gateway) listen(ctx context.Context) {
	cl, err := kgo.NewClient(append(g.cfg.Stream.Options(),
		kgo.ClientID("leadroute-gateway-replies"),
		kgo.ConsumeTopics(g.cfg.Stream.Namespace.Topic(leadroute.TopicReplies)),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
	)...)
	if err != nil {
		g.cfg.Stream.Log.Error("the ledger's answers cannot be read", "error", err)
		return
	}
	defer cl.Close()
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		if errors.Is(fetches.Err0(), kgo.ErrClientClosed) {
			return
		}
		fetches.EachRecord(g.replies.take)
	}
}
