package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/config"
)

// inWords is a checked policy file for people.
func (t *policyText) inWords(p palette, now time.Time) string {
	var b strings.Builder
	f := &t.keys
	b.WriteString(p.paint(green, "GOOD") + "  policy " + printable(f.Name) + ", " + t.policy.Digest() + "\n")

	heading(&b, p, "Apps")
	for i := range f.App {
		t.appInWords(&b, p, &f.App[i])
	}
	item(&b, p, "requests", requestWords(f.Request))
	r := f.Android.Revocation
	item(&b, p, "revoked", fmt.Sprintf("at registration, the revocation list warns when it is older than %s and rejects when older than %s; SUSPENDED: %s. A registered key ends when it is REVOKED", r.WarnAge, r.MaxAge, r.Suspended))
	if t.policy.TrustsExtraRoots() {
		item(&b, p, "roots", p.paint(red, "trusts roots besides the vendors'; `staunch serve` refuses to start with this policy"))
	}

	heading(&b, p, "Rollout: the first stage that matches decides")
	for i := range f.Rollout {
		item(&b, p, fmt.Sprintf("rollout[%d]", i), stageWords(&f.Rollout[i]))
	}
	item(&b, p, "otherwise", "whoever is rejected is refused")

	if len(f.Exception) > 0 {
		heading(&b, p, "Exceptions")
	}
	for i := range f.Exception {
		item(&b, p, fmt.Sprintf("exception[%d]", i), exceptionWords(&f.Exception[i], now))
	}
	if len(f.Route) > 0 {
		heading(&b, p, "Routes: the first that matches a signed request adds its demands")
	}
	for i := range f.Route {
		item(&b, p, fmt.Sprintf("route[%d]", i), routeWords(&f.Route[i]))
	}
	if len(f.Risk) > 0 {
		heading(&b, p, "Risk rules: all that fire count")
	}
	for i, r := range f.Risk {
		item(&b, p, fmt.Sprintf("risk[%d]", i), fmt.Sprintf("%s from %d on: %s", r.Signal, r.AtLeast, r.Effect))
	}
	if warnings := t.policy.Warnings(now); len(warnings) > 0 {
		b.WriteString("\n")
		for _, w := range warnings {
			fmt.Fprintf(&b, "%s: %s: %s: %s: %s\n", p.paint(yellow, "warning"), t.file, t.at(w.Key), w.Key, printable(w.Reason))
		}
	}
	return b.String()
}

func heading(b *strings.Builder, p palette, text string) {
	b.WriteString("\n" + text + "\n")
}

// item is a name and a text, broken into lines beside it.
func item(b *strings.Builder, p palette, name, text string) {
	const width = 16
	pad := strings.Repeat(" ", width)
	lines := wrap(printable(text), pad)
	if strings.Contains(text, "\x1b") { // painted, which printable would show
		lines = pad + text + "\n"
	}
	fmt.Fprintf(b, "  %s%s", p.paint(dim, fmt.Sprintf("%-*s", width-2, name)), strings.TrimPrefix(lines, pad))
}

func (t *policyText) appInWords(b *strings.Builder, p palette, a *attest.AppFile) {
	keys := "a challenge lives " + a.ChallengeLifetime + "; a key is good for ever"
	if app, _ := t.policy.App(a.ID); app.MaxKeyAge > 0 {
		keys = fmt.Sprintf("a challenge lives %s; a key is registered anew after %s", a.ChallengeLifetime, days(app.MaxKeyAge))
	}
	item(b, p, a.ID, keys)
	item(b, p, "  Android", androidWords(a))
	if a.Android != nil {
		for i := range a.Android.Packages {
			item(b, p, "", packageWords(&a.Android.Packages[i]))
		}
	}
	item(b, p, "  Apple", appleWords(a.Apple))
}

func androidWords(f *attest.AppFile) string {
	a := f.Android
	if a == nil {
		return "refused: there is no [app.android]"
	}
	parts := []string{
		"profile " + a.Profile,
		map[string]string{"tee": "key in the TEE or StrongBox", "strongbox": "key in StrongBox"}[a.MinLevel],
		map[string]string{
			"verified":      "the maker's system on a locked phone",
			"listed":        fmt.Sprintf("the maker's system or one of %d listed boot keys, on a locked phone", len(a.BootKeys)),
			"dangerous_any": "any system: an unlocked phone only warns",
		}[a.Boot],
	}
	if a.MinOSVersion != "none" {
		parts = append(parts, "Android "+a.MinOSVersion+" or newer")
	}
	for _, floor := range [][2]string{{"OS patch level ", a.PatchFloor.OS}, {"vendor patch level ", a.PatchFloor.Vendor}, {"boot patch level ", a.PatchFloor.Boot}} {
		if floor[1] != "none" {
			parts = append(parts, floor[0]+floor[1]+" or newer")
		}
	}
	if a.PatchFloor.MaxAge != "none" {
		var age config.Duration
		_ = age.UnmarshalText([]byte(a.PatchFloor.MaxAge)) // checked
		parts = append(parts, "OS patch level at most "+days(age.Duration)+" old")
	}
	signing := "requests signed with " + strings.Join(f.RequestAlgorithms, ", ")
	if len(f.RequestAlgorithms) == 0 {
		signing = "no signed requests"
	}
	return strings.Join(append(parts, signing), "; ")
}

func packageWords(pkg *attest.PackageFile) string {
	text := pkg.Name
	if pkg.MinVersionCode > 0 {
		text += fmt.Sprintf(" from version code %d on", pkg.MinVersionCode)
	}
	text += ", " + count(len(pkg.Signers), "signer")
	if pkg.SharedUID {
		text += ", others may share its user ID"
	}
	return text
}

func appleWords(a *attest.AppleAppFile) string {
	if a == nil {
		return "refused: there is no [app.apple]"
	}
	var ids, categories []string
	for _, id := range a.BundleIDs {
		ids = append(ids, a.TeamID+"."+id)
	}
	for _, c := range a.Categories {
		categories = append(categories, categoryText(c))
	}
	parts := []string{
		a.Platform, strings.Join(ids, ", "), strings.Join(a.Environments, " and "), "client data " + a.ClientData,
		"category " + strings.Join(categories, ", ") + fmt.Sprintf(" (none: %s)", a.MissingCategory),
		fmt.Sprintf("receipts: %s", a.Receipt),
	}
	if len(a.BundleVersions) > 0 {
		parts = append(parts, "bundle version "+strings.Join(a.BundleVersions, ", "))
	}
	if a.CounterWindow > 0 {
		parts = append(parts, fmt.Sprintf("counters within %d below the highest", a.CounterWindow))
	}
	return strings.Join(parts, "; ")
}

func requestWords(r *attest.RequestPolicyFile) string {
	if len(r.Authorities) == 0 {
		return "every signed request is refused: request.authorities is empty"
	}
	return fmt.Sprintf("signed for %s; at most %s old, at most %s ahead", strings.Join(r.Authorities, ", "), r.MaxAge, r.FutureSkew)
}

// stageWords says whom a stage is for and what happens to them.
func stageWords(s *attest.Stage) string {
	who := s.App
	if s.Name != "" {
		who = s.Name + ": " + who
	}
	if s.Platform != "any" {
		who += " on " + s.Platform
	}
	who += map[string]string{"any": "", attest.OperationRegister: ", registering", attest.OperationRequest: ", requests"}[s.Operation]
	if slices.Contains(s.Countries, "*") {
		who += ", all countries"
	} else {
		who += ", " + strings.ReplaceAll(strings.Join(s.Countries, " "), attest.CountryUnknown, "ZZ (unknown)")
	}
	if s.Percent < 100 {
		who += fmt.Sprintf(", %d %% of the keys (salt %q)", s.Percent, s.Salt)
	}
	observes := attest.Mode(s.Mode) == attest.ModeObserve
	switch {
	case len(s.Codes) > 0 && observes:
		who += ", rejected for nothing but " + strings.Join(s.Codes, ", ")
	case len(s.Codes) > 0:
		who += ", rejected for " + strings.Join(s.Codes, " or ") + ", whatever else there is"
	}
	if observes {
		return who + ": OBSERVE, rejections are recorded and let in"
	}
	return who + ": ENFORCE, rejections are refused"
}

func exceptionWords(e *attest.Exception, now time.Time) string {
	var class []string
	for _, m := range e.Match.Models {
		class = append(class, m.Manufacturer+" "+m.Model)
	}
	for _, keys := range []struct {
		n    int
		name string
	}{{len(e.Match.BatchSPKI), "batch key"}, {len(e.Match.BootKeys), "boot key"}} {
		if keys.n > 0 {
			class = append(class, count(keys.n, keys.name))
		}
	}
	versions := ""
	if len(e.Match.AttestationVersions) > 0 {
		versions = fmt.Sprintf(", attestation versions %s", strings.Trim(fmt.Sprint(e.Match.AttestationVersions), "[]"))
	}
	limit := ""
	if e.MaxUsesPerDay > 0 {
		limit = fmt.Sprintf(", at most %d times a day", e.MaxUsesPerDay)
	}
	if limit != "" && len(e.Apps) > 1 {
		limit += " in each app"
	}
	return fmt.Sprintf("%s: %s at position %d for %s%s, in %s%s; %s; %s, %s: %s",
		e.ID, e.Check, e.Position, strings.Join(class, ", "), versions, strings.Join(e.Apps, ", "), limit, lifeWords(e, now), e.Owner, e.Ticket, e.Reason)
}

// lifeWords says how long an exception has left.
func lifeWords(e *attest.Exception, now time.Time) string {
	switch {
	case now.Before(e.NotBefore):
		return "BEGINS on " + e.NotBefore.UTC().Format(time.DateOnly)
	case !now.Before(e.Expires):
		return "EXPIRED on " + e.Expires.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s left, to %s", days(e.Expires.Sub(now)), e.Expires.UTC().Format(time.DateOnly))
}

func routeWords(r *attest.RouteFile) string {
	methods := "all methods"
	if len(r.Methods) > 0 {
		methods = strings.Join(r.Methods, ", ")
	}
	var demands []string
	if len(r.Params) > 0 {
		demands = append(demands, strings.Join(r.Params, ", ")+" exactly once in the body")
	}
	if len(r.Headers) > 0 {
		demands = append(demands, "header "+strings.Join(r.Headers, ", ")+" covered")
	}
	if r.ServerNonce {
		demands = append(demands, "a nonce of the server")
	}
	if len(demands) == 0 {
		demands = []string{"nothing more than a signature"}
	}
	return methods + " " + r.Path + ": " + strings.Join(demands, "; ")
}

// days is a long time in whole days, a short one as it is.
func days(d time.Duration) string {
	if n := int(d / (24 * time.Hour)); n > 0 {
		return count(n, "day")
	}
	return d.Round(time.Minute).String()
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
