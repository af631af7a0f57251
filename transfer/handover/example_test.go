package handover_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/transfer/handover"
)

// Two phones meet: from the code on N's screen to the key of the history. Between
// them every envelope goes through a server, and each half is stored after each step.
func Example() {
	ca, err := attesttest.TestAndroidCA(at())
	check(err)
	challenge := [32]byte([]byte("32 random bytes from the server."))
	newKey, err := ca.Phone().GenerateKey(at(), challenge[:])
	check(err)
	oldKey, err := ca.Phone().GenerateKey(at(), []byte("when it enrolled"))
	check(err)
	prove := func(k *attesttest.AndroidKey) handover.Prove {
		return func(value [32]byte) ([]byte, error) { return k.Sign(request.DeviceProof(value)) }
	}
	var file attest.PolicyFile
	check(config.Decode([]byte(attesttest.DemoPolicy()), &file))
	policy, err := attest.NewPolicy(&file)
	check(err)

	// The new phone shows a code.
	n, err := handover.NewReceiver(&handover.ReceiverOptions{
		Device: newKey.PublicKey(), Prove: prove(newKey), Audience: "demo@accounts.example.org",
		Evidence: handover.Evidence{Platform: handover.Android, Chain: newKey.Chain()}, Challenge: challenge,
		Info: handover.DeviceInfo{Model: "Pebble 3", OS: "16", App: "2.0"}, SchemaLow: 1, SchemaHigh: 1, FreeBytes: 1 << 34,
	})
	check(err)
	text := n.Code().URI()
	fmt.Println(len(text), "characters in the QR code")

	// The current phone scans it, gets the offer from the server, and checks it.
	code, err := handover.ParseCode(text)
	check(err)
	c, err := handover.NewSender(code, n.Offer(), &handover.SenderOptions{
		Device: oldKey.PublicKey(), Prove: prove(oldKey), Audience: "demo@accounts.example.org", Account: "u_1", DeviceID: "d_1",
		Judge: handover.Judge{Policy: policy, Now: at}, Schema: 1, Info: handover.DeviceInfo{Model: "Pebble 1", OS: "14", App: "2.0"},
	})
	check(err)
	fmt.Println("move to", c.Peer().Info.Model+"?")
	hello, err := c.Hello(handover.ClassNone, nil) // the person said yes
	check(err)

	from, err := n.HandleHello(hello)
	check(err)
	fmt.Println("from", from.Info.Model)
	answer, err := n.Answer()
	check(err)
	check(c.HandleAnswer(answer))
	number, err := c.Number() // shown on C, and typed on N
	check(err)
	check(n.Number(number))
	matched, err := n.Matched([]byte(`{"the new":"passkey"}`), nil)
	check(err)

	_, err = c.HandleMatched(matched)
	check(err)
	confirm, holdShare, err := c.Confirm(handover.StepUp{Approval: "a_1", Assertion: []byte(`{}`)}, 4<<30)
	check(err)
	_, err = n.HandleConfirm(confirm)
	check(err)
	theirs, err := c.BulkKey()
	check(err)
	ours, err := n.BulkKey(holdShare) // from the server, when the hold is over
	check(err)
	fmt.Println("one key:", bytes.Equal(theirs, ours))
	fmt.Println(holdShare, code)
	// Output:
	// 211 characters in the QR code
	// move to Pebble 3?
	// from Pebble 1
	// one key: true
	// [redacted] [redacted]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
