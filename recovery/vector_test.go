package recovery_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// vector is a case of spec/vectors/kr1/recovery.json.
type vector struct {
	Suite  wire.Suite `json:"suite"`
	PIN    string     `json:"pin"`
	Reg    hexBytes   `json:"reg_id"`
	A      hexBytes   `json:"a"`
	B      hexBytes   `json:"b"`
	Vaults []struct {
		Vault string   `json:"vault"`
		K     hexBytes `json:"k_i"`
		S     hexBytes `json:"s_i"`
		E     hexBytes `json:"e_i"`
		Acct  hexBytes `json:"acct"`
		PRS   hexBytes `json:"prs_i"`
		Seed  hexBytes `json:"y_a_seed"`
		Ya    hexBytes `json:"y_a"`
	} `json:"vaults"`
	Header  hexBytes `json:"header"`
	Payload hexBytes `json:"payload"`
	Blob    hexBytes `json:"blob"`
}

// TestVectors recovers what the specification's vectors hold: from the PIN as it
// was typed, through Argon2id, to the payload, and each request on the way is the
// vector's.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../spec/vectors/kr1/recovery.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 2 {
		t.Fatal("there are fewer than two cases")
	}
	for _, v := range file.Cases {
		t.Run(v.Suite.String(), func(t *testing.T) {
			s := newSpoken(t, &v)
			var saved *recovery.Attempt
			c, err := recovery.NewClient(&recovery.ClientOptions{
				Transport: s, ReleaseKeys: s.keys, Policy: tee.Policy{AllowProcess: true},
				SaveBackup:  func(*recovery.Backup) error { return errors.New("nobody asked for it") },
				SaveAttempt: func(a *recovery.Attempt) error { saved = a; return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			journal, err := cbor.Marshal([]any{1, []any{0, make([]byte, 32)}, []byte(v.Reg), []byte(v.A), make([]byte, 16), map[string][]byte{}})
			if err != nil {
				t.Fatal(err)
			}
			attempt, err := recovery.ParseAttempt(journal)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Recover(t.Context(), owner, recovery.TicketSecret("t"), pinOf(t, v.PIN), attempt)
			if err != nil {
				t.Fatal(err)
			}
			want, err := wire.Decode[wire.Payload](v.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Payload.Keys) != len(want.Keys) || !bytes.Equal(got.Payload.Keys[0].Secret, want.Keys[0].Secret) || got.Payload.Seq != want.Seq {
				t.Error("the payload is another")
			}
			if saved.Open() {
				t.Error("the attempt goes on")
			}
			if s.evaluated == 0 || s.released != len(v.Vaults) {
				t.Errorf("%d evaluations and %d releases", s.evaluated, s.released)
			}
		})
	}
}

// spoken answers as the vaults of a vector, and compares what it is asked.
type spoken struct {
	recovery.Transport // of what is not called
	t                  *testing.T
	v                  *vector
	set                []byte
	keys               wire.ReleaseKeys
	config             wire.Hash
	hpke               *wire.HPKEKey
	header             wire.Header
	self               *process.Report

	mu                  sync.Mutex
	evaluated, released int // guarded by mu
}

func newSpoken(t *testing.T, v *vector) *spoken {
	t.Helper()
	s := &spoken{t: t, v: v, config: wire.Hash{1}, self: new(process.Report)}
	var err error
	if s.header, err = wire.Decode[wire.Header](v.Header); err != nil {
		t.Fatal(err)
	}
	if s.hpke, err = wire.DeriveHPKE(v.Suite, wire.NewKey(), "v", 1); err != nil {
		t.Fatal(err)
	}
	seed := wire.NewKey()
	release := ed25519.NewKeyFromSeed(seed[:])
	s.keys = wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{wire.EdKey(release.Public().(ed25519.PublicKey))}}
	set := wire.VaultSet{Version: 1, Profile: "kr1-2of3", Suite: v.Suite, N: s.header.N, T: s.header.T, Limit: 10, Release: s.keys}
	for _, h := range s.header.Vaults {
		set.Vaults = append(set.Vaults, wire.Member{Vault: h.Vault, ConfigHash: s.config, Measurements: []wire.Measurement{
			{Platform: tee.PlatformProcess, Values: map[string][]byte{"sha256": s.self.Executable[:]}},
		}})
	}
	tbs, err := wire.Encode(&set)
	if err != nil {
		t.Fatal(err)
	}
	doc := &wire.KofM{TBS: tbs}
	doc.Add(release)
	if s.set, err = wire.Encode(doc); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *spoken) index(id string) int {
	for i := range s.v.Vaults {
		if s.v.Vaults[i].Vault == id {
			return i
		}
	}
	return -1
}

func (s *spoken) GetConfig(context.Context, []byte) (*recovery.Config, error) {
	c := &recovery.Config{Profile: "kr1-2of3", Limit: 10, Set: s.set}
	for _, h := range s.header.Vaults {
		if s.index(h.Vault) < 0 {
			c.Evidence = append(c.Evidence, nil)
			continue
		}
		binding, err := wire.Encode(&wire.Binding{
			Vault: h.Vault, Replica: h.Vault + "/a", Epoch: 1, HPKE: s.hpke.Public(), ConfigHash: s.config, Issued: uint64(time.Now().Unix()),
		})
		if err != nil {
			return nil, err
		}
		e, err := tee.ProcessEvidence(s.self, binding)
		if err != nil {
			return nil, err
		}
		c.Evidence = append(c.Evidence, e)
	}
	return c, nil
}

func (s *spoken) OpenSession(context.Context, account.ID, recovery.TicketSecret) (*recovery.SessionView, error) {
	out := &recovery.SessionView{
		Account: owner, Accts: map[string][16]byte{}, Reg: [16]byte(s.v.Reg),
		Blobs: []recovery.BlobView{{Reg: [16]byte(s.v.Reg), Blob: s.v.Blob}},
	}
	for _, v := range s.v.Vaults {
		out.Accts[v.Vault] = [16]byte(v.Acct)
	}
	return out, nil
}

func (s *spoken) FinishSession(context.Context, recovery.SessionSecret) error { return nil }

func (s *spoken) CallVault(_ context.Context, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.v.Vaults[s.index(in.Vault)]
	env := &wire.Envelope{Suite: s.v.Suite, Vault: in.Vault, Epoch: 1, Config: s.config, Op: in.Op, Acct: wire.Acct(v.Acct)}
	plain, key, err := env.OpenRequest(s.hpke, in.Request)
	if err != nil {
		return nil, err
	}
	a := &wire.Answer{Gen: 1, Ver: 1, Limit: 10}
	switch in.Op {
	case wire.OpEvaluate:
		err = s.evaluate(plain, a, v.K, v.E, v.Ya)
	case wire.OpRelease:
		err = s.release(plain, a, in.Vault)
	default:
		err = fmt.Errorf("%v", in.Op)
	}
	if err != nil {
		s.t.Error(err)
		return nil, err
	}
	sealed, err := key.SealAnswer(a)
	return &recovery.VaultAnswer{Answer: sealed}, err
}

func (s *spoken) evaluate(plain []byte, a *wire.Answer, k, e, ya []byte) error {
	q, err := wire.Decode[wire.Evaluate](plain)
	if err != nil {
		return err
	}
	if !bytes.Equal(q.B, s.v.B) {
		return fmt.Errorf("B is %x, want %x", []byte(q.B), []byte(s.v.B))
	}
	suite := toprf.Suite(s.v.Suite)
	share, err := suite.Scalar(k)
	if err != nil {
		return err
	}
	b, err := suite.Element(q.B)
	if err != nil {
		return err
	}
	el, err := suite.Element(e)
	if err != nil {
		return err
	}
	proof, err := suite.Prove(share, b, el)
	if err != nil {
		return err
	}
	p := wire.Proof(proof)
	a.E, a.Ya, a.Proof = e, ya, &p
	s.evaluated++
	return nil
}

func (s *spoken) release(plain []byte, a *wire.Answer, id string) error {
	q, err := wire.Decode[wire.Release](plain)
	if err != nil {
		return err
	}
	v := s.v.Vaults[s.index(id)]
	session := &cpace.Session{
		Suite: s.v.Suite, PRS: wire.PRS{Key: wire.Key(v.PRS)}, Vault: id, Acct: wire.Acct(v.Acct), Reg: wire.RegID(s.v.Reg),
		B: wire.Element(s.v.B), E: wire.Element(v.E),
	}
	x, err := session.Verifier(wire.Key(v.Seed))
	if err != nil {
		return err
	}
	if !bytes.Equal(q.B, s.v.B) || !bytes.Equal(q.E, v.E) || !bytes.Equal(q.Ya, v.Ya) || !bytes.Equal(q.Ya, x.Share()) {
		return fmt.Errorf("%s is shown %+v", id, q)
	}
	if err := x.Verify(&q); err != nil {
		return err
	}
	share, hash := wire.Scalar(v.S), wire.Sum(s.v.Blob)
	a.S, a.BlobHash = &share, &hash
	s.released++
	return nil
}
