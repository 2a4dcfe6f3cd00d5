package stream_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute/processors/stream"
)

func TestOffsetsCoversOnlyWhatIsDoneInOrder(t *testing.T) {
	p := stream.Partition{Topic: "t", Partition: 3}
	var o stream.Offsets
	for _, off := range []int64{10, 11, 15} { // 12 to 14 were compacted away
		o.Add(p, off)
	}
	steps := []struct {
		done  int64
		next  int64
		moved bool
	}{
		{15, 0, false}, {12, 0, false}, {11, 0, false}, {11, 0, false}, {10, 16, true}, {10, 0, false},
	}
	for _, s := range steps {
		if next, moved := o.Done(p, s.done); next != s.next || moved != s.moved {
			t.Errorf("Done(%d) = %d, %v, want %d, %v", s.done, next, moved, s.next, s.moved)
		}
	}
	if n := o.Pending(p); n != 0 {
		t.Errorf("Pending = %d, want 0", n)
	}
}

func TestOffsetsForgetMakesLateDoneHarmless(t *testing.T) {
	p := stream.Partition{Topic: "t"}
	var o stream.Offsets
	o.Add(p, 1)
	o.Forget(p)
	if next, moved := o.Done(p, 1); moved {
		t.Errorf("Done after Forget = %d, true, want no move", next)
	}
}

// Against the obvious model: a list of handed-out offsets and a set of finished ones.
func TestOffsetsAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o stream.Offsets
		p := stream.Partition{Topic: "t", Partition: 1}
		var out []int64
		finished := map[int64]bool{}
		last, covered := int64(-1), int64(-1)
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
			case op < 5:
				last += rapid.Int64Range(1, 3).Draw(t, "gap")
				o.Add(p, last)
				out = append(out, last)
			case op == 5 && len(out) > 0: // rewound
				back := out[rapid.IntRange(0, len(out)-1).Draw(t, "back")]
				for len(out) > 0 && out[len(out)-1] >= back {
					delete(finished, out[len(out)-1])
					out = out[:len(out)-1]
				}
				o.Add(p, back)
				out = append(out, back)
				last = back
			default:
				if len(out) == 0 {
					continue
				}
				d := out[rapid.IntRange(0, len(out)-1).Draw(t, "done")]
				finished[d] = true
				moved := false
				for len(out) > 0 && finished[out[0]] {
					covered, moved = out[0]+1, true
					delete(finished, out[0])
					out = out[1:]
				}
				next, gotMoved := o.Done(p, d)
				if gotMoved != moved || moved && next != covered {
					t.Fatalf("Done(%d) = %d, %v, want %d, %v", d, next, gotMoved, covered, moved)
				}
			}
			if n := o.Pending(p); n != len(out) {
				t.Fatalf("Pending = %d, want %d", n, len(out))
			}
		}
	})
}

func BenchmarkOffsets(b *testing.B) {
	p := stream.Partition{Topic: "t"}
	var o stream.Offsets
	for i := range int64(b.N) {
		o.Add(p, i)
		if i >= 64 {
			o.Done(p, (i-64)^1) // slightly out of order, 64 in flight
		}
	}
}
