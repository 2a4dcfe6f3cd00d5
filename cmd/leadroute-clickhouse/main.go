//go:build linux && amd64

// Command leadroute-clickhouse runs a ClickHouse server out of the engine library
// libchdb.so, which holds clickhouse-local whole. It is a binary of its own because
// loading a library makes a Go program dynamically linked, which leadroute is not, and
// because a crash of the engine must not be a crash of the router. What to serve, where
// and for whom is in the arguments; package embedded writes them.
//
//	leadroute-clickhouse LIBRARY ARGUMENT...
//
// File descriptor 3, where it is open, is a pipe whose end means that the parent is
// gone: the server then ends at once.
package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// watchEnv is "3" where descriptor 3 is the parent's pipe.
const watchEnv = "LEADROUTE_PARENT_PIPE"

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: leadroute-clickhouse LIBRARY ARGUMENT...  (started by leadroute; not meant to be run by hand)")
		os.Exit(2)
	}
	if os.Getenv(watchEnv) == "3" {
		go exitWithParent(os.NewFile(3, "parent"))
	}
	if err := serve(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "leadroute-clickhouse:", err)
		os.Exit(1)
	}
}

// exitWithParent ends the process when the parent's end of the pipe is closed, which the
// kernel does however the parent dies.
func exitWithParent(pipe *os.File) {
	_, _ = pipe.Read(make([]byte, 1)) // nothing is ever sent
	os.Exit(0)
}

// serve runs clickhouse-local's main with args and returns when it has ended. The engine
// writes its own errors to stderr; it does not report them in its result.
func serve(library string, args []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load the engine library: %w", err)
	}
	var setSignalHandlers func(int32)
	if err := bind(&setSignalHandlers, handle, "chdb_set_signal_handlers_enabled"); err != nil {
		return err
	}
	var cmdline func(argc int32, argv unsafe.Pointer) uintptr
	if err := bind(&cmdline, handle, "chdb_query_cmdline"); err != nil {
		return err
	}

	// The engine's SIGSEGV handler would take the place of the Go runtime's.
	setSignalHandlers(0)

	argv := make([]*byte, 0, len(args)+2) // NULL-terminated, argv[0] is the program's name
	for _, a := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, &append([]byte(a), 0)[0])
	}
	argc := int32(len(argv)) //nolint:gosec // a handful of arguments
	argv = append(argv, nil)
	cmdline(argc, unsafe.Pointer(&argv[0])) //nolint:gosec // the C array that the engine's main takes
	runtime.KeepAlive(argv)
	return nil
}

// bind sets the function pointer fn to the library's symbol.
func bind(fn any, handle uintptr, symbol string) error {
	addr, err := purego.Dlsym(handle, symbol)
	if err != nil {
		return fmt.Errorf("the engine library has no %s, it is not the pinned version: %w", symbol, err)
	}
	purego.RegisterFunc(fn, addr)
	return nil
}
