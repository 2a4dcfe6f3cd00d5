// Package embedded starts the engines that leadroute brings along when none is named:
// a Kafka broker inside the process (franz-go's kfake with a data folder) and a real
// ClickHouse server as a child process. It decides where they come from, where they keep
// their data and how they end. What is stored in them is the business of processors and
// sink; which of them are needed is the business of cmd.
package embedded

import (
	"fmt"
	"os"
	"path/filepath"
)

// CacheEnv names the environment variable that moves the folder in which downloaded and
// built engine parts are kept.
const CacheEnv = "LEADROUTE_CACHE"

// CacheDir is the folder for what can be fetched again: dir if it is not empty, else
// $LEADROUTE_CACHE, else leadroute in the user's cache folder. It is created.
func CacheDir(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv(CacheEnv)
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the cache folder: %w; name one with %s", err, CacheEnv)
		}
		dir = filepath.Join(user, "leadroute")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // holds published software only
		return "", fmt.Errorf("create the cache folder: %w", err)
	}
	return dir, nil
}
