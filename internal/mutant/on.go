//go:build mutants

// Package mutant plants known bugs in the real decisions, so that a test can show that
// the simulator finds each of them.
package mutant

// Planted is the bug that is planted now, empty for none. Set it only between runs.
var Planted string

// On tells whether the named bug is planted.
func On(name string) bool { return Planted == name }
