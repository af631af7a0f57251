package replica

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee/process"
)

// host is what `staunch serve` does before the first start: configurations,
// folders, and a signed set.
type host struct {
	t       *testing.T
	dir     string
	release ed25519.PrivateKey
	configs map[string]wire.Config // by folder
	voucher *wire.Signed           // of the next call
}

func newHost(t *testing.T) *host {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &host{t: t, dir: t.TempDir(), release: key, configs: map[string]wire.Config{}}
}

func (h *host) keys() wire.ReleaseKeys {
	return wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{wire.EdKey(h.release.Public().(ed25519.PublicKey))}}
}

// kr1 is the default profile: three vaults and the witness w1.
func (h *host) kr1() *host {
	for _, id := range []string{"v1", "v2", "v3", "w1"} {
		h.configs[id] = wire.Config{
			Vault: id, Profile: "kr1-2of3", Suite: wire.Suite1, N: 3, T: 2, Limit: 10, Policy: vault.PolicyMerge,
			Freshness: wire.Freshness{Level: vault.LevelQuorum, W: 4, Q: 3, R: 3, F: 1}, Witnesses: []string{"v1", "v2", "v3", "w1"},
			OnAmnesia: "checkpoint", VoucherKey: h.keys().Keys[0], Release: h.keys(),
		}
	}
	return h.write()
}

// seed is one vault of the seed profile, in three processes.
func (h *host) seed() *host {
	for _, folder := range []string{"v1", "v1-b", "v1-c"} {
		h.configs[folder] = wire.Config{
			Vault: "v1", Profile: vault.ProfileSeed, Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Policy: vault.PolicyStrict,
			Freshness: wire.Freshness{Level: vault.LevelMemory}, VoucherKey: wire.EdKey{1}, Release: h.keys(),
		}
	}
	return h.write()
}

// write makes the folders, with a set that lists everybody.
func (h *host) write() *host {
	h.t.Helper()
	self, err := process.Self()
	if err != nil {
		h.t.Fatal(err)
	}
	one := h.configs["v1"]
	set := wire.VaultSet{Version: 1, Profile: one.Profile, Suite: one.Suite, N: one.N, T: one.T, Limit: one.Limit, Release: h.keys()}
	listed := map[string]bool{}
	for folder, c := range h.configs {
		hash, err := c.Hash()
		if err != nil {
			h.t.Fatal(err)
		}
		m := wire.Member{Vault: c.Vault, Operator: "local", ConfigHash: hash, Measurements: []wire.Measurement{{
			Platform: process.Platform, Values: map[string][]byte{"sha256": self.Executable[:]},
		}}}
		switch {
		case listed[c.Vault]:
		case strings.HasPrefix(c.Vault, "w"):
			set.WitnessesOnly = append(set.WitnessesOnly, m)
		default:
			set.Vaults = append(set.Vaults, m)
		}
		listed[c.Vault] = true
		if err := os.MkdirAll(h.folder(folder), 0o700); err != nil {
			h.t.Fatal(err)
		}
		h.put(folder, ConfigFile, &c)
	}
	h.sign(&set)
	return h
}

func (h *host) sign(set *wire.VaultSet) {
	h.t.Helper()
	b, err := wire.Encode(set)
	if err != nil {
		h.t.Fatal(err)
	}
	signed := &wire.KofM{TBS: b}
	signed.Add(h.release)
	for folder := range h.configs {
		h.put(folder, SetFile, signed)
	}
}

func (h *host) folder(name string) string { return filepath.Join(h.dir, name) }

func (h *host) put(folder, name string, v wire.Coded) {
	h.t.Helper()
	b, err := wire.Encode(v)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.folder(folder), name), b, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// start runs a process of the set and waits until it serves.
func (h *host) start(folder string, change func(*Options)) (stop func() error) {
	h.t.Helper()
	ready := make(chan struct{})
	o := &Options{ID: h.configs[folder].Vault, Dir: h.folder(folder), Ready: func() { close(ready) }}
	if change != nil {
		change(o)
	}
	run := Run
	if strings.HasPrefix(folder, "w") {
		run = RunWitness
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, o) }()
	select {
	case <-ready:
	case err := <-done:
		h.t.Fatalf("%s: %v", folder, err)
	case <-time.After(30 * time.Second):
		h.t.Fatalf("%s does not serve", folder)
	}
	return func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(30 * time.Second):
			return errors.New("it does not stop")
		}
	}
}

// all starts everybody.
func (h *host) all(create bool) (stop func()) {
	h.t.Helper()
	var stops []func() error
	for folder := range h.configs {
		stops = append(stops, h.start(folder, func(o *Options) { o.Create = create }))
	}
	return func() {
		h.t.Helper()
		for _, s := range stops {
			if err := s(); err != nil {
				h.t.Error(err)
			}
		}
	}
}

// ask sends one frame to a vault.
func (h *host) ask(folder, kind string, body []byte) (wire.Frame, error) {
	conn, err := net.Dial("unix", filepath.Join(h.folder(folder), "vault.sock"))
	if err != nil {
		return wire.Frame{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return wire.Frame{}, err
	}
	if err := wire.WriteFrame(conn, &wire.Frame{ID: 1, Kind: kind, Body: body}); err != nil {
		return wire.Frame{}, err
	}
	return wire.ReadFrame[wire.Frame](conn)
}

// info is what a vault says of itself.
func (h *host) info(folder string) wire.Binding {
	h.t.Helper()
	f, err := h.ask(folder, wire.FrameInfo, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	b, err := wire.Decode[wire.Binding](f.Body)
	if err != nil {
		h.t.Fatalf("%s %q: %v", f.Kind, f.Body, err)
	}
	return b
}

// call seals a request, and gives the reply and the key of its answer. It repeats
// while witnesses are still joining.
func (h *host) call(folder string, op wire.Op, body, record []byte) (*wire.Reply, *wire.AnswerKey) {
	h.t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		reply, key := h.callOnce(folder, op, body, record)
		if reply.Result != wire.CodeAmnesia && reply.Result != wire.CodeBusy || time.Now().After(until) {
			return reply, key
		}
	}
}

func (h *host) callOnce(folder string, op wire.Op, body, record []byte) (*wire.Reply, *wire.AnswerKey) {
	h.t.Helper()
	info, acct := h.info(folder), wire.Acct{9}
	e := wire.Envelope{Suite: wire.Suite1, Vault: info.Vault, Epoch: info.Epoch, Config: info.ConfigHash, Op: op, Acct: acct}
	request, key, err := e.SealRequest(info.HPKE, body)
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := wire.Encode(&wire.Call{Op: op, Acct: acct, Epoch: info.Epoch, Request: request, Record: record, Voucher: h.voucher})
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := h.ask(folder, wire.FrameCall, c)
	if err != nil || f.Kind != wire.FrameCall {
		h.t.Fatalf("%s %q: %v", f.Kind, f.Body, err)
	}
	reply, err := wire.Decode[wire.Reply](f.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return &reply, key
}

// TestSet: four processes that know each other by the signed set keep marks
// together, and all of them come back with the keys they had.
func TestSet(t *testing.T) {
	h := newHost(t).kr1()
	stop := h.all(true)
	status, err := wire.Encode(&wire.Status{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"v1", "v2", "v3"} {
		reply, key := h.call(v, wire.OpStatus, status, nil)
		if reply.Result != wire.CodeDone {
			t.Fatalf("%s: %v", v, reply.Result)
		}
		if a, err := key.OpenAnswer(reply.Answer); err != nil || a.Verdict != wire.VerdictNoBackup || a.Limit != 10 {
			t.Fatalf("%s: %+v, %v", v, a, err)
		}
	}
	before := h.info("v1")
	stop()
	defer h.all(false)()
	after := h.info("v1")
	if after.Boot == before.Boot || after.Epoch != before.Epoch || string(after.HPKE) != string(before.HPKE) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if reply, _ := h.call("v1", wire.OpStatus, status, nil); reply.Result != wire.CodeDone {
		t.Errorf("after all have restarted: %v", reply.Result)
	}
}

// TestHandOver: replicas b and c of the seed profile have the master key of a,
// and go on without it when they start again.
func TestHandOver(t *testing.T) {
	h := newHost(t).seed()
	keys := "unix:" + filepath.Join(h.folder("v1"), "keys.sock")
	follow := func(name string) func(*Options) {
		return func(o *Options) { o.Replica, o.KeysFrom = name, keys }
	}
	stopA := h.start("v1", func(o *Options) { o.Create, o.KeysOn = true, keys })
	stopB := h.start("v1-b", follow("b"))
	stopC := h.start("v1-c", follow("c"))
	a, b, c := h.info("v1"), h.info("v1-b"), h.info("v1-c")
	if string(a.HPKE) != string(b.HPKE) || string(a.HPKE) != string(c.HPKE) || a.Boot == b.Boot || b.Replica != "v1/b" {
		t.Fatalf("they have not the same keys: %+v %+v %+v", a, b, c)
	}
	body, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret("123456"), Data: wire.Secret("x")})
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := h.call("v1", wire.OpSeedBackup, body, nil)
	if body, err = wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret("123456")}); err != nil {
		t.Fatal(err)
	}
	reply, key := h.call("v1-b", wire.OpSeedRestore, body, stored.Record)
	if reply.Result != wire.CodeDone {
		t.Fatal(reply.Result)
	}
	if got, err := key.OpenSeedAnswer(reply.Answer); err != nil || string(got.Data) != "x" {
		t.Errorf("b cannot read what a wrote: %+v, %v", got, err)
	}
	for _, stop := range []func() error{stopA, stopB, stopC} {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	defer h.start("v1-b", follow("b"))() //nolint:errcheck // looked at above
	if again := h.info("v1-b"); string(again.HPKE) != string(b.HPKE) {
		t.Error("b has other keys after a restart")
	}
}

// TestRefused: what must not start says why.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *host, o *Options)
		want   string
	}{
		{"no keys and not the first start", func(h *host, _ *Options) {}, "keys.sealed"},
		{"no configuration", func(h *host, o *Options) { os.Remove(filepath.Join(o.Dir, ConfigFile)) }, "the host writes it"},
		{"configuration of another", func(h *host, o *Options) { o.ID = "v2" }, "is of v1, not of v2"},
		{"another configuration", func(h *host, o *Options) {
			stop := h.start("v1", func(o *Options) { o.Create = true })
			if err := stop(); err != nil {
				h.t.Fatal(err)
			}
			c := h.configs["v1"]
			c.Limit = 50
			h.put("v1", ConfigFile, &c)
		}, "they were made under the configuration"},
		{"keys of another machine", func(h *host, o *Options) {
			stop := h.start("v1", func(o *Options) { o.Create = true })
			if err := stop(); err != nil {
				h.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(o.Dir, sealingFile), make([]byte, 31, 32), 0o600); err != nil {
				h.t.Fatal(err)
			}
		}, "process.key has 31 bytes"},
		{"in use", func(h *host, o *Options) {
			stop := h.start("v1", func(o *Options) { o.Create = true })
			h.t.Cleanup(func() { stop() })
		}, "is in use"},
		{"address", func(h *host, o *Options) { o.Create, o.Listen = true, "vsock:1" }, "is no address"},
		{"strangers of other machines", func(h *host, o *Options) { o.Create, o.Listen = true, "tcp:0.0.0.0:0" }, "give the server's link key"},
		{"no host key", func(h *host, o *Options) {
			o.Create, o.Listen = true, "tcp:127.0.0.1:0"
			if err := os.WriteFile(filepath.Join(o.Dir, HostKeyFile), []byte("none"), 0o600); err != nil {
				h.t.Fatal(err)
			}
		}, "host.pub has no PUBLIC KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t).kr1()
			o := &Options{ID: "v1", Dir: h.folder("v1")}
			c.change(h, o)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := Run(ctx, o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestAmnesiaCeremony: all marks are lost. The set stays paused until a ceremony
// was signed for each of its members; then an account that was registered has
// three attempts, and nothing of before is answered.
func TestAmnesiaCeremony(t *testing.T) {
	h := newHost(t).kr1()
	stop := h.all(true)
	status, err := wire.Encode(&wire.Status{})
	if err != nil {
		t.Fatal(err)
	}
	record := h.create("v1")
	if reply, _ := h.call("v1", wire.OpStatus, status, record); reply.Result != wire.CodeDone {
		t.Fatal(reply.Result)
	}
	epoch := h.info("v1").Epoch
	stop()
	for folder := range h.configs {
		if err := os.RemoveAll(filepath.Join(h.folder(folder), "marks")); err != nil {
			t.Fatal(err)
		}
	}
	stop = h.all(false)
	if reply, _ := h.callOnce("v1", wire.OpStatus, status, record); reply.Result != wire.CodeAmnesia && reply.Result != wire.CodeBusy {
		t.Fatalf("without marks: %v", reply.Result)
	}
	stop()
	h.hold(wire.CeremonyAmnesia)
	for i, later := range []uint32{1, 1, 2} { // a restart with the same ceremony, and one with another
		if i == 2 {
			h.hold(wire.CeremonyRestore)
		}
		stop = h.all(false)
		if got := h.info("v1").Epoch; got != epoch+later {
			t.Errorf("epoch %d after the ceremony, %d before", got, epoch)
		}
		reply, key := h.call("v1", wire.OpStatus, status, record)
		if reply.Result != wire.CodeDone {
			t.Fatalf("after the ceremony: %v", reply.Result)
		}
		if a, err := key.OpenAnswer(reply.Answer); err != nil || a.Used != 7 || a.Slots.Current == nil {
			t.Fatalf("%+v, %v", a, err)
		}
		record = reply.Record
		stop()
	}
}

// hold signs a ceremony for every member of the set.
func (h *host) hold(kind string) {
	h.t.Helper()
	for folder := range h.configs {
		b, err := wire.Encode(&wire.Ceremony{
			Kind: kind, Vault: folder, SetVersion: 1,
			NotBefore: uint64(time.Now().Add(-time.Hour).Unix()), NotAfter: uint64(time.Now().Add(time.Hour).Unix()),
		})
		if err != nil {
			h.t.Fatal(err)
		}
		signed := &wire.KofM{TBS: b}
		signed.Add(h.release)
		h.put(folder, CeremonyFile, signed)
	}
}

// create registers the account of the tests and gives its record.
func (h *host) create(folder string) []byte {
	h.t.Helper()
	manage, err := wire.DeriveManageKey(wire.Suite1, wire.NewKey())
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := wire.SignManaged(nil, &wire.Create{
		Target: wire.Target{Vault: folder, Acct: wire.Acct{9}}, Suite: wire.Suite1, Limit: 10,
		K: wire.Scalar{1}, S: wire.Scalar{2}, PRS: wire.PRS{Key: wire.NewKey()}, Manage: manage.Public(),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := wire.Encode(m)
	if err != nil {
		h.t.Fatal(err)
	}
	h.voucher, err = wire.Sign(h.release, &wire.Voucher{Vault: folder, Acct: wire.Acct{9}, Purpose: wire.PurposeFirst, Expires: uint64(time.Now().Add(time.Hour).Unix())})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { h.voucher = nil }()
	reply, _ := h.call(folder, wire.OpCreate, body, nil)
	if reply.Result != wire.CodeDone || reply.Record == nil {
		h.t.Fatalf("create: %v", reply.Result)
	}
	return reply.Record
}
