package embedded

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// user is the login of the embedded server; the password is new at every StartClickHouse.
const user = "leadroute"

// hold is the query that keeps clickhouse-local, and with it the server, alive.
const hold = "SELECT sleepEachRow(0.2) FROM system.numbers SETTINGS function_sleep_max_microseconds_per_block=0, max_block_size=1, max_threads=1 FORMAT Null"

const serverXML = `<clickhouse>
  <users_config>users.xml</users_config>
  <timezone>UTC</timezone>
  <listen_host>127.0.0.1</listen_host>
  <max_server_memory_usage>%d</max_server_memory_usage>
  <mark_cache_size>134217728</mark_cache_size>
</clickhouse>
`

// An idle connection holds up the end of the server for poll_interval, in seconds.
//
// The statements that start the server run as "default", which has no password and comes
// from the loopback interface as every client does; so it may do nothing else.
const usersXML = `<clickhouse>
  <profiles><default><poll_interval>1</poll_interval></default></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>
    </default>
    <%[1]s>
      <password_sha256_hex>%[2]x</password_sha256_hex><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
    </%[1]s>
  </users>
</clickhouse>
`

// configure writes the server's configuration and returns the engine's arguments and the
// file in which it will say its ports.
func (c *ClickHouse) configure() (args []string, ports string, err error) {
	memory := c.opts.MaxMemory
	if memory <= 0 {
		memory = 2 << 30
	}
	config := filepath.Join(c.dir, "config.xml")
	ports = filepath.Join(c.dir, "ports.tsv")
	if err := os.WriteFile(config, fmt.Appendf(nil, serverXML, memory), 0o600); err != nil {
		return nil, "", err
	}
	users := fmt.Appendf(nil, usersXML, user, sha256.Sum256([]byte(c.password)))
	if err := os.WriteFile(filepath.Join(c.dir, "users.xml"), users, 0o600); err != nil {
		return nil, "", err
	}
	if err := os.Remove(ports); err != nil && !os.IsNotExist(err) {
		return nil, "", err
	}
	statements := []string{
		"SYSTEM START LISTEN HTTP",
		"SYSTEM START LISTEN TCP",
		"SELECT getServerPort('http_port'), getServerPort('tcp_port') INTO OUTFILE " + quote(ports) + " TRUNCATE FORMAT TSV",
		hold,
	}
	return []string{
		"--config-file=" + config,
		"--path=" + filepath.Join(c.dir, "data"),
		"--log-level=warning", // the level in the file is not heeded
		"--listen_host=127.0.0.1",
		fmt.Sprintf("--http_port=%d", c.http),
		fmt.Sprintf("--tcp_port=%d", c.tcp),
		"--query=" + strings.Join(statements, "; "),
	}, ports, nil
}

// readPorts reads the file that the server writes once it listens; ok is false until then.
func readPorts(file string) (http, tcp int, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(string(b), "\n") {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(string(b), "%d\t%d\n", &http, &tcp)
	return http, tcp, err == nil && n == 2
}

// cancelHold asks the server to end by itself.
func (c *ClickHouse) cancelHold(ctx context.Context) error {
	kill := "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(%' ASYNC"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.HTTPAddr()+"/", strings.NewReader(kill))
	if err != nil {
		return err
	}
	req.Header.Set("X-ClickHouse-User", user)
	req.Header.Set("X-ClickHouse-Key", c.password)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("stop ClickHouse: status %d", resp.StatusCode)
	}
	return nil
}

// quote writes s as a string literal of ClickHouse's SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
