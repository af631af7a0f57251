package rpc_test

import "github.com/staunchid/staunch/integrity"

// unfinished has the flows that are there, and the fake's for the rest.
type unfinished struct {
	*integrity.Service
	rest
}

type rest struct{ *fakeAccounts }
