package kafkajvm

import "syscall"

// dieWithParent has the kernel kill the child when we die, even by SIGKILL, and keeps
// a Ctrl-C in the terminal for us alone, who stop the child in order.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
