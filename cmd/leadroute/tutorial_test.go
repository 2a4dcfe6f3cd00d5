package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// pieces are the tutorial's code blocks: files to save, and commands with what they print.
var pieces = regexp.MustCompile("(?s)```([^\n]*)\n(.*?)```\n")

// Every command of the tutorial is run in its order, on the files as they are then, and
// must print what the tutorial says.
func TestTutorial(t *testing.T) {
	page, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	var script, files strings.Builder
	commands := 0
	for i, m := range pieces.FindAllStringSubmatch(string(page), -1) {
		info, body := strings.Fields(m[1]), m[2]
		switch {
		case len(info) == 0:
			t.Fatalf("block %d does not say what it is:\n%s", i, body)
		case info[0] != "console":
			fmt.Fprintf(&files, "-- saved/%d --\n%s", i, body)
			fmt.Fprintf(&script, "cp saved/%d %s\n", i, info[1])
			continue
		}
		for j, session := range strings.Split("\n"+body, "\n$ ")[1:] {
			command, printed, _ := strings.Cut(session, "\n")
			if printed != "" && !strings.HasSuffix(printed, "\n") {
				printed += "\n"
			}
			commands++
			verb := "exec"
			switch {
			case strings.HasPrefix(command, "mv "):
				fmt.Fprintln(&script, command)
				continue
			case len(info) > 1 && info[1] == "fails":
				verb = "! exec"
			}
			fmt.Fprintf(&script, "%s %s\ncmp stdout printed/%d.%d\n", verb, command, i, j)
			fmt.Fprintf(&files, "-- printed/%d.%d --\n%s", i, j, printed)
		}
	}
	if commands < 10 {
		t.Fatalf("the tutorial has %d commands", commands)
	}
	file := filepath.Join(t.TempDir(), "tutorial.txtar")
	if err := os.WriteFile(file, []byte(script.String()+files.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{file}})
}
