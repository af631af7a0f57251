package handover

import (
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/transfer/derive"
)

// ReceiverOptions is the new phone. All is required unless it says otherwise.
type ReceiverOptions struct {
	Device   []byte // SubjectPublicKeyInfo of its attested key
	Prove    Prove
	Audience string // app ID "@" host: as the server says, and as the app expects

	// What the offer says.
	Evidence              Evidence
	Challenge             [32]byte // what the evidence was made over
	Info                  DeviceInfo
	SchemaLow, SchemaHigh uint64   // of the history, that the app can read
	FreeBytes             uint64   // for the history
	Beacons               byte     // BeaconBLE and so on; 0: none
	LAN                   []string // "ip:port" where the beacon is; with BeaconLAN only

	// Judge judges C's evidence, where C brings any. The zero Judge refuses a C that
	// does.
	Judge Judge
}

// tries is how often the number may be typed, in all.
const tries = 3

// Receiver is the new phone's half. Not safe for concurrent use.
type Receiver struct {
	hidden
	half
	audience string
	key      hpke.PrivateKey // until there is K0
	tries    int             // left
	typed    bool            // the number was right
	opened   bool            // the secrets were
}

// NewReceiver makes a code, the keys behind it, and the offer. The error is
// ErrMalformed if the options are out of bounds.
func NewReceiver(o *ReceiverOptions) (*Receiver, error) {
	h, err := newHalf(o.Device, o.Prove, o.Judge)
	if err != nil {
		return nil, err
	}
	key, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("handover: generate key: %w", err)
	}
	h.code.Secret, h.prox = newSecret(), newProximity()
	rand.Read(h.code.ID[:]) //nolint:errcheck // crypto/rand: never returns an error
	return newReceiver(h, key, o)
}

// newReceiver takes the half with the random values of its code.
func newReceiver(h half, key hpke.PrivateKey, o *ReceiverOptions) (*Receiver, error) {
	switch {
	case o.Audience == "":
		return nil, fmt.Errorf("handover: options: Audience is required: app ID \"@\" host")
	case o.Beacons&^allBeacons != 0:
		return nil, fmt.Errorf("%w: options: beacons %#x are not known", ErrMalformed, o.Beacons)
	case (o.Beacons&BeaconLAN != 0) != (len(o.LAN) > 0):
		return nil, fmt.Errorf("%w: options: BeaconLAN and LAN go together", ErrMalformed)
	}
	public := key.PublicKey().Bytes()
	h.code.Beacons, h.code.KeyHash = o.Beacons, sha256.Sum256(public)
	evidence, err := Encode(&o.Evidence)
	if err != nil {
		return nil, err
	}
	r := &Receiver{half: h, audience: o.Audience, key: key, tries: tries}
	_, err = made(&r.half, StepOffer, &Offer{
		Public: h.code.Public(), Key: public, Device: h.own, Evidence: evidence, Challenge: o.Challenge, Info: o.Info,
		SchemaLow: o.SchemaLow, SchemaHigh: o.SchemaHigh, FreeBytes: o.FreeBytes, BeaconOnLAN: o.LAN,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Code is what to show as a QR code. Since the hello, and once the keys are erased,
// it is zero: there is nothing left to scan.
func (r *Receiver) Code() Code {
	if r.erased || r.has(StepHello) {
		return Code{}
	}
	return r.code
}

// Offer is the first message, for the server.
func (r *Receiver) Offer() Envelope { return r.transcript[StepOffer].Envelope }

// Beacon is the 20 bytes to send over the air while the code is shown.
func (r *Receiver) Beacon() ([]byte, error) {
	switch {
	case r.erased:
		return nil, ErrErased
	case r.has(StepHello):
		return nil, fmt.Errorf("%w: the code has been taken", ErrOrder)
	}
	return r.code.beacon(r.prox)
}

// HandleHello takes C's first message and derives K0; one, ever. Show its label and
// device.
func (r *Receiver) HandleHello(e Envelope) (*Hello, error) {
	repeat, err := r.again(StepHello, e)
	if err != nil {
		return nil, err
	}
	m, err := Decode[Hello](e.Message)
	if repeat {
		return &m, err
	}
	if r.erased {
		return nil, ErrErased
	}
	if err == nil {
		err = r.hello(&m, e)
	}
	if err != nil {
		r.Erase()
		return nil, err
	}
	r.key, r.code.Secret, r.prox = nil, Secret{}, Proximity{}
	return &m, nil
}

// hello checks in the order of spec/transfer.md, "Checks": K0, MAC, proof, audience.
func (r *Receiver) hello(m *Hello, e Envelope) error {
	th0 := r.transcript[StepOffer].value
	th1, err := r.next(StepHello, e.Message)
	if err != nil {
		return err
	}
	if !m.Class.offered(r.code.Beacons) {
		return fmt.Errorf("%w: class %s, which it does not offer", ErrBeacon, m.Class)
	}
	ctx, err := hpke.NewRecipient(m.Encapsulated, r.key, kdf(), aead(), hpkeInfo(th0))
	if err != nil {
		return fmt.Errorf("%w: hello: %w", ErrMalformed, err)
	}
	x, err := exportKey(ctx, th1)
	if err != nil {
		return err
	}
	prox := r.prox
	if m.Class == ClassNone {
		prox = Proximity{}
	}
	if r.k0, err = rootKey(r.code.Secret, prox, x, th1); err != nil {
		return err
	}
	value, err := r.check(StepHello, e, m.Device)
	if err != nil {
		return err
	}
	if m.Audience != r.audience {
		return fmt.Errorf("%w: %q, not %q", ErrAudience, m.Audience, r.audience)
	}
	if len(m.Evidence) > 0 {
		if err := r.evidence(m, th0); err != nil {
			return err
		}
	}
	r.peer = m.Device
	r.transcript[StepHello] = &turn{e, value}
	return nil
}

// evidence judges what C brings for its key.
func (r *Receiver) evidence(m *Hello, th0 [32]byte) error {
	ev, err := Decode[Evidence](m.Evidence)
	if err != nil {
		return err
	}
	challenge := derive.Hash("evidence", th0[:])
	_, err = r.judge(&ev, challenge[:], m.Device)
	return err
}

// offered reports whether a code with these beacons can be near in this way.
func (k Class) offered(beacons byte) bool {
	switch k {
	case ClassLAN:
		return beacons&BeaconLAN != 0
	case ClassNear:
		return beacons&(BeaconBLE|BeaconNFC) != 0
	}
	return k == ClassNone
}

// Answer is the nonce, made after the hello has come: so C could not choose its own
// part by the number that comes of it.
func (r *Receiver) Answer() (Envelope, error) { return r.answer(newSecret()) }

func (r *Receiver) answer(nonce [32]byte) (Envelope, error) {
	if m, ok := r.transcript[StepAnswer]; ok {
		return m.Envelope, nil
	}
	return made(&r.half, StepAnswer, &Answer{Nonce: nonce})
}

// Number takes what the person has typed of C's screen; spaces and hyphens do not
// count. A wrong number is a *NumberError, and after the third one the keys are
// erased. Store the half before you say how it was: a try is not given back.
func (r *Receiver) Number(typed string) error {
	switch {
	case r.erased:
		return ErrErased
	case r.typed:
		return nil
	}
	th2, err := r.Value(StepAnswer)
	if err != nil {
		return err
	}
	want, err := number(r.k0, th2)
	if err != nil {
		return err
	}
	r.tries--
	typed = strings.ReplaceAll(strings.ReplaceAll(typed, " ", ""), "-", "")
	if subtle.ConstantTimeCompare([]byte(typed), []byte(want)) == 1 {
		r.typed = true
		return nil
	}
	if r.tries <= 0 {
		r.Erase()
	}
	return &NumberError{r.tries}
}

// TriesLeft is how often the number may still be typed.
func (r *Receiver) TriesLeft() int { return r.tries }

// Matched says that the number was right, and brings N's passkey: the answer to the
// ceremony that came with Answer. If the server refuses the passkey it may be called
// again with another one, until C has confirmed.
func (r *Receiver) Matched(passkey, keys []byte) (Envelope, error) {
	if _, err := r.secret(); err != nil {
		return Envelope{}, err
	}
	if !r.typed {
		return Envelope{}, fmt.Errorf("%w: the number has not been typed", ErrOrder)
	}
	return remade(&r.half, StepMatched, StepConfirm, &Matched{Passkey: passkey, Keys: keys})
}

// HandleConfirm takes C's yes. About Bytes will come.
func (r *Receiver) HandleConfirm(e Envelope) (*Confirm, error) {
	m, err := taken[Confirm](&r.half, StepConfirm, e, nil)
	if err != nil {
		if ends(err) {
			r.Erase()
		}
		return nil, err
	}
	return &m, nil
}

// BulkKey is the key of the history, once the server has given the hold share. The
// error is ErrCommitment if that is not C's.
func (r *Receiver) BulkKey(hold Secret) ([]byte, error) {
	k0, err := r.secret()
	if err != nil {
		return nil, err
	}
	m, err := stored[Confirm](&r.half, StepConfirm)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(hold[:]); !same(sum[:], m.HoldShareHash[:]) {
		return nil, fmt.Errorf("%w: the hold share", ErrCommitment)
	}
	return sharedKey(k0, "bulk", r.transcript[StepConfirm].value, hold)
}

// Erase forgets all secrets; see half.
func (r *Receiver) Erase() {
	r.half.Erase()
	r.key = nil
}
