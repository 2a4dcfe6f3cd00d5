// Command leadroute routes leads by a policy. Each command is a file of this package: an
// options struct and run(ctx, opts). root.go lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(exitCode(newRoot().ExecuteContext(ctx)))
}

// exit is the error of a command that has said everything itself: only its code is left to give.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode tells the error, if it has not been told, and returns the process's exit code.
func exitCode(err error) int {
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintf(os.Stderr, "leadroute: %s\n", err)
		return 1
	}
}
