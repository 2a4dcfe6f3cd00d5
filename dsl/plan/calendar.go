package plan

import "time"

// Date is a day of the calendar, wherever the clock is.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day of an instant in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// Compare orders days.
func (d Date) Compare(o Date) int { return d.midnight().Compare(o.midnight()) }

// Next is the day after.
func (d Date) Next() Date { return DateOf(d.midnight().AddDate(0, 0, 1)) }

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Calendar is a set of days off.
type Calendar struct {
	Name string
	// Days are the days off, and what is celebrated where the source says so. A day off
	// lasts from one local midnight to the next, in the zone of the hours that name it.
	Days map[Date]string
	// Unread is the address of a calendar that has not been fetched: its days are not known.
	Unread string
}

// Off tells whether the day is one of the calendar's.
func (c *Calendar) Off(d Date) bool {
	_, ok := c.Days[d]
	return ok
}
