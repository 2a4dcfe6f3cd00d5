package clock

import (
	"sort"

	"github.com/leadroute/leadroute"
)

// place is where a waiting lead stands; the queue is the set's.
type place = leadroute.Place

// order is a sorted set of places in blocks of bounded size, so that a queue of a million
// leads takes and gives one in microseconds and yields its head in order.
type order struct {
	blocks [][]place // none empty, ascending
	size   int
}

const blockMax = 512

// find returns the block and the index in it of the first place not before p; the block
// may be len(blocks).
func (o *order) find(p place) (b, i int) {
	b = sort.Search(len(o.blocks), func(b int) bool {
		last := o.blocks[b]
		return last[len(last)-1].Compare(p) >= 0
	})
	if b == len(o.blocks) {
		return b, 0
	}
	block := o.blocks[b]
	return b, sort.Search(len(block), func(i int) bool { return block[i].Compare(p) >= 0 })
}

// add inserts p; one that is there already stays once.
func (o *order) add(p place) {
	b, i := o.find(p)
	if b == len(o.blocks) {
		if b == 0 {
			o.blocks = [][]place{{p}}
			o.size++
			return
		}
		b--
		i = len(o.blocks[b])
	} else if o.blocks[b][i] == p {
		return
	}
	block := append(o.blocks[b], place{})
	copy(block[i+1:], block[i:])
	block[i] = p
	o.blocks[b] = block
	o.size++
	if len(block) > blockMax {
		right := append(make([]place, 0, blockMax), block[blockMax/2:]...)
		clear(block[blockMax/2:])
		o.blocks[b] = block[:blockMax/2]
		o.blocks = append(o.blocks, nil)
		copy(o.blocks[b+2:], o.blocks[b+1:])
		o.blocks[b+1] = right
	}
}

// remove takes p out, if it is there.
func (o *order) remove(p place) {
	b, i := o.find(p)
	if b == len(o.blocks) || o.blocks[b][i] != p {
		return
	}
	block := o.blocks[b]
	copy(block[i:], block[i+1:])
	block[len(block)-1] = place{}
	o.blocks[b] = block[:len(block)-1]
	o.size--
	if len(o.blocks[b]) == 0 {
		o.blocks = append(o.blocks[:b], o.blocks[b+1:]...)
	}
}

// head is the first place; the set must not be empty.
func (o *order) head() place { return o.blocks[0][0] }

// from calls yield for the places after p in order until it returns false; with the zero
// place it starts at the head.
func (o *order) from(p place, yield func(place) bool) {
	b, i := o.find(p)
	for ; b < len(o.blocks); b, i = b+1, 0 {
		for _, q := range o.blocks[b][i:] {
			if q != p && !yield(q) {
				return
			}
		}
	}
}
