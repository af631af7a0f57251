package server

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// derive gives one of an app's keys: HKDF-SHA256 of its root secret, with a label
// and the app's name for info (RFC 5869). No two keys have one label.
func derive(root rootSecret, label string, id account.AppID) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, root.reveal(), nil, label+" "+string(id), 32)
	if err != nil {
		return nil, fmt.Errorf("server: key %s: %w", label, err)
	}
	return key, nil
}

// hashKey is for hashes of device identifiers.
func hashKey(root rootSecret, id account.AppID) (registry.HashKey, error) {
	return derive(root, "staunch/attest/identifiers/v1", id)
}

// rowKey is for the MACs of rows.
func rowKey(root rootSecret, id account.AppID) ([]byte, error) {
	return derive(root, "staunch/rows/v1", id)
}

// rateKey is for keyed hashes of networks and of what is counted.
func rateKey(root rootSecret, id account.AppID) ([]byte, error) {
	return derive(root, "staunch/rates/v1", id)
}

// fakeKey is for the lists of handles that nobody has.
func fakeKey(root rootSecret, id account.AppID) ([]byte, error) {
	return derive(root, "staunch/fakes/v1", id)
}

// webhookKey signs what is delivered to the app's backend.
func webhookKey(root rootSecret, id account.AppID) (ed25519.PrivateKey, error) {
	seed, err := derive(root, "staunch/webhook/v1", id)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
