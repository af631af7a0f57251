package attesttest

import (
	"bytes"
	"crypto/sha256"

	"github.com/staunchid/staunch/attest"
)

// appDeviations are about tag 709 (attestationApplicationId): which app made the key.
func appDeviations() []Deviation {
	app := func(a ApplicationID) maker { return chain(func(p *AndroidPhone) { p.App = a }) }
	demo := []Package{{DemoPackage, DemoVersionCode}}
	other := sha256.Sum256([]byte("somebody else"))
	packages := func(entries string) map[string]string { return map[string]string{"packages": "[ " + entries + " ]"} }
	ours := `{ name = "` + DemoPackage + `", signers = ["` + DemoSigner + `"], min_version_code = 26010000, shared_uid = false }`
	sibling := `{ name = "com.example.sibling", signers = ["` + DemoSigner + `"], min_version_code = 0, shared_uid = false }`
	shared := `{ name = "` + DemoPackage + `", signers = ["` + DemoSigner + `"], min_version_code = 26010000, shared_uid = true }`
	both := []Package{{DemoPackage, DemoVersionCode}, {"com.example.sibling", 3}}
	signer := [][]byte{demoSigner()}
	missing := Deviation{Code: "android.app_missing", Class: attest.Honest, Position: NoPosition, Effects: rejects()}
	wrongPackage := Deviation{Code: "android.app_package", Class: attest.Abuse, Position: NoPosition, Effects: refused()}
	wrongSigner := Deviation{Code: "android.app_signer", Class: attest.Abuse, Position: NoPosition, Effects: refused()}
	row := func(d Deviation, name, change string, set map[string]string, m maker) Deviation {
		d.Name, d.Change, d.set, d.make = name, change, set, m
		return d
	}
	return []Deviation{
		row(missing, "app-absent", "no attestationApplicationId: a key store fault", nil, chain(rkp, software(func(l *AuthorizationList) { l.Remove(709) }))),
		row(missing, "app-android-system", "the placeholder AndroidSystem: a key store fault that a reboot cures", nil, app(ApplicationID{[]Package{{"AndroidSystem", 1}}, nil})),
		row(missing, "app-unknown-package", "the placeholder UnknownPackage", nil, app(ApplicationID{[]Package{{"UnknownPackage", 0}}, nil})),
		row(missing, "app-unknown-application", "the placeholder UnknownApplication", nil, app(ApplicationID{[]Package{{"UnknownApplication", 0}}, nil})),
		row(missing, "app-in-hardware", "the attestationApplicationId stands in hardwareEnforced, which cannot know it", nil,
			chain(rkp, software(func(l *AuthorizationList) { l.Remove(709) }), hardware(func(l *AuthorizationList) {
				l.SetDER(709, ApplicationID{demo, signer}.DER())
			}))),
		row(wrongPackage, "app-other", "another app, with its own signer", nil, app(ApplicationID{[]Package{{"com.example.other", 1}}, [][]byte{other[:]}})),
		row(wrongPackage, "app-cloned", "a dual-app tool renamed the package", nil, app(ApplicationID{[]Package{{DemoPackage + ".clone", DemoVersionCode}}, signer})),
		row(wrongPackage, "app-shared-uid", "a package that the policy does not know shares the uid", nil, app(ApplicationID{both, signer})),
		row(Deviation{}, "app-sibling", "a second package that the policy lists shares the uid", packages(ours+", "+sibling), app(ApplicationID{both, signer})),
		row(Deviation{}, "app-shared-uid-allowed", "a package that nobody knows shares the uid, and the policy allows it", packages(shared), app(ApplicationID{both, signer})),
		row(wrongSigner, "app-repackaged", "our package name, somebody else's signature", nil, app(ApplicationID{demo, [][]byte{other[:]}})),
		row(wrongSigner, "app-signed-twice", "our signature and somebody else's", nil, app(ApplicationID{demo, [][]byte{demoSigner(), other[:]}})),
		row(wrongSigner, "app-unsigned", "no signer digest", nil, app(ApplicationID{demo, nil})),
		row(wrongSigner, "app-signer-prefix", "the first half of our digest", nil, app(ApplicationID{demo, [][]byte{bytes.Clone(demoSigner()[:16])}})),
		row(Deviation{Code: "android.app_version", Class: attest.PolicyClass, Position: NoPosition, Effects: refused()}, "app-old", "an old release of the app", nil,
			app(ApplicationID{[]Package{{DemoPackage, DemoVersionCode - 1}}, signer})),
		row(Deviation{}, "app-new", "a newer release of the app", nil, app(ApplicationID{[]Package{{DemoPackage, DemoVersionCode + 1000}}, signer})),
	}
}
