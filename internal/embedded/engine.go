package embedded

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// release is one published engine library: exactly this version and these bytes.
type release struct {
	Package   string // npm package
	Version   string
	Integrity string // sha512 of the tarball, as npm writes it
	Size      int64  // of the tarball, bytes
	Library   string // file in the tarball's package folder
}

// engines holds the engine library for each platform that has one. Earlier versions
// cannot listen; the newest is not taken by itself because its bytes would not be known.
var engines = map[string]release{
	"linux/amd64": {
		Package:   "@chdb/lib-linux-x64-gnu",
		Version:   "26.7.3-stable.1",
		Integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
		Size:      177_817_999,
		Library:   "libchdb.so",
	},
}

// errChecksum says that what npm delivered is not what was published.
var errChecksum = errors.New("checksum mismatch")

// fetchEngine returns the path of this platform's engine library in the cache, fetching
// it with npm where it is not there yet.
func fetchEngine(ctx context.Context, cache string, progress io.Writer) (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	r, ok := engines[platform]
	if !ok {
		return "", fmt.Errorf("the engine library is not published for %s", platform)
	}
	return r.fetch(ctx, cache, progress)
}

// fetch returns the library's path in the cache. Several processes may call it at once:
// one downloads, the others wait. What is in the cache is complete and was verified.
func (r release) fetch(ctx context.Context, cache string, progress io.Writer) (string, error) {
	dir := filepath.Join(cache, "chdb-"+r.Version)
	library := filepath.Join(dir, r.Library)
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("fetch the engine library: %w", err)
	}
	report := newReport(progress)
	lock, err := waitLock(ctx, dir+".lock", func(pid int) {
		report.line("waiting for process %d, which fetches the ClickHouse engine library", pid)
	})
	if err != nil {
		return "", fmt.Errorf("fetch the engine library: %w", err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}

	tmp, err := os.MkdirTemp(cache, "chdb-*.tmp")
	if err != nil {
		return "", fmt.Errorf("fetch the engine library: %w", err)
	}
	defer os.RemoveAll(tmp)
	tarball, err := r.download(ctx, npm, tmp, report)
	if err != nil {
		return "", err
	}
	if err := r.verify(tarball); err != nil {
		return "", err
	}
	unpacked := filepath.Join(tmp, "engine")
	if err := r.unpack(tarball, unpacked); err != nil {
		return "", fmt.Errorf("unpack the engine library: %w", err)
	}
	if err := os.Rename(unpacked, dir); err != nil {
		return "", fmt.Errorf("keep the engine library: %w", err)
	}
	report.line("ClickHouse engine library %s is in %s", r.Version, dir)
	return library, nil
}

// download has npm fetch the tarball into tmp. npm works with a cache of its own there,
// so that its progress can be seen and nothing of it stays behind.
func (r release) download(ctx context.Context, npm, tmp string, report *report) (string, error) {
	out := filepath.Join(tmp, "out")
	scratch := filepath.Join(tmp, "npm")
	if err := os.Mkdir(out, 0o700); err != nil {
		return "", fmt.Errorf("fetch the engine library: %w", err)
	}
	done := report.download(scratch, r)
	cmd := exec.CommandContext(ctx, npm, "pack", r.Package+"@"+r.Version, "--silent", "--cache", scratch, "--pack-destination", out)
	cmd.Dir = tmp // not a folder whose settings npm would read
	_, err := cmd.Output()
	done()
	if err != nil {
		return "", fmt.Errorf("fetch the engine library: npm pack %s@%s: %w", r.Package, r.Version, explain(err))
	}
	found, err := filepath.Glob(filepath.Join(out, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("fetch the engine library: npm pack left %d files, want 1", len(found))
	}
	return found[0], nil
}

// verify compares the tarball's hash with the published one.
func (r release) verify(tarball string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("verify the engine library: %w", err)
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("verify the engine library: %w", err)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != r.Integrity {
		return fmt.Errorf("verify the engine library %s@%s: %w: got %s, want %s; nothing was kept", r.Package, r.Version, errChecksum, got, r.Integrity)
	}
	return nil
}

// unpack writes the library out of the (verified) tarball into the new folder dir.
func (r release) unpack(tarball, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for in := tar.NewReader(gz); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("no %s in %s", r.Library, filepath.Base(tarball))
		}
		if err != nil {
			return err
		}
		if _, name, _ := strings.Cut(h.Name, "/"); name != r.Library {
			continue
		}
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // holds published software only
			return err
		}
		return writeFile(filepath.Join(dir, r.Library), in)
	}
}

// writeFile writes what r holds to the new file path and has it on disk when it returns.
func writeFile(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755) //nolint:gosec // a shared library
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil { //nolint:gosec // the input was verified
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}
