package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/leadroute/leadroute/dsl"
)

const (
	maxCalendar     = 4 << 20
	calendarTimeout = 10 * time.Second
)

// withCalendars fetches the calendars that lie at an address and compiles the policy anew
// with them, so that their days are a part of it. One that cannot be had is told, and its
// days are working days.
func withCalendars(ctx context.Context, policy *dsl.Policy, log *slog.Logger) *dsl.Policy {
	for _, address := range unread(policy) {
		src, err := fetchCalendar(ctx, address)
		if err == nil {
			source := maps.Clone(policy.Source)
			source[address] = src
			whole, found := dsl.Parse(source)
			if err = found.Error(); err == nil {
				whole.Tests, policy = policy.Tests, whole
				continue
			}
		}
		log.Warn("a calendar could not be read: offices are open on its days until leadroute is started again", "calendar", address, "error", err)
	}
	return policy
}

// unread are the addresses of the calendars whose days are not known, sorted.
func unread(policy *dsl.Policy) []string {
	var addresses []string
	for _, c := range policy.Plan.Calendars {
		if c.Unread != "" && !slices.Contains(addresses, c.Unread) {
			addresses = append(addresses, c.Unread)
		}
	}
	slices.Sort(addresses)
	return addresses
}

func fetchCalendar(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, calendarTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/calendar")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered http %d", res.StatusCode)
	}
	src, err := io.ReadAll(io.LimitReader(res.Body, maxCalendar+1))
	if err == nil && len(src) > maxCalendar {
		err = errors.New("it is larger than 4 MB")
	}
	return src, err
}
