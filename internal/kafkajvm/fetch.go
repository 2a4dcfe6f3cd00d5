package kafkajvm

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // pom.xml
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

//go:embed pom.xml
var pom []byte

// minJava is the oldest Java that Kafka 4 runs on.
const minJava = 17

// Version is the version of Apache Kafka that pom.xml names.
func Version() string {
	var project struct {
		Version string `xml:"properties>kafka.version"`
	}
	if err := xml.Unmarshal(pom, &project); err != nil || project.Version == "" {
		panic("kafkajvm: pom.xml names no kafka.version") // embedded: a mistake in this package
	}
	return project.Version
}

// DefaultCache is the folder for what is fetched: $LEADROUTE_CACHE, else "leadroute" in the
// user's cache folder.
func DefaultCache() (string, error) {
	if dir := os.Getenv("LEADROUTE_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache folder (or set LEADROUTE_CACHE): %w", err)
	}
	return filepath.Join(dir, "leadroute"), nil
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// findJava returns the java of JAVA_HOME or else of the PATH, if it is new enough.
func findJava(ctx context.Context) (string, error) {
	remedy := fmt.Sprintf("install a Java runtime, version %d or newer (Debian: openjdk-17-jre-headless), or set JAVA_HOME", minJava)
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("kafka needs Java: %w: %s", err, remedy)
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w: %s: %s", path, err, bytes.TrimSpace(out), remedy)
	}
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("ask %s for its version: it says %q: %s", path, out, remedy)
	}
	if major, err := strconv.Atoi(string(m[1])); err != nil || major < minJava {
		return "", fmt.Errorf("kafka %s needs Java %d, %s is version %s: %s", Version(), minJava, path, m[1], remedy)
	}
	return path, nil
}

// fetch returns the folder of Kafka's jars, which Maven fills if it is not there yet. The
// folder's name holds a hash of pom.xml, and it gets that name only when it is complete: so
// what is found under the name is whole, whoever else fetches at the same time.
func fetch(ctx context.Context, cache string, log *slog.Logger) (string, error) {
	if cache == "" {
		var err error
		if cache, err = DefaultCache(); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(pom)
	dir := filepath.Join(cache, "kafka-"+Version()+"-"+hex.EncodeToString(sum[:4]))
	if complete(dir) {
		return dir, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", fmt.Errorf("kafka comes by way of Maven: %w: install Maven (Debian: maven)", err)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	work, err := os.MkdirTemp(cache, "kafka-fetch-")
	if err != nil {
		return "", fmt.Errorf("make a folder to fetch into: %w", err)
	}
	defer os.RemoveAll(work) // a leftover costs disk, not truth
	log.Info("fetching Apache Kafka with Maven, about a minute", "version", Version(), "cache", cache)
	started := time.Now()
	if err := runMaven(ctx, mvn, work); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(work, "libs"), dir); err != nil && !complete(dir) {
		return "", fmt.Errorf("put kafka into the cache (remove %s if it is there): %w", dir, err)
	}
	log.Info("fetched Apache Kafka", "version", Version(), "took", time.Since(started).Round(time.Second))
	return dir, nil
}

func runMaven(ctx context.Context, mvn, work string) error {
	file := filepath.Join(work, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		return fmt.Errorf("write kafka's pom.xml: %w", err)
	}
	libs := filepath.Join(work, "libs")
	cmd := exec.CommandContext(ctx, mvn, "--batch-mode", "--quiet", "--strict-checksums", "--file", file,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+libs)
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch kafka %s with Maven: %w\n%s", Version(), err, bytes.TrimSpace(out))
	}
	if !complete(libs) {
		return errors.New("fetch kafka with Maven: it ended well but left no broker")
	}
	return nil
}

// complete says whether dir holds the broker's jar.
func complete(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "kafka_2.13-"+Version()+".jar"))
	return err == nil && info.Mode().IsRegular()
}
