package stream

import (
	"context"
	"errors"

	"github.com/leadroute/leadroute"
)

// View is a copy of a stage's whole table in this process, behind it by a millisecond or
// so: every instance has all rows. What must be guaranteed is decided where the row is
// owned; a view is for hints, indexes and boards.
type View[S any] struct{ reader *tableReader }

// NewView makes a view of the table of stage. onRow, if not nil, is told of every row that
// is set or (s nil) deleted, one call at a time and in order per key, from the rows that
// are there at the start on; it must return soon and must not change *s. Nothing is
// connected before Run.
func NewView[S any](cfg Config, stage leadroute.Topic, onRow func(key string, s *S)) (*View[S], error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if stage == "" {
		return nil, errors.New("stream: a view needs a stage")
	}
	var take func(key string, value []byte)
	if onRow != nil {
		take = func(key string, value []byte) {
			if value == nil {
				onRow(key, nil)
				return
			}
			s, err := leadroute.Decode[S](value)
			if err != nil {
				cfg.Log.Warn("row of a view cannot be read", "stage", stage)
				return
			}
			onRow(key, s)
		}
	}
	return &View[S]{newTableReader(cfg, stage, take)}, nil
}

// Run reads the table until ctx ends, and returns nil. It goes on by itself after a broker
// was away; the rows stay readable meanwhile.
func (v *View[S]) Run(ctx context.Context) error {
	v.reader.run(ctx)
	return nil
}

// Recovered is closed when the view holds everything that the table held when it started.
func (v *View[S]) Recovered() <-chan struct{} { return v.reader.recovered }

// Get returns the row of key, nil if there is none (or none yet: see Recovered).
func (v *View[S]) Get(key string) *S {
	raw := v.reader.get(key)
	if raw == nil {
		return nil
	}
	s, err := leadroute.Decode[S](raw)
	if err != nil {
		return nil
	}
	return s
}

// Rows calls yield for each row, in no order, until it returns false.
func (v *View[S]) Rows(yield func(key string, s *S) bool) {
	for key := range v.Keys {
		if s := v.Get(key); s != nil && !yield(key, s) {
			return
		}
	}
}

// Keys calls yield for the key of each row, in no order, until it returns false.
func (v *View[S]) Keys(yield func(key string) bool) {
	v.reader.mu.RLock()
	stores := make([]*tableStore, 0, len(v.reader.parts))
	for _, s := range v.reader.parts {
		stores = append(stores, s)
	}
	v.reader.mu.RUnlock()
	for _, store := range stores {
		for _, key := range store.keys() {
			if !yield(key) {
				return
			}
		}
	}
}
