package server

import "github.com/staunchid/staunch/account"

// RowKey is the key of the rows' MACs that follows from a root secret.
func RowKey(root []byte, id account.AppID) ([]byte, error) {
	return rowKey(rootSecret{func() []byte { return root }}, id)
}
