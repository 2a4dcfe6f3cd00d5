package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/leadroute/leadroute/dsl"
)

const (
	maxCalendar     = 4 << 20
	calendarTimeout = 10 * time.Second
)

// calendars fetches the calendars that lie at an address.
type calendars struct {
	// Dir keeps the last good copy of each; empty: none is kept.
	Dir string
	Log *slog.Logger
}

// with compiles the policy anew with its calendars, so that their days are a part of it.
// Where one cannot be had, or does not parse, the days that were fetched last stay in force,
// and that is told; where none ever were, they are working days.
func (c calendars) with(ctx context.Context, policy *dsl.Policy) *dsl.Policy {
	for _, address := range unread(policy) {
		src, err := fetchCalendar(ctx, address)
		if err == nil {
			var whole *dsl.Policy
			if whole, err = including(policy, address, src); err == nil {
				policy = whole
				c.keep(address, src)
				continue
			}
		}
		if src, since := c.kept(address); src != nil {
			if whole, wrong := including(policy, address, src); wrong == nil {
				policy = whole
				c.Log.Warn("a calendar could not be read: its days of before stay in force", "calendar", address, "fetched", since.UTC().Format(time.RFC3339), "error", err)
				continue
			}
		}
		c.Log.Warn("a calendar could not be read: offices are open on its days until leadroute is started again", "calendar", address, "error", err)
	}
	return policy
}

// including compiles the policy with one more file.
func including(policy *dsl.Policy, name string, content []byte) (*dsl.Policy, error) {
	source := maps.Clone(policy.Source)
	source[name] = content
	whole, found := dsl.Parse(source)
	if err := found.Error(); err != nil {
		return nil, err
	}
	whole.Tests = policy.Tests
	return whole, nil
}

func (c calendars) file(address string) string {
	sum := sha256.Sum256([]byte(address))
	return filepath.Join(c.Dir, hex.EncodeToString(sum[:12])+".ics")
}

// keep stores a copy; without one the next start that cannot fetch knows no days.
func (c calendars) keep(address string, src []byte) {
	if c.Dir == "" {
		return
	}
	name := c.file(address)
	err := os.MkdirAll(c.Dir, 0o700)
	if err == nil {
		if err = os.WriteFile(name+".new", src, 0o600); err == nil {
			err = os.Rename(name+".new", name)
		}
	}
	if err != nil {
		c.Log.Warn("a calendar's copy was not kept", "calendar", address, "error", err)
	}
}

// kept is the copy, nil if there is none, and when it was fetched.
func (c calendars) kept(address string) (src []byte, since time.Time) {
	if c.Dir == "" {
		return nil, since
	}
	name := c.file(address)
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, since
	}
	if info, err := os.Stat(name); err == nil {
		since = info.ModTime()
	}
	return src, since
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
