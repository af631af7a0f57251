package server

import "github.com/staunchid/staunch/account"

// RowKey is the key of the rows' MACs that follows from a root secret.
func RowKey(root []byte, id account.AppID) ([]byte, error) {
	return rowKey(rootSecret{func() []byte { return root }}, id)
}

// AppKeys are all keys that follow from a root secret, by name.
func AppKeys(root []byte, id account.AppID) map[string][]byte {
	all := map[string][]byte{}
	from := rootSecret{func() []byte { return root }}
	all["hash"], _ = hashKey(from, id)
	all["row"], _ = rowKey(from, id)
	all["rate"], _ = rateKey(from, id)
	all["fake"], _ = fakeKey(from, id)
	all["webhook"], _ = webhookKey(from, id)
	return all
}
