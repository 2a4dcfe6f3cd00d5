//go:build !linux

package embedded

import "syscall"

// tied keeps a Ctrl-C at the terminal from reaching the child: the parent decides when it stops.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
