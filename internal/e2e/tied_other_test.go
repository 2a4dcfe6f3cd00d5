//go:build unix && !linux

package e2e

import "syscall"

// tied cannot be had here: after a SIGKILL of the test its processes stay.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
