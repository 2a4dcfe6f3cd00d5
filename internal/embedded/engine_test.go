package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// registry puts an npm on PATH that delivers a tarball with the given library, and
// returns the release that it belongs to and the file to which npm's calls are written.
func registry(t *testing.T, library string) (release, string) {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	w := tar.NewWriter(gz)
	for name, body := range map[string]string{"package/package.json": "{}", "package/libchdb.so": library} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tarball, calls := filepath.Join(dir, "x.tgz"), filepath.Join(dir, "calls")
	if err := os.WriteFile(tarball, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	npm := fmt.Sprintf(`echo "$1 $2" >> %s; while [ "$1" != --pack-destination ]; do shift; done; cp %s "$2"`, calls, tarball)
	t.Setenv("PATH", script(t, "npm", npm)+":"+os.Getenv("PATH"))
	sum := sha512.Sum512(b.Bytes())
	return release{
		Package: "@x/lib", Version: "1.2.3", Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		Size: int64(b.Len()), Library: "libchdb.so",
	}, calls
}

func TestFetchOnceForAll(t *testing.T) {
	r, calls := registry(t, "engine")
	cache := t.TempDir()
	var said bytes.Buffer
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for i := range 8 {
		wg.Go(func() {
			var err error
			if i == 0 {
				_, err = r.fetch(context.Background(), cache, &said)
			} else {
				_, err = r.fetch(context.Background(), cache, nil)
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(calls); err != nil || string(b) != "pack @x/lib@1.2.3\n" {
		t.Errorf("npm was called with %q (%v), want one pack @x/lib@1.2.3", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(cache, "chdb-1.2.3", "libchdb.so")); err != nil || string(b) != "engine" {
		t.Errorf("library in the cache = %q (%v), want engine", b, err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "*.tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestFetchRefusesOtherBytes(t *testing.T) {
	r, _ := registry(t, "engine")
	r.Integrity = "sha512-" + base64.StdEncoding.EncodeToString(make([]byte, sha512.Size))
	cache := t.TempDir()
	_, err := r.fetch(t.Context(), cache, nil)
	if !errors.Is(err, errChecksum) {
		t.Fatalf("fetch of other bytes = %v, want %v", err, errChecksum)
	}
	if _, err := os.Stat(filepath.Join(cache, "chdb-1.2.3")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the refused library is in the cache (%v)", err)
	}
}

func TestFetchTellsWhatNpmSaid(t *testing.T) {
	t.Setenv("PATH", script(t, "npm", "echo 'npm error code ENOTFOUND' >&2; exit 1")+":"+os.Getenv("PATH"))
	r := release{Package: "@x/lib", Version: "1.2.3", Library: "libchdb.so"}
	_, err := r.fetch(t.Context(), t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "ENOTFOUND") {
		t.Errorf("fetch = %v, want what npm said", err)
	}
}
