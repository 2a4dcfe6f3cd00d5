package plan

import (
	"math"
	"strings"
	"sync"
)

// The types of a field.
const (
	TypeString = "string"
	TypeNumber = "number"
	TypeBool   = "bool"
	TypeList   = "list" // of strings
)

// Layout says where each field that a condition reads stands in a Record. The compiler
// asks for slots while it checks the conditions; after that the layout is read-only.
type Layout struct {
	slots map[string]Slot
	root  branch
	// account are the slots below "account.", which an account row replaces as a whole.
	account                  []Slot
	strs, nums, bools, lists int
	// priority and territory are where those facts stand in strs, from 1; 0: no condition reads them.
	priority, territory int
	free                sync.Pool
}

// Slot is one field's place.
type Slot struct {
	Name  string // dotted
	Type  string
	index int
}

// branch is one level of the sender's JSON object.
type branch struct {
	slot *Slot
	kids map[string]*branch
}

// NewLayout returns a layout without fields.
func NewLayout() *Layout { return &Layout{slots: map[string]Slot{}} }

// Slot returns the place of a field, making one at first use. A later call with
// another type returns the first one's; the caller compares.
func (l *Layout) Slot(name, typ string) Slot {
	if s, ok := l.slots[name]; ok {
		return s
	}
	s := l.hidden(name, typ)
	b := &l.root
	for part := range strings.SplitSeq(name, ".") {
		if b.kids == nil {
			b.kids = map[string]*branch{}
		}
		if b.kids[part] == nil {
			b.kids[part] = &branch{}
		}
		b = b.kids[part]
	}
	b.slot = &s
	if strings.HasPrefix(name, "account.") {
		l.account = append(l.account, s)
	}
	return s
}

// Lookup returns the place of a field that some condition reads.
func (l *Layout) Lookup(name string) (Slot, bool) {
	s, ok := l.slots[name]
	return s, ok
}

// Decided returns the place of a fact that the plan decides itself (priority,
// territory): no sender can fill it.
func (l *Layout) Decided(name string) Slot {
	if s, ok := l.slots[name]; ok {
		return s
	}
	s := l.hidden(name, TypeString)
	switch name {
	case DecidedPriority:
		l.priority = s.index + 1
	case DecidedTerritory:
		l.territory = s.index + 1
	}
	return s
}

func (l *Layout) hidden(name, typ string) Slot {
	s := Slot{Name: name, Type: typ}
	count := &l.strs
	switch typ {
	case TypeNumber:
		count = &l.nums
	case TypeBool:
		count = &l.bools
	case TypeList:
		count = &l.lists
	}
	s.index = *count
	*count++
	l.slots[name] = s
	return s
}

// New returns an empty record: every field is missing.
func (l *Layout) New() *Record {
	r, _ := l.free.Get().(*Record)
	if r == nil {
		r = &Record{
			layout: l,
			strs:   make([]string, l.strs), nums: make([]float64, l.nums),
			bools: make([]tri, l.bools), lists: make([][]string, l.lists), spare: make([][]string, l.lists),
		}
	}
	clear(r.strs)
	clear(r.bools)
	clear(r.lists)
	for i := range r.nums {
		r.nums[i] = math.NaN()
	}
	r.live, r.territory, r.assigned = nil, nil, Target{}
	return r
}
