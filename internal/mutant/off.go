//go:build !mutants

// Package mutant plants known bugs in the real decisions, so that a test can show that
// the simulator finds each of them. Without the build tag "mutants" nothing is planted
// and the calls compile to nothing.
package mutant

// On tells whether the named bug is planted.
func On(string) bool { return false }
