// Package sink carries the events topic into ClickHouse, each event exactly once, and
// answers questions about what is there. It owns the tables, the views and their
// migrations. What an event says is the business of the stage that emits it; where
// ClickHouse comes from is that of internal/embedded and cmd.
package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DefaultDatabase is the database where an address names none.
const DefaultDatabase = "leadroute"

// Address says where ClickHouse is and who we are there.
type Address struct {
	Host     string // "host:port" of the native protocol
	Database string
	User     string
	Password string
	Secure   bool // TLS
}

// ParseAddress reads "HOST[:PORT]" or "clickhouse://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE][?secure=true]".
// The port is 9000 (9440 with TLS) where none is given, the user "default", the database DefaultDatabase.
func ParseAddress(s string) (Address, error) {
	if !strings.Contains(s, "://") {
		s = "clickhouse://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "clickhouse" || u.Hostname() == "" {
		// Neither the address nor the parser's error is repeated: both may hold the password.
		return Address{}, errors.New("the ClickHouse address cannot be read; write HOST:PORT or clickhouse://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	a := Address{Host: u.Host, Database: strings.Trim(u.Path, "/"), User: u.User.Username(), Secure: u.Query().Get("secure") == "true"}
	a.Password, _ = u.User.Password()
	if u.Port() == "" {
		port := "9000"
		if a.Secure {
			port = "9440"
		}
		a.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if a.Database == "" {
		a.Database = DefaultDatabase
	}
	if a.User == "" {
		a.User = "default"
	}
	return a, nil
}

// String is the address as ParseAddress reads it. It holds the password.
func (a Address) String() string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(a.User, a.Password), Host: a.Host, Path: a.Database}
	if a.Secure {
		u.RawQuery = "secure=true"
	}
	return u.String()
}

// LoginError says that ClickHouse is there and does not let us in.
type LoginError struct{ Host, User string }

func (e *LoginError) Error() string {
	return fmt.Sprintf("ClickHouse at %s refuses the login of user %q; give a user and password it knows: --clickhouse clickhouse://USER:PASSWORD@%s/DATABASE", e.Host, e.User, e.Host)
}

// DB is a connection to the analytics database.
type DB struct {
	conn driver.Conn
	addr Address
}

// Open connects, creates the database where it does not exist and brings its tables and
// views up to date. A refused login gives a *LoginError. Several processes may open one
// database at once.
func Open(ctx context.Context, a Address) (*DB, error) {
	create := func(conn driver.Conn) error {
		return conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+identifier(a.Database))
	}
	db, err := connect(ctx, a, create)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Connect is Open for one who only asks: it changes nothing. Where the database does not
// exist the error says so.
func Connect(ctx context.Context, a Address) (*DB, error) {
	return connect(ctx, a, func(conn driver.Conn) error {
		var n uint64
		err := conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = ?", a.Database).Scan(&n)
		if err == nil && n == 0 {
			err = fmt.Errorf("there is no database %q; it comes into being with the first leadroute run", a.Database)
		}
		return err
	})
}

// connect prepares the database over a connection that names none, then connects to it:
// a login to a database that is not there ends the embedded engine.
func connect(ctx context.Context, a Address, prepare func(driver.Conn) error) (*DB, error) {
	first, err := dial(ctx, a, "")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(prepare(first), first.Close()); err != nil {
		return nil, a.explain(err)
	}
	conn, err := dial(ctx, a, a.Database)
	if err != nil {
		return nil, err
	}
	return &DB{conn: conn, addr: a}, nil
}

// Close ends the connection.
func (db *DB) Close() error { return db.conn.Close() }

func dial(ctx context.Context, a Address, database string) (driver.Conn, error) {
	o := &clickhouse.Options{
		Addr:         []string{a.Host},
		Auth:         clickhouse.Auth{Database: database, Username: a.User, Password: a.Password},
		DialTimeout:  3 * time.Second,
		ReadTimeout:  time.Minute,
		MaxOpenConns: 8,
		MaxIdleConns: 4,
	}
	host, _, _ := net.SplitHostPort(a.Host)
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4} // on loopback it only costs
	}
	if a.Secure {
		o.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		return nil, fmt.Errorf("reach ClickHouse at %s: %w", a.Host, err)
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(a.explain(err), conn.Close())
	}
	return conn, nil
}

// explain turns what the client says into one line that tells what to do.
func (a Address) explain(err error) error {
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok {
		switch ex.Code {
		case 516, 192, 193, 194: // authentication failed; unknown user, wrong password, password required
			return &LoginError{Host: a.Host, User: a.User}
		}
		line, _, _ := strings.Cut(strings.TrimSpace(ex.Message), "\n")
		return fmt.Errorf("ClickHouse at %s: code %d: %s", a.Host, ex.Code, line)
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("reach ClickHouse at %s: %w; is it running, and is this its native port?", a.Host, err)
	}
	return fmt.Errorf("ClickHouse at %s: %w", a.Host, err)
}

// identifier quotes a name for ClickHouse's SQL.
func identifier(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}
