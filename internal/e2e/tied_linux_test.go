package e2e

import "syscall"

// tied has the kernel end the process with this one, however this one ends, and keeps
// Ctrl-C in a terminal for the test alone.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
