// Command with-kafka runs a command next to a real Apache Kafka:
//
//	go run ./internal/kafkajvm/cmd/with-kafka -- go test ./...
//
// The command finds the broker's host:port in LEADROUTE_TEST_BROKERS. with-kafka ends
// with the command's exit code, or with 1 and a word of what to install if there can be
// no broker, and takes the broker down with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/leadroute/leadroute/internal/kafkajvm"
)

// brokersEnv is where tests look for a broker before they start an embedded one.
const brokersEnv = "LEADROUTE_TEST_BROKERS"

func main() {
	dir := flag.String("dir", "", "keep the broker's data, settings and log in this folder (default: a temporary one)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: with-kafka [-dir DIR] -- COMMAND [ARG...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, *dir, flag.Args(), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "with-kafka:", err)
	}
	os.Exit(code)
}

// run returns the command's exit code; an error comes with a code other than 0.
func run(ctx context.Context, dir string, args []string, talk io.Writer) (code int, err error) {
	log := slog.New(slog.NewTextHandler(talk, nil))
	broker, err := kafkajvm.Start(ctx, kafkajvm.Options{Dir: dir, Log: log})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := broker.Stop(); stopErr != nil {
			code, err = max(code, 1), errors.Join(err, stopErr)
		}
	}()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), brokersEnv+"="+broker.Addr())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	if err == nil {
		return 0, nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), fmt.Errorf("%s: %w", args[0], err)
	}
	return 1, fmt.Errorf("run %s: %w", args[0], err)
}
