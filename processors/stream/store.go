package stream

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/lovoo/goka/storage"

	"github.com/leadroute/leadroute"
)

// tableStore is one partition of a table in memory: Goka's storage.Storage on a map
// (Goka's own memory storage sorts its keys at every insertion: 400,000 rows took it two
// minutes), with what the fence needs. The changelog is the truth: a store starts empty at
// each assignment. Any number of readers, one writer.
type tableStore struct {
	mu     sync.RWMutex
	rows   map[string]row
	offset int64
	known  bool // offset is
	epoch  int64
	// hidden are the keys whose last record in the changelog is a zombie's, and so hides the
	// true row from compaction.
	hidden map[string]struct{}
	fenced int

	onClose func()
}

type row struct {
	value []byte
	at    leadroute.Millis
}

func newTableStore() *tableStore { return &tableStore{rows: map[string]row{}} }

// apply takes one record of the changelog, in order. It returns false for one that is no
// news: a barrier, or a zombie's.
func (s *tableStore) apply(key string, value []byte, st stamp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.epoch < s.epoch {
		s.fenced++
		if old := s.rows[key].value; !isBarrier(key) && !bytes.Equal(old, value) {
			if s.hidden == nil {
				s.hidden = map[string]struct{}{}
			}
			s.hidden[key] = struct{}{}
		}
		return false
	}
	s.epoch = st.epoch
	if isBarrier(key) {
		return false
	}
	delete(s.hidden, key)
	if value == nil {
		delete(s.rows, key)
	} else {
		s.rows[key] = row{value, st.at}
	}
	return true
}

// get returns the row of key; its value is nil if there is none.
func (s *tableStore) get(key string) row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rows[key]
}

// touch sets the time of a row that was written.
func (s *tableStore) touch(key string, at leadroute.Millis) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.rows[key]; ok && r.at < at {
		r.at = at
		s.rows[key] = r
	}
}

// repairs returns the rows that must be written again; a nil value stands for a tombstone.
func (s *tableStore) repairs() map[string]row {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]row, len(s.hidden))
	for k := range s.hidden {
		out[k] = s.rows[k]
	}
	s.hidden = nil
	return out
}

func (s *tableStore) lastEpoch() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.epoch
}

func (s *tableStore) fencedRecords() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.fenced
}

func (s *tableStore) size() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.rows)
}

// keys returns the keys at this moment, in no order.
func (s *tableStore) keys() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	keys := make([]string, 0, len(s.rows))
	for k := range s.rows {
		keys = append(keys, k)
	}
	return keys
}

// The methods of storage.Storage.

func (s *tableStore) Open() error          { return nil }
func (s *tableStore) MarkRecovered() error { return nil }

func (s *tableStore) Close() error {
	if s.onClose != nil {
		s.onClose()
	}
	return nil
}

func (s *tableStore) Has(key string) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.rows[key]
	return ok, nil
}

func (s *tableStore) Get(key string) ([]byte, error) { return s.get(key).value, nil }

func (s *tableStore) Set(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[key] = row{value, s.rows[key].at}
	return nil
}

func (s *tableStore) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, key)
	return nil
}

func (s *tableStore) SetOffset(offset int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset, s.known = offset, true
	return nil
}

func (s *tableStore) GetOffset(otherwise int64) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.known {
		return otherwise, nil
	}
	return s.offset, nil
}

func (s *tableStore) Iterator() (storage.Iterator, error) { return s.IteratorWithRange(nil, nil) }

func (s *tableStore) IteratorWithRange(start, limit []byte) (storage.Iterator, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	it := &rowIterator{at: -1}
	for k, r := range s.rows {
		if (start == nil || k >= string(start)) && (limit == nil || k < string(limit)) {
			it.rows = append(it.rows, keyed{k, r.value})
		}
	}
	slices.SortFunc(it.rows, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	return it, nil
}

type keyed struct {
	key   string
	value []byte
}

// rowIterator is a snapshot in ascending order of keys.
type rowIterator struct {
	rows []keyed
	at   int
}

func (it *rowIterator) Next() bool             { it.at++; return it.at < len(it.rows) }
func (it *rowIterator) Err() error             { return nil }
func (it *rowIterator) Key() []byte            { return []byte(it.rows[it.at].key) }
func (it *rowIterator) Value() ([]byte, error) { return it.rows[it.at].value, nil }
func (it *rowIterator) Release()               {}

func (it *rowIterator) Seek(key []byte) bool {
	i := sort.Search(len(it.rows), func(i int) bool { return it.rows[i].key >= string(key) })
	it.at = i - 1
	return i < len(it.rows)
}
