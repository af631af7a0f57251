package android

import (
	"fmt"
	"unicode/utf8"

	"github.com/staunchid/staunch/internal/der"
)

// ApplicationID is AttestationApplicationId, tag 709: the app that made the
// key, as the system knows it. Packages that share a user ID come together.
type ApplicationID struct {
	PackageInfos     []PackageInfo // in encoded order
	SignatureDigests [][]byte      // SHA-256 of each signing certificate, in encoded order
}

// PackageInfo is one package of an ApplicationID.
type PackageInfo struct {
	PackageName string `json:"packageName"`
	Version     uint64 `json:"version"` // version code
}

// Placeholder reports whether the key store wrote a stand-in because it could
// not ask the system for the app: a fault that a reboot cures.
func (a *ApplicationID) Placeholder() bool {
	for _, p := range a.PackageInfos {
		switch p.PackageName {
		case "AndroidSystem", "UnknownPackage", "UnknownApplication":
			return true
		}
	}
	return false
}

func (d *KeyDescription) readApplicationID(b []byte) (*ApplicationID, error) {
	r, err := der.Open(b, der.Sequence)
	if err != nil {
		return nil, err
	}
	a := &ApplicationID{}
	grow := func(n int) { a.PackageInfos = make([]PackageInfo, 0, n) }
	err = d.readSetOf(&r, grow, func(e der.Element) error {
		p, err := readPackageInfo(e)
		a.PackageInfos = append(a.PackageInfos, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	grow = func(n int) { a.SignatureDigests = make([][]byte, 0, n) }
	err = d.readSetOf(&r, grow, func(e der.Element) error {
		if !e.Is(der.OctetString) {
			return errWrongType
		}
		a.SignatureDigests = append(a.SignatureDigests, e.Body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return a, nil
}

// readSetOf reads a SET OF in any order. grow learns how many there are.
func (d *KeyDescription) readSetOf(outer *der.Reader, grow func(n int), read func(der.Element) error) error {
	set, err := outer.Expect(der.Set)
	if err != nil {
		return err
	}
	r, err := set.Open()
	if err != nil {
		return err
	}
	grow(count(r))
	var last []byte
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if string(e.Full) < string(last) { // X.690 §11.6
			d.tolerate("unsorted SET OF")
		}
		last = e.Full
		if err := read(e); err != nil {
			return err
		}
	}
	return nil
}

func readPackageInfo(e der.Element) (p PackageInfo, err error) {
	if !e.Is(der.Sequence) {
		return p, errWrongType
	}
	r, err := e.Open()
	if err != nil {
		return p, err
	}
	var name []byte
	if err := readOctets(&r, &name); err != nil {
		return p, err
	}
	if !utf8.Valid(name) {
		return p, fmt.Errorf("%w: package name is not UTF-8", der.ErrSyntax)
	}
	p.PackageName = string(name)
	if err := readNumber(&r, der.Integer, &p.Version); err != nil {
		return p, err
	}
	return p, r.Done()
}
