package gateway

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadroute/leadroute"
)

// window is the first level of deduplication: the ids that the log has acknowledged of
// late, and those on their way. It spares the ledger most copies; the ledger alone is
// exact. An id is learned only after the log's acknowledgement, so that a lead whose
// first post failed is never called a duplicate.
//
// While an id is on its way a second post of it waits for the first one's result
// instead of sending a copy; it fails when the first fails.
type window struct {
	span   time.Duration
	max    int // ids per generation and shard
	shards [64]shard
}

// windowKey is a SHA-256 cut to 128 bits: maps of it hold no pointers for the collector
// to follow, and nobody can find two ids that share one.
type windowKey [16]byte

type shard struct {
	mu         sync.Mutex
	flights    map[windowKey]*flight
	young, old map[windowKey]struct{} // two generations; the old one is dropped whole
	began      time.Time              // of young
}

// flight is one lead on its way into the log.
type flight struct {
	key  windowKey
	done chan struct{} // closed when err is set
	err  error
	told atomic.Bool // somebody was told "accepted"; the others are told "duplicate"
}

type sighting int

const (
	fresh   sighting = iota // the caller must send it and settle the flight
	joined                  // another post is sending it
	already                 // the log has it
)

func newWindow(span time.Duration, maxIDs int) *window {
	return &window{span: span, max: max(1, maxIDs/2/64)}
}

// begin says what is known of an id at that time; f is nil if it is already taken.
func (w *window) begin(id leadroute.LeadID, at time.Time) (f *flight, s sighting) {
	sum := sha256.Sum256([]byte(id))
	k := windowKey(sum[:])
	sh := &w.shards[k[0]%64]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.age(at, w.span)
	if _, ok := sh.young[k]; ok {
		return nil, already
	}
	if _, ok := sh.old[k]; ok {
		return nil, already
	}
	if f := sh.flights[k]; f != nil {
		return f, joined
	}
	if sh.flights == nil {
		sh.flights = map[windowKey]*flight{}
	}
	f = &flight{key: k, done: make(chan struct{})}
	sh.flights[k] = f
	return f, fresh
}

// settle ends a flight that begin called fresh; without an error the id is learned.
func (w *window) settle(f *flight, err error, at time.Time) {
	sh := &w.shards[f.key[0]%64]
	sh.mu.Lock()
	delete(sh.flights, f.key)
	if err == nil {
		sh.age(at, w.span)
		if sh.young == nil {
			sh.young, sh.began = map[windowKey]struct{}{}, at
		}
		sh.young[f.key] = struct{}{}
		if len(sh.young) >= w.max {
			sh.old, sh.young, sh.began = sh.young, map[windowKey]struct{}{}, at
		}
	}
	sh.mu.Unlock()
	f.err = err
	close(f.done)
}

// age turns the generations over: an id is remembered for one to two spans.
func (sh *shard) age(at time.Time, span time.Duration) {
	if sh.young == nil || at.Sub(sh.began) < span {
		return
	}
	if at.Sub(sh.began) < 2*span {
		sh.old = sh.young
	} else {
		sh.old = nil
	}
	sh.young, sh.began = map[windowKey]struct{}{}, at
}
