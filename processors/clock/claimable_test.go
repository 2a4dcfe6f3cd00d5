package clock_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/clock"
)

// TestClaimableIsWhatIsOpenNow: the list is as new as the log is when it is asked for, the
// most urgent first, whichever partition a lead is in; other timers are not on it.
func TestClaimableIsWhatIsOpenNow(t *testing.T) {
	r := newRig(t)
	c := clock.NewClaimable(r.Config)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	list := func() []string {
		t.Helper()
		timers, err := c.List(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, t := range timers {
			got = append(got, fmt.Sprintf("%s %s %d", t.Lead, t.Name, t.Due))
		}
		return got
	}
	open := func(lead, pool string, due, deadline leadroute.Millis) *leadroute.Timer {
		return &leadroute.Timer{Lead: leadroute.LeadID(lead), Kind: leadroute.TimerClaim, Name: pool, Rev: 1, N: 1, Due: due, Deadline: deadline}
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("open before anything was: %v", got)
	}
	l1, l2, l3 := open("l1", "a", 10, 300), open("l2", "a", 20, 100), open("l3", "b", 30, 100)
	r.set(l1, l2, l3, &leadroute.Timer{Lead: "l4", Kind: leadroute.TimerWake, Name: "claim", Rev: 1})
	if got, want := list(), []string{"l2 a 20", "l3 b 30", "l1 a 10"}; !slices.Equal(got, want) {
		t.Errorf("open = %v, want %v", got, want)
	}
	r.cancel(l2)
	r.set(open("l1", "a", 40, 50))
	if got, want := list(), []string{"l1 a 40", "l3 b 30"}; !slices.Equal(got, want) {
		t.Errorf("open = %v, want %v: the one claimed is gone, the other one is open anew", got, want)
	}
	var many sync.WaitGroup // who asks at once is answered by one reading
	for range 8 {
		many.Go(func() {
			if got, err := c.List(ctx); err != nil || len(got) != 2 {
				t.Errorf("List = %v, %v, want two", got, err)
			}
		})
	}
	many.Wait()
	c.Close()
	if got := list(); len(got) != 2 {
		t.Errorf("read anew: %v, want two", got)
	}
}
