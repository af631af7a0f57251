package rpc

import (
	"fmt"
	"maps"
	"slices"

	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// regFromProto reads the name of a registration.
func regFromProto(b []byte) ([16]byte, error) {
	if len(b) != 16 {
		return [16]byte{}, fmt.Errorf("%w: reg_id has %d bytes, and not 16", recovery.ErrMalformed, len(b))
	}
	return [16]byte(b), nil
}

// hashFromProto reads the SHA-256 of a blob.
func hashFromProto(b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, fmt.Errorf("%w: hash has %d bytes, and not 32", recovery.ErrMalformed, len(b))
	}
	return [32]byte(b), nil
}

// opFromProto reads an op. The API has the numbers of the vaults.
func opFromProto(o recoveryv1.Op) (wire.Op, error) {
	if _, named := recoveryv1.Op_name[int32(o)]; !named || o == recoveryv1.Op_OP_UNSPECIFIED {
		return 0, fmt.Errorf("%w: op %d", recovery.ErrMalformed, o)
	}
	return wire.Op(o), nil
}

var stages = map[recoveryv1.Stage]recovery.Stage{
	recoveryv1.Stage_STAGE_ACTIVATED: recovery.Activated,
	recoveryv1.Stage_STAGE_FINALIZED: recovery.Finalized,
	recoveryv1.Stage_STAGE_UPDATED:   recovery.Updated,
	recoveryv1.Stage_STAGE_DELETING:  recovery.Deleting,
}

func stageFromProto(s recoveryv1.Stage) (recovery.Stage, error) {
	stage, ok := stages[s]
	if !ok {
		return "", fmt.Errorf("%w: stage %d", recovery.ErrMalformed, s)
	}
	return stage, nil
}

func stageToProto(s recovery.Stage) recoveryv1.Stage {
	for p, stage := range stages {
		if stage == s {
			return p
		}
	}
	return recoveryv1.Stage_STAGE_UNSPECIFIED
}

func acctsToProto(accts map[string][16]byte) []*recoveryv1.VaultAccount {
	var out []*recoveryv1.VaultAccount
	for _, vault := range slices.Sorted(maps.Keys(accts)) {
		acct := accts[vault]
		out = append(out, &recoveryv1.VaultAccount{Vault: vault, Acct: acct[:]})
	}
	return out
}

func blobsToProto(blobs []recovery.BlobView) []*recoveryv1.Blob {
	var out []*recoveryv1.Blob
	for _, b := range blobs {
		out = append(out, &recoveryv1.Blob{RegId: b.Reg[:], Hash: b.Hash[:], Blob: b.Blob})
	}
	return out
}
