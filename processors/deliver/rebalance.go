package deliver

import "time"

// assign takes partitions in; total is the number of partitions of all the topics, 0 if
// the broker did not say. It returns when the loop has done so.
func (s *scheduler) assign(parts map[string][]int32, total int) {
	s.change(func() {
		for topic, ns := range parts {
			for _, n := range ns {
				s.offsets[part{topic, n}] = newOffsets()
			}
		}
		if total > 0 {
			s.total = total
		}
		s.share()
	}, nil)
}

// revoke gives partitions up: what has not started is dropped; what is in flight may end
// within Drain (at once if the partitions are lost: the next owner is at work already).
// It returns when nothing of these partitions is in flight and what was answered is marked.
func (s *scheduler) revoke(parts map[string][]int32, lost bool) {
	h := &handover{gone: map[part]bool{}, done: make(chan struct{})}
	for topic, ns := range parts {
		for _, n := range ns {
			h.gone[part{topic, n}] = true
		}
	}
	s.change(func() {
		h.until = time.Now()
		if !lost {
			h.until = h.until.Add(s.cfg.Drain)
		}
		s.backlog.forget(h.gone)
		s.leaving = append(s.leaving, h)
	}, h.done)
}

// change runs f in the loop and waits for it, and then for done unless that is nil.
func (s *scheduler) change(f func(), done <-chan struct{}) {
	ran := make(chan struct{})
	select {
	case s.changed <- func() { f(); close(ran) }:
	case <-s.ended:
		return
	}
	if done == nil {
		done = ran
	}
	select {
	case <-done:
	case <-s.ended:
	}
}

// letGo ends the hand-overs whose attempts have all ended and been acknowledged, and
// those whose time is up; all of them when the loop ends.
func (s *scheduler) letGo(now time.Time, all bool) {
	kept := s.leaving[:0]
	for _, h := range s.leaving {
		late := all || !now.Before(h.until)
		if !late && s.busy(h) {
			kept = append(kept, h)
			continue
		}
		for it, cancel := range s.running {
			if late && it.touches(h.gone) {
				cancel()
			}
		}
		s.commit()
		for p := range h.gone {
			delete(s.offsets, p)
		}
		s.share()
		close(h.done)
	}
	s.leaving = kept
}

// busy tells whether a record of the partitions that go is being tried or answered.
func (s *scheduler) busy(h *handover) bool {
	for it := range s.running {
		if it.touches(h.gone) {
			return true
		}
	}
	for p := range h.gone {
		if s.answering[p] > 0 {
			return true
		}
	}
	return false
}

func (i *item) touches(gone map[part]bool) bool {
	for _, m := range i.marks {
		if gone[m.part] {
			return true
		}
	}
	return false
}
