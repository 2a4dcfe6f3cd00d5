package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// settings are the deployment's secrets: from the environment, or else made at the first
// start and kept in the data folder.
type settings struct {
	// Keys are the API keys, "source=key,...": $LEADROUTE_KEYS.
	Keys string `json:"keys"`
	// IDKey is what lead ids are derived with: $LEADROUTE_ID_KEY. All instances of one
	// deployment must have the same.
	IDKey string `json:"id_key"`
}

const (
	settingsFile = "settings.json"
	minIDKey     = 16 // the gateway's
)

func loadSettings(data string) (settings, error) {
	var s settings
	path := filepath.Join(data, settingsFile)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s = settings{Keys: "api=" + randomKey(), IDKey: randomKey()}
		if b, err = json.MarshalIndent(s, "", "  "); err == nil {
			err = replaceFile(path, b)
		}
		if err != nil {
			return s, fmt.Errorf("keep the keys: %w", err)
		}
	case err != nil:
		return s, fmt.Errorf("read the keys: %w", err)
	default:
		if err := json.Unmarshal(b, &s); err != nil {
			return s, fmt.Errorf("%s is damaged; restore it from a backup, since lead ids are derived with it: %w", path, err)
		}
	}
	s.Keys = envOr("LEADROUTE_KEYS", s.Keys)
	s.IDKey = envOr("LEADROUTE_ID_KEY", s.IDKey)
	if len(s.IDKey) < minIDKey {
		return s, fmt.Errorf("LEADROUTE_ID_KEY has %d bytes; give it at least %d random ones", len(s.IDKey), minIDKey)
	}
	return s, nil
}

// firstKey is the key that the commands on this machine use; "" where only its hash is known.
func (s settings) firstKey() string {
	first, _, _ := strings.Cut(s.Keys, ",")
	_, key, _ := strings.Cut(first, "=")
	if strings.HasPrefix(key, "sha256:") {
		return ""
	}
	return key
}

func randomKey() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// runFile tells the other commands where the running process is. It holds secrets.
type runFile struct {
	API        string `json:"api"`
	Key        string `json:"key"`
	ClickHouse string `json:"clickhouse"`
	// Brokers are those of the log, the embedded one's too.
	Brokers []string `json:"brokers"`
	PID     int      `json:"pid"`
}

const runFileName = "run.json"

func writeRunFile(data string, r runFile) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(data, runFileName), b); err != nil {
		return fmt.Errorf("say where we run: %w", err)
	}
	return nil
}

// replaceFile writes a file that holds secrets, whole or not at all.
func replaceFile(path string, b []byte) error {
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func removeRunFile(data string) { _ = os.Remove(filepath.Join(data, runFileName)) }
