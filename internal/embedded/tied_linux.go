package embedded

import "syscall"

// tied has the kernel kill the child when its parent thread ends, and keeps a Ctrl-C at
// the terminal from reaching it: the parent decides when it stops.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
