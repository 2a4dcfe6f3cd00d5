package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAfter: a span passes while the hours are open, over nights, weekends and changes of the clocks.
func TestAfter(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	office := &Hours{Name: "office", Zone: berlin}
	for day := time.Monday; day <= time.Friday; day++ {
		office.Week[day] = []Span{{From: 9 * 60, Until: 12 * 60}, {From: 13 * 60, Until: 18 * 60}}
	}
	night := &Hours{Name: "night", Zone: berlin}
	for day := range 7 {
		night.Week[day] = []Span{{From: 0, Until: 6 * 60}}
	}
	cases := []struct {
		hours *Hours
		from  string
		span  time.Duration
		want  string
		why   string
	}{
		{nil, "2026-01-14T10:00:00+01:00", time.Hour, "2026-01-14T11:00:00+01:00", "no hours are always open"},
		{office, "2026-01-14T10:00:00+01:00", time.Hour, "2026-01-14T11:00:00+01:00", "within one span"},
		{office, "2026-01-14T11:30:00+01:00", time.Hour, "2026-01-14T13:30:00+01:00", "over lunch"},
		{office, "2026-01-14T12:30:00+01:00", time.Minute, "2026-01-14T13:01:00+01:00", "from a closed hour"},
		{office, "2026-01-16T17:59:30+01:00", time.Minute, "2026-01-19T09:00:30+01:00", "over the weekend"},
		{office, "2026-01-14T17:00:00+01:00", time.Hour, "2026-01-14T18:00:00+01:00", "to the very end of a span"},
		{office, "2026-01-14T09:00:00+01:00", 40 * time.Hour, "2026-01-20T18:00:00+01:00", "a working week"},
		{night, "2026-03-29T00:00:00+01:00", 5 * time.Hour, "2026-03-29T06:00:00+02:00", "the night that lacks an hour"},
		{night, "2026-10-25T00:00:00+02:00", 7 * time.Hour, "2026-10-25T06:00:00+01:00", "the night that has one more"},
		{&Hours{Zone: berlin}, "2026-01-14T10:00:00+01:00", time.Second, "0001-01-01T00:00:00Z", "never open"},
	}
	for _, c := range cases {
		from, err1 := time.Parse(time.RFC3339, c.from)
		want, err2 := time.Parse(time.RFC3339, c.want)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := c.hours.After(from, c.span); !got.Equal(want) {
			t.Errorf("After(%s, %s) = %s, want %s: %s", c.from, c.span, got, want, c.why)
		}
	}
}

// TestBetween: After and Between are one another's inverse.
func TestBetween(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	office := &Hours{Name: "office", Zone: berlin}
	for day := time.Monday; day <= time.Friday; day++ {
		office.Week[day] = []Span{{From: 9 * 60, Until: 12 * 60}, {From: 13 * 60, Until: 18 * 60}}
	}
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.SampledFrom([]*Hours{nil, office}).Draw(t, "hours")
		from := time.Date(2026, 3, 27, 0, 0, rapid.IntRange(0, 7*24*3600).Draw(t, "from"), 0, berlin) // the clocks change on the 29th
		span := time.Duration(rapid.IntRange(1, 100*3600).Draw(t, "span")) * time.Second
		if got := hours.Between(from, hours.After(from, span)); got != span {
			t.Fatalf("Between(%s, After(%v)) = %v", from, span, got)
		}
		until := from.Add(span)
		open := hours.Between(from, until)
		mid := from.Add(time.Duration(rapid.Int64Range(0, int64(span)).Draw(t, "mid")))
		if sum := hours.Between(from, mid) + hours.Between(mid, until); sum != open || open < 0 || open > span {
			t.Fatalf("between %s and %s %v are open, in two parts %v", from, until, open, sum)
		}
	})
	if got := office.Between(time.Date(2026, 1, 16, 17, 0, 0, 0, berlin), time.Date(2026, 1, 19, 10, 0, 0, 0, berlin)); got != 2*time.Hour {
		t.Errorf("over the weekend %v are open, want 2h", got)
	}
	if got := office.Between(time.Date(2026, 1, 16, 17, 0, 0, 0, berlin), time.Date(2026, 1, 16, 9, 0, 0, 0, berlin)); got != 0 {
		t.Errorf("backwards %v are open, want none", got)
	}
}
