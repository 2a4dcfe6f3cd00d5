package desk

import (
	"slices"
	"sync"

	"github.com/leadroute/leadroute"
)

// Directory finds reps by their id in the CRM. The zero Directory is empty and ready.
type Directory struct {
	mu    sync.RWMutex
	crmID map[leadroute.RepID]string
	reps  map[string][]leadroute.RepID
}

// Update takes a rep's row; s is nil where there is none any more.
func (d *Directory) Update(id leadroute.RepID, s *State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reps == nil {
		d.crmID, d.reps = map[leadroute.RepID]string{}, map[string][]leadroute.RepID{}
	}
	now := ""
	if s != nil && !s.Left() {
		now = s.Profile.CRMID
	}
	had := d.crmID[id]
	if had == now {
		return
	}
	if had != "" {
		left := slices.DeleteFunc(slices.Clone(d.reps[had]), func(r leadroute.RepID) bool { return r == id })
		if d.reps[had] = left; len(left) == 0 {
			delete(d.reps, had)
		}
		delete(d.crmID, id)
	}
	if now != "" {
		d.crmID[id], d.reps[now] = now, append(slices.Clone(d.reps[now]), id)
	}
}

// Owners returns who has that id in the CRM; the caller must not change it. More than one
// is a mistake of whoever brought the profiles.
func (d *Directory) Owners(crmID string) []leadroute.RepID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.reps[crmID]
}
