package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadroute/leadroute/views"
)

// hr is an address with a file of reps that changes.
type hr struct {
	mu      sync.Mutex
	content string
	status  int
	served  []int
}

func (h *hr) set(status int, content string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.content = status, content
}

func (h *hr) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	tag := `"` + strings.ReplaceAll(h.content, "\n", "/") + `"`
	status := h.status
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		status = http.StatusNotModified
	}
	h.served = append(h.served, status)
	w.Header().Set("ETag", tag)
	w.WriteHeader(status)
	if status == http.StatusOK {
		_, _ = w.Write([]byte(h.content))
	}
}

// TestRepsAreKeptInStep: with --every what changed at an address is applied, and nothing
// else; what is wrong with it is told, and all stays as it was.
func TestRepsAreKeptInStep(t *testing.T) {
	api, stop, err := newFakeAPI()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	source := &hr{status: http.StatusOK, content: "id,open\nana,3\nben,4\n"}
	server := httptest.NewServer(source)
	defer server.Close()

	var out, talk bytes.Buffer
	tick := make(chan time.Time)
	ctx, cancel := context.WithCancel(t.Context())
	opts := repsImportOptions{
		importOptions: importOptions{API: &apiOptions{Addr: api.URL, Key: apiKey}, File: server.URL, Out: &out, Err: &talk},
		Sync:          true, RemoveAtMost: -1, Every: time.Minute, tick: tick,
	}
	ended := make(chan error)
	go func() { ended <- importReps(ctx, opts) }()
	// Two ticks are taken: the first one's look is over when the second is.
	look := func() { tick <- time.Time{}; tick <- time.Time{} }

	look()
	source.set(http.StatusOK, "id,open\nana,3\nben,5\nchloe,6\n")
	look()
	source.set(http.StatusOK, "id,open\nana,many\n")
	look()
	source.set(http.StatusInternalServerError, "")
	look()
	source.set(http.StatusOK, "id,open\nchloe,6\n") // two of three are missing: torn
	look()
	source.set(http.StatusOK, "id,open\nana,3\nchloe,6\n")
	look()
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("importReps = %v after it was told to stop, want nil", err)
	}

	for i, line := range []string{"+ ana", "+ ben", ": 2 new, 0 changed, 0 removed, 0 as they were", "~ ben: caps.open 4 -> 5", "+ chloe", ": 1 new, 1 changed, 0 removed, 1 as they were", "- ben", ": 0 new, 0 changed, 1 removed, 2 as they were"} {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if i >= len(lines) || !strings.HasSuffix(lines[i], line) || len(lines) != 8 {
			t.Fatalf("told\n%swant line %d to end in %q, of 8", out.String(), i+1, line)
		}
	}
	for _, want := range []string{`2:5: column "open": must be a whole number, not "many"`, "all stays as it was: 1 fault in", "answered http 500", "the file lacks 2 of 3 reps (ana, ben)"} {
		if !strings.Contains(talk.String(), want) {
			t.Errorf("nobody was told of %q:\n%s", want, talk.String())
		}
	}
	again := 0
	for _, status := range source.served {
		if status == http.StatusNotModified {
			again++
		}
	}
	if again == 0 {
		t.Errorf("the address answered %v, and was never asked whether it had changed", source.served)
	}
}

// TestTheBoardGoesOn: with --watch --json the board is an object a line, until it is told to
// stop; a router that is away meanwhile is told of.
func TestTheBoardGoesOn(t *testing.T) {
	at := 0
	broken := false
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		at++
		switch {
		case at == 2 && !broken:
			broken = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case at == 4:
			cancel()
		}
		_ = json.NewEncoder(w).Encode(views.Board{At: 1768384800000, Reps: []views.BoardRow{{ID: "ana"}}})
	}))
	defer s.Close()
	var out, talk bytes.Buffer
	err := repsBoard(ctx, repsBoardOptions{
		repsOptions: repsOptions{API: &apiOptions{Addr: s.URL, Key: "k"}, JSON: true, Out: &out, Err: &talk}, Watch: true, Every: 100 * time.Millisecond,
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || len(lines) != 2 || talk.Len() == 0 {
		t.Errorf("repsBoard = %v, %d lines, told %q; want 2 lines and word of the one that failed", err, len(lines), talk.String())
	}
	for _, l := range lines {
		var b views.Board
		if err := json.Unmarshal([]byte(l), &b); err != nil || len(b.Reps) != 1 {
			t.Errorf("line %q = %v, %v, want a board", l, b, err)
		}
	}
}

// TestTheTableIsRefreshedInPlace: on a terminal one table takes the place of the one before.
func TestTheTableIsRefreshedInPlace(t *testing.T) {
	var out bytes.Buffer
	opts := repsBoardOptions{repsOptions: repsOptions{Out: &out}, Terminal: true, Watch: true}
	at := views.Board{At: 1768384800000, Reps: []views.BoardRow{
		{ID: "ana", Status: "available", Open: 2, Cap: 5, Day: &views.Counted{Taken: 8, Cap: 8}, Timezone: "Europe/Berlin", ShiftEnds: 1768406400000, Last: 1768384740000, Pools: nil},
		{ID: "ben", Status: "away", Absent: "away", StatusUntil: 1768399200000, Cap: 5, Timezone: "America/New_York", NextShift: 1768485600000},
		{ID: "chloe", Status: "available", Absent: "off_shift", AbsentUntil: 1768809600000, Cap: 5, Timezone: "UTC", NextShift: 1768809600000},
		{ID: "emi", Status: "available", Absent: "out_of_office", Reason: "vacation", AwayUntil: 1768604400000, Cap: 5, Timezone: "Europe/Berlin"},
		{ID: "fay", Status: "busy", Absent: "leaving", Leaving: true, Held: 2, Open: 2, Cap: 5, Timezone: "UTC"},
		{ID: "gil", Status: "available", Absent: "paused", AbsentUntil: 1768386000000, Open: 5, Cap: 5, Timezone: "UTC"},
		{ID: "hal", Status: "available", Open: 5, Cap: 5, Timezone: "UTC"},
	}}
	if err := opts.show(&at, true); err != nil {
		t.Fatal(err)
	}
	first := out.String()
	out.Reset()
	if err := opts.show(&at, false); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first, "\x1b[2J\x1b[H") || !strings.HasPrefix(out.String(), "\x1b[H2026") || !strings.HasSuffix(out.String(), "\x1b[J") {
		t.Errorf("the tables begin %q and %q, want the first one to clear and both to start at home", first[:10], out.String()[:10])
	}
	table := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(out.String(), "\x1b[H"), "\x1b[J"), "\x1b[K", "")
	want := `2026-01-14 10:00:00 UTC  7 reps, 2 there, 14 places taken, 3 free

REP    STATUS     NOW                                  OPEN  HOUR  DAY  WEEK  LAST LEAD  POOLS  SHIFT
ana    available  the day's cap is reached             2/5   -     8/8  -     1m0s ago   -      until 17:00
ben    away       until 09:00                          0/5   -     -    -     -          -      from Thu 09:00
chloe  available  off shift until Mon 08:00            0/5   -     -    -     -          -      from Mon 08:00
emi    available  out of office through Fri, vacation  0/5   -     -    -     -          -      -
fay    leaving    2 leads to finish                    2/5   -     -    -     -          -      -
gil    available  paused until 10:20                   5/5   -     -    -     -          -      -
hal    available  full                                 5/5   -     -    -     -          -      -
`
	if table != want {
		t.Errorf("table\n%swant\n%s", table, want)
	}
}
