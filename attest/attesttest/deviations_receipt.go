package attesttest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"time"

	"github.com/staunchid/staunch/attest"
)

// receipt makes an apple-receipt sample: a RECEIPT with risk metric 1.
func receipt(phone func(*ApplePhone), opts ...func(*ReceiptDraft)) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		_, ca, err := l.cas(now)
		if err != nil {
			return Sample{}, err
		}
		p := ca.Phone()
		phone(p)
		key := p.GenerateKey()
		hash := sha256.Sum256(challenge())
		if _, err := key.Attest(now, hash[:]); err != nil {
			return Sample{}, err
		}
		object, err := key.Receipt(now, 1, opts...)
		if err != nil {
			return Sample{}, err
		}
		return Sample{
			Format: attest.FormatAppleReceipt, Object: object, PublicKey: key.PublicKey(),
			AppID: DemoTeamID + "." + DemoBundleID, At: now,
		}, nil
	}
}

// wrongReceipts are the ways in which a receipt can be invalid.
func wrongReceipts() []struct {
	name, change string
	edit         func(*ReceiptDraft)
} {
	return []struct {
		name, change string
		edit         func(*ReceiptDraft)
	}{
		{"root-look-alike", "signed under a root that has the name of the trusted one", func(r *ReceiptDraft) {
			rekeyRoot(r.Chain[2])
		}},
		{"signature", "one bit of the payload flipped after signing", func(r *ReceiptDraft) {
			r.AfterSigning = flipIn([]byte(r.AppID))
		}},
		{"signer-key", "signed with a key that is not the signer's", func(r *ReceiptDraft) { r.Chain[0].Key = newECKey(elliptic.P256()) }},
		{"signer-expired", "the signer's certificate had ended when the receipt was made", func(r *ReceiptDraft) {
			r.Chain[0].NotAfter = r.Chain[0].NotBefore.Add(time.Hour)
		}},
		{"no-type", "field 6 is missing", func(r *ReceiptDraft) { r.Type = "" }},
		{"no-creation", "field 12 is missing", func(r *ReceiptDraft) { r.CreationTime = "" }},
		{"bad-time", "field 12 is no time", func(r *ReceiptDraft) { r.CreationTime = "yesterday" }},
		{"no-certificate", "field 3 is no certificate", func(r *ReceiptDraft) { r.Certificate = []byte("certificate") }},
	}
}

// embeddedReceiptDeviations are about the ATTEST receipt inside an attestation;
// the policy's key receipt decides, and DemoPolicy says warn.
func embeddedReceiptDeviations() []Deviation {
	edit := func(f func(*ReceiptDraft)) maker {
		return attestation(iOS27, func(d *AppleDraft) { f(d.Receipt) })
	}
	warned := Effects{attest.Warn, attest.Warn, attest.Note}
	refusedToo := Effects{attest.Reject, attest.Reject, attest.Note}
	strict := map[string]string{"receipt": `"reject"`}
	row := func(code, name, change string, class attest.Class, m maker) Deviation {
		return Deviation{Name: "embedded-receipt-" + name, Change: change, Code: "apple." + code, Class: class, Position: NoPosition, Effects: warned, make: m}
	}
	missing := attestation(iOS27, func(d *AppleDraft) { d.Receipt = nil })
	out := []Deviation{
		row("receipt_missing", "missing", "an attestation without a receipt", attest.PolicyClass, missing),
		row("receipt_app", "app-other", "the receipt of another app", attest.Abuse, edit(func(r *ReceiptDraft) { r.AppID = "EVIL123456.com.example.other" })),
		row("receipt_key", "key-other", "the receipt of another key", attest.Abuse, func(l *lab, now time.Time) (Sample, error) {
			return attestation(iOS27, func(d *AppleDraft) { d.Receipt.Certificate = otherLeaf(l, now) })(l, now)
		}),
		row("receipt_stale", "stale", "an ATTEST receipt of six minutes ago", attest.Honest, func(l *lab, now time.Time) (Sample, error) {
			return attestation(iOS27, func(d *AppleDraft) { d.Receipt.CreationTime = receiptTime(now.Add(-6 * time.Minute)) })(l, now)
		}),
		row("receipt_expired", "expired", "a receipt whose time is over", attest.Honest, func(l *lab, now time.Time) (Sample, error) {
			return attestation(iOS27, func(d *AppleDraft) {
				d.Receipt.CreationTime, d.Receipt.ExpirationTime = receiptTime(now.Add(-time.Minute)), receiptTime(now.Add(-time.Second))
			})(l, now)
		}),
		{Name: "embedded-receipt-missing-refused", Change: "an attestation without a receipt, and the policy wants one", Code: "apple.receipt_missing",
			Class: attest.PolicyClass, Position: NoPosition, Effects: refusedToo, set: strict, make: missing},
		{Name: "embedded-receipt-invalid-refused", Change: "an invalid receipt, and the policy wants a good one", Code: "apple.receipt_invalid",
			Class: attest.Abuse, Position: NoPosition, Effects: refusedToo, set: strict, make: edit(wrongReceipts()[0].edit)},
		{Name: "embedded-receipt-der", Change: "a receipt in DER, without chunks", make: edit(func(r *ReceiptDraft) { r.Chunk = 0 })},
	}
	for _, w := range wrongReceipts() {
		out = append(out, row("receipt_invalid", w.name, "the receipt: "+w.change, attest.Abuse, edit(w.edit)))
	}
	return out
}

// receiptDeviations are about a receipt as evidence of its own.
func receiptDeviations() []Deviation {
	row := func(code, name, change string, class attest.Class, e Effects, m maker) Deviation {
		return Deviation{Name: "receipt-" + name, Change: change, Code: code, Class: class, Position: NoPosition, Effects: e, make: m}
	}
	times := func(creation, expiration time.Duration) maker {
		return func(l *lab, now time.Time) (Sample, error) {
			return receipt(iOS27, func(r *ReceiptDraft) {
				r.CreationTime, r.ExpirationTime = receiptTime(now.Add(creation)), receiptTime(now.Add(expiration))
			})(l, now)
		}
	}
	out := []Deviation{
		row("", "metric", "a RECEIPT with risk metric 1", "", Effects{}, receipt(iOS27)),
		row("", "chunked", "the same in chunks of 100 bytes", "", Effects{}, receipt(iOS27, func(r *ReceiptDraft) { r.Chunk = 100 })),
		row("", "old", "two months old: its signer is judged at its creation", "", Effects{}, times(-60*24*time.Hour, 30*24*time.Hour)),
		row("", "client-hash-mangled", "field 4 is mangled, as Apple's server returns it", "", Effects{}, receipt(iOS27, func(r *ReceiptDraft) {
			r.ClientHash = bytes.ToValidUTF8(r.ClientHash, []byte("\ufffd"))
		})),
		row("", "nanoseconds", "times with nine digits of a second", "", Effects{}, func(l *lab, now time.Time) (Sample, error) {
			return receipt(iOS27, func(r *ReceiptDraft) { r.CreationTime = now.UTC().Format("2006-01-02T15:04:05.000000000Z") })(l, now)
		}),
		row("", "whole-seconds", "times without a fraction", "", Effects{}, func(l *lab, now time.Time) (Sample, error) {
			return receipt(iOS27, func(r *ReceiptDraft) { r.CreationTime = now.UTC().Format("2006-01-02T15:04:05Z") })(l, now)
		}),
		row("", "public-key-unknown", "the server does not say which key it has stored", "", Effects{}, receipt(iOS27).then(func(s *Sample) { s.PublicKey = nil })),
		row("apple.risk_unavailable", "attest", "an ATTEST receipt: no metric yet", attest.Honest, notes(), receipt(iOS27, func(r *ReceiptDraft) {
			r.Type, r.RiskMetric, r.NotBefore = "ATTEST", "", ""
		})),
		row("apple.receipt_app", "app-other", "the receipt of another app", attest.Abuse, hard(), receipt(iOS27, func(r *ReceiptDraft) { r.AppID = "EVIL123456.com.example.other" })),
		row("apple.receipt_key", "key-other", "the receipt of another key", attest.Abuse, hard(), receipt(iOS27).then(func(s *Sample) { s.PublicKey = spkiOf(newECKey(elliptic.P256())) })),
		row("apple.receipt_expired", "expired", "after field 21", attest.Honest, hard(), times(-91*24*time.Hour, -24*time.Hour)),
	}
	for _, w := range wrongReceipts() {
		out = append(out, row("apple.receipt_invalid", w.name, w.change, attest.Abuse, hard(), receipt(iOS27, w.edit)))
	}
	return out
}

// otherLeaf is the leaf of another key, attested in the same lab; nil, which
// no receipt can hold, if it cannot be made.
func otherLeaf(l *lab, now time.Time) []byte {
	_, ca, err := l.cas(now)
	if err != nil {
		return nil
	}
	key := ca.Phone().GenerateKey()
	hash := sha256.Sum256(challenge())
	if _, err := key.Attest(now, hash[:]); err != nil {
		return nil
	}
	return key.leaf
}
