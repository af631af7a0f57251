package release

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// Words says what a document, a configuration, evidence or a receipt says, for
// who has to sign it or to look for a fault. That signatures are genuine it says
// of each; that evidence is, it does not judge.
func Words(b []byte) (string, error) {
	if doc, err := wire.Decode[wire.KofM](b); err == nil {
		return documentWords(&doc)
	}
	if c, err := wire.Decode[wire.Config](b); err == nil {
		return configWords(&c), nil
	}
	if s, err := wire.Decode[wire.Signed](b); err == nil {
		if r, err := wire.Decode[wire.Receipt](s.TBS); err == nil {
			return receiptWords(&r), nil
		}
	}
	if e, err := tee.ParseEvidence(b); err == nil {
		binding, err := wire.Decode[wire.Binding](e.Binding)
		if err != nil {
			return "", fmt.Errorf("%w: evidence whose binding cannot be read: %w", ErrDocument, err)
		}
		return evidenceWords(e.Platform, &binding), nil
	}
	return "", fmt.Errorf("%w: it is no vault set, ceremony, configuration, receipt or evidence", ErrDocument)
}

func documentWords(doc *wire.KofM) (string, error) {
	var w words
	if set, err := wire.Decode[wire.VaultSet](doc.TBS); err == nil {
		w.set(&set)
	} else if c, err := wire.Decode[wire.Ceremony](doc.TBS); err == nil {
		w.ceremony(&c)
	} else {
		return "", fmt.Errorf("%w: it is neither a vault set nor a ceremony", ErrDocument)
	}
	for _, s := range doc.Sigs {
		one := wire.KofM{TBS: doc.TBS, Sigs: []wire.KeySig{s}}
		good := "the signature is genuine"
		if one.Verify(signers(&one)) != nil {
			good = "the signature is WRONG"
		}
		w.say("signed by", "%s, %s", s.Key, good)
	}
	return w.String(), nil
}

// words are lines with a name each.
type words struct{ strings.Builder }

func (w *words) head(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *words) say(name, format string, args ...any) {
	fmt.Fprintf(w, "  %-11s %s\n", name, fmt.Sprintf(format, args...))
}

func (w *words) set(set *wire.VaultSet) {
	w.head("vault set, version %d", set.Version)
	w.say("profile", "%s: %d vaults, of which %d are needed; %d attempts; suite %d", set.Profile, set.N, set.T, set.Limit, set.Suite)
	w.say("valid from", "%s", stamp(set.ValidFrom))
	if set.Previous != nil {
		w.say("previous", "%s", set.Previous)
	}
	w.release(set.Release)
	for _, m := range set.Vaults {
		w.member("vault", &m)
	}
	for _, m := range set.WitnessesOnly {
		w.member("witness", &m)
	}
}

func (w *words) member(kind string, m *wire.Member) {
	w.say(kind, "%s, run by %q, configuration %s", m.Vault, m.Operator, m.ConfigHash)
	for _, x := range m.Measurements {
		w.measurement(&x)
	}
}

func (w *words) measurement(m *wire.Measurement) {
	var values []string
	for _, name := range slices.Sorted(maps.Keys(m.Values)) {
		values = append(values, name+" "+hex.EncodeToString(m.Values[name]))
	}
	until := ""
	if m.NotAfter != nil {
		until = " until " + stamp(*m.NotAfter)
	}
	w.say("", "%s %s from %s%s", m.Platform, strings.Join(values, ", "), stamp(m.NotBefore), until)
}

func (w *words) release(r wire.ReleaseKeys) {
	w.say("release", "%d of %d keys must sign", r.K, len(r.Keys))
	for _, k := range r.Keys {
		w.say("", "%s", k)
	}
}

func (w *words) ceremony(c *wire.Ceremony) {
	w.head("ceremony of kind %s for %s, with vault set %d", c.Kind, c.Vault, c.SetVersion)
	w.say("open", "from %s until %s", stamp(c.NotBefore), stamp(c.NotAfter))
	if c.Accounts == nil {
		w.say("accounts", "ALL of them")
	}
	for i, a := range c.Accounts {
		name := ""
		if i == 0 {
			name = "accounts"
		}
		w.say(name, "%x", a[:])
	}
	if c.Measurement != nil {
		w.say("hand-over", "the master keys go to another program:")
		w.measurement(c.Measurement)
	}
	if c.ConfigHash != nil {
		w.say("hand-over", "the master keys go to configuration %s", c.ConfigHash)
	}
}

func configWords(c *wire.Config) string {
	var w words
	w.head("configuration of %s", c.Vault)
	if hash, err := c.Hash(); err == nil {
		w.say("hash", "%s", hash)
	}
	w.say("profile", "%s: %d vaults, of which %d are needed; %d attempts; policy %s; suite %d", c.Profile, c.N, c.T, c.Limit, c.Policy, c.Suite)
	f := c.Freshness
	w.say("freshness", "%s: W %d, Q %d, R %d, F %d; on total amnesia: %s", f.Level, f.W, f.Q, f.R, f.F, c.OnAmnesia)
	w.say("witnesses", "%s", strings.Join(c.Witnesses, ", "))
	w.say("vouchers", "%s", c.VoucherKey)
	w.release(c.Release)
	return w.String()
}

func receiptWords(r *wire.Receipt) string {
	var w words
	w.head("receipt of %s", r.Replica)
	w.say("boot", "%x", r.Boot[:])
	w.say("account", "%x", r.Acct[:])
	w.say("call", "%s: gen %d, ver %d, used %d, %s", r.Op, r.Gen, r.Ver, r.Used, r.State)
	w.say("record", "%s", r.Digest)
	w.say("previous", "%s", r.Prev)
	return w.String()
}

func evidenceWords(platform string, b *wire.Binding) string {
	var w words
	note := ""
	if platform == "process" {
		note = ", NOT a TEE: it proves nothing"
	}
	w.head("evidence of %s, platform %s%s", b.Replica, platform, note)
	w.say("vault", "%s, configuration %s", b.Vault, b.ConfigHash)
	w.say("boot", "%x, key %s", b.Boot[:], b.BootKey)
	w.say("epoch", "%d", b.Epoch)
	w.say("issued", "%s", stamp(b.Issued))
	return w.String()
}

func stamp(seconds uint64) string {
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) //nolint:gosec // below 2^63: the decoder says so
}
