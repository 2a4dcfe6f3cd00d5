//go:build !(linux && amd64)

// Command leadroute-clickhouse runs ClickHouse out of the engine library, which is
// published for Linux on x86-64 alone.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "leadroute-clickhouse: the engine library is published for Linux on x86-64 alone; put a clickhouse binary on PATH, or run ClickHouse elsewhere and name it with --clickhouse")
	os.Exit(1)
}
