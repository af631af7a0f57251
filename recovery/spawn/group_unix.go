//go:build !windows

package spawn

import (
	"os/exec"
	"syscall"
)

// ownGroup lets a child be in a process group of its own: Ctrl-C in a terminal is
// for the server, which ends its vaults when it has answered what was under way.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
