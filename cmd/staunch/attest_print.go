package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/staunchid/staunch/attest"
)

// writeJSON writes v and a newline.
func writeJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// palette colours a text if w is a terminal and NO_COLOR is not set.
type palette bool

func colours(w io.Writer) palette {
	f, ok := w.(*os.File)
	return palette(ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd())))
}

const red, green, yellow, dim = "31", "32", "33", "2"

func (p palette) paint(colour, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// writeVerdict writes a verdict for people: what it is, what the phone says,
// and what was found with what to do about it.
func writeVerdict(w io.Writer, v attest.Verdict) error {
	p := colours(w)
	var b strings.Builder
	b.WriteString(headline(p, v) + "\n\n")
	claims, trust := v.Claims, ""
	if claims == nil && v.UnverifiedClaims != nil {
		claims, trust = v.UnverifiedClaims, p.paint(red, "  nobody vouches for what the evidence says of itself:")+"\n"
	}
	b.WriteString(trust)
	for _, l := range facts(claims) {
		fmt.Fprintf(&b, "  %s  %s\n", p.paint(dim, fmt.Sprintf("%-9s", l[0])), printable(l[1]))
	}
	fmt.Fprintf(&b, "  %s  %s\n", p.paint(dim, fmt.Sprintf("%-9s", "judged")), judgedBy(v))
	for _, f := range v.Findings {
		b.WriteString("\n" + finding(p, f))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func headline(p palette, v attest.Verdict) string {
	what := map[attest.Format]string{
		attest.FormatAndroidChain: "Android key attestation", attest.FormatAndroidKey: "WebAuthn android-key attestation",
		attest.FormatAppleAppAttest: "App Attest attestation", attest.FormatAppleAssertion: "App Attest assertion",
		attest.FormatAppleReceipt: "App Attest receipt",
	}[v.Format]
	switch v.Tier {
	case attest.TierAffirming:
		return p.paint(green, "ACCEPT") + "  genuine " + what
	case attest.TierWarning:
		return p.paint(yellow, "ACCEPT") + "  genuine " + what + ", with a warning"
	case attest.TierContraindicated:
		return p.paint(red, "REJECT") + "  authentic " + what + ", refused by the policy"
	}
	return p.paint(red, "REJECT") + "  " + what + " that proves nothing"
}

// facts are the claims that a person asks for first.
func facts(c *attest.Claims) (lines [][2]string) {
	if c == nil {
		return nil
	}
	add := func(name string, parts ...string) {
		var some []string
		for _, part := range parts {
			if part != "" {
				some = append(some, part)
			}
		}
		if len(some) > 0 {
			lines = append(lines, [2]string{name, strings.Join(some, ", ")})
		}
	}
	if a := c.Android; a != nil {
		model := strings.TrimSpace(value(a.Device.Manufacturer) + " " + value(a.Device.Model))
		os := ""
		if a.OSVersion != "" {
			os = "Android " + a.OSVersion
		}
		if model == "" {
			model = "model not attested"
		}
		add("device", model, os)
		if a.Description != nil {
			add("key", c.KeyAlgorithm, "in "+map[string]string{"tee": "the TEE", "strongbox": "StrongBox", "software": "software"}[a.SecurityLevel], "origin "+a.KeyOrigin)
			add("boot", a.Boot.State, lockText(a.Boot.Locked))
			add("patch", label("os ", a.Patch.OS), label("vendor ", a.Patch.Vendor), label("boot ", a.Patch.Boot))
		}
		if a.App != nil {
			for _, info := range a.App.PackageInfos {
				add("app", fmt.Sprintf("%s, version code %d", info.PackageName, info.Version))
			}
			for _, digest := range a.App.SignatureDigests {
				add("signed by", fmt.Sprintf("%x", digest))
			}
		}
	}
	if a := c.Apple; a != nil {
		os := label("OS ", a.OSVersion)
		add("device", "Apple", os, label("build ", a.OSBuild))
		add("key", c.KeyAlgorithm, c.KeyID)
		app := a.AppID
		if app == "" {
			app = fmt.Sprintf("id not known, rpIdHash %x", a.RPIDHash)
		}
		add("app", app, a.Environment, label("bundle version ", value(a.BundleVersion)))
		if a.ValidationCategory != nil {
			add("category", categoryText(*a.ValidationCategory))
		}
		if a.Counter != nil {
			add("counter", fmt.Sprint(*a.Counter))
		}
		if r := a.Receipt; r != nil {
			add("receipt", r.Type, dateText("made ", r.CreationTime), dateText("expires ", r.ExpirationTime))
		}
		if a.RiskMetric != nil {
			add("risk", fmt.Sprintf("%d attestations on this device in 30 days", *a.RiskMetric))
		}
	}
	return lines
}

// categoryText names Apple's validation categories.
func categoryText(n uint32) string {
	names := [...]string{"invalid", "platform", "TestFlight", "development", "App Store", "enterprise", "Developer ID",
		"local signing", "Rosetta", "out-of-process JIT", "none"}
	if int(n) < len(names) {
		return fmt.Sprintf("%d (%s)", n, names[n])
	}
	return fmt.Sprint(n)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func label(name, text string) string {
	if text == "" {
		return ""
	}
	return name + text
}

func dateText(name string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return name + t.Format("2006-01-02")
}

func lockText(locked *bool) string {
	switch {
	case locked == nil:
		return ""
	case *locked:
		return "boot loader locked"
	}
	return "boot loader unlocked"
}

func judgedBy(v attest.Verdict) string {
	by := "policy " + v.Policy
	isAndroid := v.Format == attest.FormatAndroidChain || v.Format == attest.FormatAndroidKey
	if isAndroid && v.Profile != "" {
		by += ", profile " + v.Profile
	}
	by += ", as of " + v.At.Format(time.RFC3339)
	switch {
	case !isAndroid: // Apple has no list
	case v.Status != nil:
		by += fmt.Sprintf(", revocation list of %d serials", v.Status.Entries)
	default:
		by += ", no revocation list"
	}
	return printable(by)
}

func finding(p palette, f attest.Finding) string {
	colour := map[attest.Effect]string{attest.Reject: red, attest.Warn: yellow, attest.Note: dim}[f.Effect]
	at := ""
	if f.Position != nil {
		at = fmt.Sprintf(", certificate %d (the leaf is 0)", *f.Position)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %s  %s, class %s%s\n", p.paint(colour, fmt.Sprintf("%-6s", f.Effect)), f.Code, f.Class, at)
	code, _ := attest.LookupCode(f.Code)
	b.WriteString(wrap(code.Meaning, indent))
	for line := range strings.Lines(wrap("Found: "+printable(f.Detail), indent)) {
		b.WriteString(p.paint(dim, strings.TrimSuffix(line, "\n")) + "\n")
	}
	if f.Effect != attest.Note { // nothing has to be done about a note
		b.WriteString(wrap(code.Advice, indent))
	}
	return b.String()
}

const indent = "          "

// wrap breaks a text between words into lines of at most 80 columns, with the
// indent before each.
func wrap(text, indent string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+width > 80:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	return b.String() + "\n"
}

// printable keeps a stranger's text from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
