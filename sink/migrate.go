package sink

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migration is one file of migrations/, "NNNN_name.sql". Every statement of it can be run
// again, and by two processes at once, without harm.
type migration struct {
	Version    uint32
	Name       string
	Statements []string
}

// readMigrations returns the migrations in order of version.
func readMigrations() ([]migration, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "migrations/"), ".sql")
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseUint(number, 10, 32)
		if err != nil || int(version) != len(all)+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", file, len(all)+1)
		}
		text, err := migrations.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{Version: uint32(version), Name: name, Statements: statements(string(text))})
	}
	return all, nil
}

// statements splits a file at the semicolons that end a line, and drops comment lines.
func statements(text string) []string {
	var all []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "--") {
			continue
		}
		b.WriteString(line)
		if strings.HasSuffix(strings.TrimSpace(line), ";") {
			all = append(all, strings.TrimSuffix(strings.TrimSpace(b.String()), ";"))
			b.Reset()
		}
	}
	if rest := strings.TrimSpace(b.String()); rest != "" {
		all = append(all, rest)
	}
	return all
}

// migrate runs the migrations that the database has not seen. A version is noted after
// its statements: a process that dies in between, or one that starts at the same time,
// runs them again.
func (db *DB) migrate(ctx context.Context) error {
	all, err := readMigrations()
	if err != nil {
		return err
	}
	const table = `CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, at DateTime('UTC') DEFAULT now())
		ENGINE = ReplacingMergeTree ORDER BY version`
	if err := db.conn.Exec(ctx, table); err != nil {
		return fmt.Errorf("prepare database %s: %w", db.addr.Database, db.addr.explain(err))
	}
	var seen uint32
	if err := db.conn.QueryRow(ctx, "SELECT max(version) FROM migrations").Scan(&seen); err != nil {
		return fmt.Errorf("read the migrations of database %s: %w", db.addr.Database, db.addr.explain(err))
	}
	for _, m := range all {
		if m.Version <= seen {
			continue
		}
		for _, s := range m.Statements {
			if err := db.conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("migration %s: %w", m.Name, db.addr.explain(err))
			}
		}
		if err := db.conn.Exec(ctx, "INSERT INTO migrations (version, name) VALUES (?, ?)", m.Version, m.Name); err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, db.addr.explain(err))
		}
	}
	return db.numberSteps(ctx)
}
