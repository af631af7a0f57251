package load

import (
	"encoding/asn1"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
)

const (
	android = "android"
	apple   = "apple"
)

// model is what phones of one model have in common.
type model struct {
	maker, name string // attested on Android, claimed on Apple
	platform    string
	weight      int
	os          int64  // tag 705
	ios         string // Apple
	phone       func(*attesttest.AndroidPhone)
	fault       string // code of the finding that a deviating model raises
	draft       attesttest.AndroidOption

	ca *attesttest.AndroidCA // the factory's, or the phone fetches its issuers from it
}

func (m *model) String() string { return m.maker + " " + m.name }

// honestModels are good phones of all ways of provisioning.
func honestModels() []*model {
	return []*model{
		{maker: "Example", name: "Aster 9", platform: android, weight: 4, os: 160000, phone: func(*attesttest.AndroidPhone) {}},
		{maker: "Example", name: "Aster 8", platform: android, weight: 3, os: 150000, phone: func(p *attesttest.AndroidPhone) { p.RSARoot = true }},
		{maker: "Example", name: "Aster 9 Ultra", platform: android, weight: 1, os: 160000, phone: func(p *attesttest.AndroidPhone) { p.Level = attesttest.StrongBox }},
		{maker: "Example", name: "Aster 5 Mini", platform: android, weight: 3, os: 140000, phone: factory},
		{maker: "Apple", name: "iPhone18,1", platform: apple, weight: 4, ios: "27.0"},
		{maker: "Apple", name: "iPhone15,2", platform: apple, weight: 3, ios: "26.1"},
	}
}

// deviatingModels are good phones with one fault each. Two of them have the
// same one.
func deviatingModels() []*model {
	notCA := func(d *attesttest.AndroidDraft) {
		d.Chain[1].RemoveExtension(asn1.ObjectIdentifier{2, 5, 29, 19}) // BasicConstraints
	}
	return []*model{
		{maker: "Example", name: "Cedar 4", platform: android, weight: 4, os: 100000, phone: factory, fault: "android.ca_bit", draft: notCA},
		{maker: "Example", name: "Birch 2", platform: android, weight: 2, os: 90000, phone: factory, fault: "android.issuer_name",
			draft: func(d *attesttest.AndroidDraft) { d.Leaf().Issuer = attesttest.Name("T", "TEE") }},
		{maker: "Example", name: "Cedar 5", platform: android, weight: 1, os: 110000, phone: factory, fault: "android.ca_bit", draft: notCA},
		{maker: "Example", name: "Dune 1", platform: android, weight: 1, os: 80100, phone: factory, fault: "android.leaf_validity",
			draft: func(d *attesttest.AndroidDraft) {
				d.Leaf().NotBefore = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
				d.Leaf().NotAfter = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
			}},
	}
}

func factory(p *attesttest.AndroidPhone) { p.Provisioning = attesttest.Factory }

// fleet makes phones: the kinds, and the models within a kind, in a sequence
// that is always the same.
type fleet struct {
	kinds    []Kind
	models   map[Kind][]*model
	sequence map[Kind][]int // of models
	made     int
	madeOf   map[Kind]int

	apple                *attesttest.AppleCA
	foreign              *attesttest.AndroidCA // whose roots nobody trusts
	foreignApple         *attesttest.AppleCA
	registers, forgeries map[string]int // abuses that were handed out, by platform
}

func newFleet(now time.Time, mix Mix) (*fleet, error) {
	f := &fleet{
		kinds: mix.kinds(), sequence: map[Kind][]int{}, madeOf: map[Kind]int{},
		models:    map[Kind][]*model{Honest: honestModels(), Deviating: deviatingModels(), Abusive: honestModels()},
		registers: map[string]int{}, forgeries: map[string]int{},
	}
	shared, err := attesttest.TestAndroidCA(now)
	if err != nil {
		return nil, err
	}
	if f.apple, err = attesttest.TestAppleCA(now); err != nil {
		return nil, err
	}
	if mix.Abusive > 0 {
		if f.foreign, err = attesttest.NewAndroidCA(now, nil); err != nil {
			return nil, err
		}
		if f.foreignApple, err = attesttest.NewAppleCA(now); err != nil {
			return nil, err
		}
	}
	for kind, models := range f.models {
		var weights []int
		for _, m := range models {
			weights = append(weights, m.weight)
			m.ca = shared
			if kind == Deviating && mix.Deviating > 0 { // every such model has a batch of its own
				if m.ca, err = attesttest.TestAndroidCA(now); err != nil {
					return nil, err
				}
			}
		}
		f.sequence[kind] = spread(weights)
	}
	return f, nil
}

// next makes a phone.
func (f *fleet) next() *phone {
	kind := f.kinds[f.made%len(f.kinds)]
	n := f.madeOf[kind]
	sequence := f.sequence[kind]
	m := f.models[kind][sequence[n%len(sequence)]]
	countries := []string{"JP", "TW", "JP", "TH", "JP", "TW", "ID", ""}
	p := &phone{
		kind: kind, model: m, fleet: f, account: newAccount(), country: countries[f.made%len(countries)],
		newer: f.made%3 != 0,
	}
	if kind == Abusive {
		p.abuse = registerAbuses(m.platform)[f.registers[m.platform]%len(registerAbuses(m.platform))]
		f.registers[m.platform]++
		p.turn = f.forgeries[m.platform]
		f.forgeries[m.platform]++
	}
	f.made++
	f.madeOf[kind]++
	return p
}

// hints is what the app says of the phone.
func (p *phone) hints() (os, app, model string) {
	if p.model.platform == apple {
		return p.model.ios, p.bundleVersion(), p.model.name
	}
	return fmt.Sprintf("%d", p.model.os/10000), fmt.Sprint(p.versionCode()), p.model.String()
}

// versionCode is that of the app on Android, of which two releases are about.
func (p *phone) versionCode() int64 {
	if p.newer {
		return attesttest.DemoVersionCode + 1000
	}
	return attesttest.DemoVersionCode
}

func (p *phone) bundleVersion() string {
	if p.newer {
		return "26.2.0"
	}
	return "26.1.0"
}
