//go:build race

package vault

const racing = true
