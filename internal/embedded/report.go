package embedded

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// report tells a person what takes long: a bar on a terminal, plain lines elsewhere,
// nothing where there is no writer.
type report struct {
	out      io.Writer
	terminal bool
}

func newReport(out io.Writer) *report {
	r := &report{out: out}
	if f, ok := out.(*os.File); ok && f != nil {
		r.terminal = term.IsTerminal(int(f.Fd()))
	}
	return r
}

func (r *report) line(format string, args ...any) {
	if r.out != nil {
		fmt.Fprintf(r.out, format+"\n", args...)
	}
}

// download shows how the files under dir grow to the release's size, until done is called.
func (r *report) download(dir string, rel release) (done func()) {
	r.line("fetching the ClickHouse engine library %s from npm (%d MB, once)", rel.Version, rel.Size/1e6)
	if r.out == nil || !r.terminal {
		return func() {}
	}
	bar := progressbar.NewOptions64(rel.Size, progressbar.OptionSetWriter(r.out), progressbar.OptionShowBytes(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				_ = bar.Finish()
				return
			case <-tick.C:
				_ = bar.Set64(min(treeSize(dir), rel.Size-1))
			}
		}
	})
	return func() {
		close(stop)
		wg.Wait()
	}
}

// treeSize adds up the files under dir; files that come and go while it looks do not matter.
func treeSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // an estimate
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}
