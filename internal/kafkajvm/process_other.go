//go:build !linux

package kafkajvm

import "syscall"

// dieWithParent cannot be had here: after a SIGKILL of ours the broker stays and must be
// ended by hand.
func dieWithParent() *syscall.SysProcAttr { return nil }
