package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// Record is what was registered. It never changes: what does is in the row
// beside it, see Stored.
type Record struct {
	RPID        string
	Account     account.ID
	ID          []byte // the credential ID
	Key         []byte // the credential public key, COSE, as sent
	Algorithm   int64  // of COSE: -7 is ES256
	Flags       byte   // of the authenticator data at registration
	Count       uint32 // signature counter at registration
	AAGUID      AAGUID
	Format      string   // of the attestation statement; proves nothing
	Transports  []string // as the client said
	Attachment  string   // platform, cross-platform or empty, as the client said
	ResidentKey bool     // the client says that it is discoverable
	PRF         bool     // the client says that it has prf
	Evidence    [32]byte // Evidence.Sum
	At          time.Time
}

// BackupEligible reports whether the credential was registered as one that may
// be synced. It never changes.
func (r Record) BackupEligible() bool { return r.Flags&flagBackupEligible != 0 }

// recordTime is the one form of a record's time.
const recordTime = "2006-01-02T15:04:05.000000Z"

// recordLine is a record as written, in this order.
type recordLine struct {
	V          int        `json:"v"`
	RP         string     `json:"rp"`
	Account    account.ID `json:"account"`
	ID         string     `json:"id"`
	COSE       string     `json:"cose"`
	Alg        int64      `json:"alg"`
	Flags      byte       `json:"flags"`
	Count      uint32     `json:"count"`
	AAGUID     string     `json:"aaguid"`
	Fmt        string     `json:"fmt"`
	Transports []string   `json:"transports"`
	Attachment string     `json:"attachment"`
	RK         bool       `json:"rk"`
	PRF        bool       `json:"prf"`
	Evidence   string     `json:"evidence"`
	At         string     `json:"at"`
}

// Encode writes r as one line of JSON without a newline: bytes in base64url,
// members in the order of the package's format. ParseRecord reads it.
func (r Record) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	transports := r.Transports
	if transports == nil {
		transports = []string{}
	}
	return json.Marshal(recordLine{
		V: 1, RP: r.RPID, Account: r.Account, ID: encode(r.ID), COSE: encode(r.Key), Alg: r.Algorithm,
		Flags: r.Flags, Count: r.Count, AAGUID: r.AAGUID.String(), Fmt: r.Format,
		Transports: transports, Attachment: r.Attachment, RK: r.ResidentKey, PRF: r.PRF,
		Evidence: encode(r.Evidence[:]), At: r.At.UTC().Format(recordTime),
	})
}

// Digest is the SHA-256 of the encoded record, by which a proof names it.
func (r Record) Digest() ([32]byte, error) {
	line, err := r.Encode()
	return sha256.Sum256(line), err
}

// ParseRecord reads what Encode wrote, and nothing else: a line that Encode
// would write in another way is refused.
func ParseRecord(line []byte) (Record, error) {
	if len(line) > maxResponse {
		return Record{}, fmt.Errorf("passkey: a record of %d bytes", len(line))
	}
	var l recordLine
	if err := json.Unmarshal(line, &l); err != nil {
		return Record{}, fmt.Errorf("passkey: record: %w", err)
	}
	if l.V != 1 {
		return Record{}, fmt.Errorf("passkey: a record of version %d; this program knows version 1", l.V)
	}
	id, err1 := decode(l.ID)
	key, err2 := decode(l.COSE)
	evidence, err3 := decode(l.Evidence)
	model, err4 := ParseAAGUID(l.AAGUID)
	at, err5 := time.Parse(recordTime, l.At)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return Record{}, fmt.Errorf("passkey: record: %w", err)
	}
	if len(evidence) != sha256.Size {
		return Record{}, fmt.Errorf("passkey: record: evidence of %d bytes; want a SHA-256", len(evidence))
	}
	r := Record{
		RPID: l.RP, Account: l.Account, ID: id, Key: key, Algorithm: l.Alg, Flags: l.Flags, Count: l.Count,
		AAGUID: model, Format: l.Fmt, Transports: l.Transports, Attachment: l.Attachment,
		ResidentKey: l.RK, PRF: l.PRF, Evidence: [32]byte(evidence), At: at,
	}
	again, err := r.Encode()
	if err != nil {
		return Record{}, err
	}
	if !bytes.Equal(again, line) { // members missing, more than once, unknown or in another order; other spelling
		return Record{}, errors.New("passkey: record: not in the form in which records are written")
	}
	return r, nil
}

// check reports what no record has.
func (r Record) check() error {
	if err := r.Account.Validate(); err != nil {
		return fmt.Errorf("passkey: record: %w", err)
	}
	switch {
	case r.RPID == "" || len(r.RPID) > 253:
		return fmt.Errorf("passkey: record: an RP ID of %d bytes", len(r.RPID))
	case len(r.ID) == 0 || len(r.ID) > maxCredentialID:
		return fmt.Errorf("passkey: record: a credential ID of %d bytes; want 1 to %d", len(r.ID), maxCredentialID)
	case len(r.Key) == 0:
		return errors.New("passkey: record: no key")
	case r.At.IsZero():
		return errors.New("passkey: record: no time")
	}
	return nil
}

// checkTransports bounds what a client says of transports: at most 16 names of
// 1 to 32 lower-case letters, digits and hyphens, unknown ones included.
func checkTransports(transports []string) error {
	if len(transports) > 16 {
		return fmt.Errorf("%w: %d transports", ErrMalformed, len(transports))
	}
	for _, t := range transports {
		if t == "" || len(t) > 32 || strings.Trim(t, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("%w: transport %.32q", ErrMalformed, t)
		}
	}
	return nil
}

// Evidence is what the authenticator and the client said at registration, byte
// for byte. Sign-in does not need it; models are checked again with it.
type Evidence struct {
	AttestationObject []byte
	ClientData        []byte
}

// Encode writes e as L(attestation object) and L(client data).
func (e Evidence) Encode() []byte { return appendL(appendL(nil, e.AttestationObject), e.ClientData) }

// Sum is the SHA-256 of Encode, which stands in the record.
func (e Evidence) Sum() [32]byte { return sha256.Sum256(e.Encode()) }

// ParseEvidence reads what Evidence.Encode wrote.
func ParseEvidence(b []byte) (Evidence, error) {
	object, rest, ok1 := cutL(b)
	client, rest, ok2 := cutL(rest)
	if !ok1 || !ok2 || len(rest) != 0 {
		return Evidence{}, errors.New("passkey: the column evidence is broken")
	}
	return Evidence{object, client}, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(text) }
